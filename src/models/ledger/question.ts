/** What is answered by one reply, through a ledger: the score of a text, next-token distributions. */
import { type Cost, noCost } from "../../budget.ts";
import { Failed, failureOf } from "../../errors.ts";
import type { LedgerEntry } from "../../ledger.ts";
import type { Json } from "../../problem.ts";
import { outcomeUnlessAborted } from "./desk.ts";
import type { Payer } from "./payer.ts";

/** What is recorded of a reply; with it, what its entry refers to. */
export interface Packed {
  readonly reply: Json;
  readonly others?: readonly Pick<LedgerEntry, "key" | "reply">[];
}

export interface Question<T> {
  readonly key: string;
  readonly kind: LedgerEntry["kind"];
  readonly worst: Cost;
  readonly signal: AbortSignal;
  ask(): Promise<T>;
  costOf(reply: T): Cost;
  /** Undefined where it is not to be recorded. */
  pack(reply: T): Packed | undefined;
  unpack(entry: LedgerEntry): T | Promise<T>;
}

/** Found in the ledger, waited for, or asked for. */
export async function answerTo<T>(question: Question<T>, payer: Payer): Promise<T> {
  const { model, ledger, desk } = payer;
  const { key, kind, worst, signal, ask, costOf, pack, unpack } = question;
  for (;;) {
    signal.throwIfAborted();
    const waited = desk.waitFor(key);
    if (waited) {
      const outcome = await outcomeUnlessAborted(waited, signal);
      if (outcome === "given-up") continue;
      if ("failure" in outcome) throw new Failed(outcome.failure.code, outcome.failure.message, { cost: noCost });
      return unpack(outcome);
    }
    const settle = desk.claim(key);
    try {
      const recorded = (await ledger.find([key])).get(key);
      if (recorded) {
        settle(recorded);
        return await unpack(recorded);
      }
      return await payer.inFlight(1, worst, async () => {
        const answer = await ask();
        const cost = costOf(answer);
        payer.pay(cost);
        const packed = pack(answer);
        if (!packed) return answer;
        const entry: LedgerEntry = { key, model: model.id, kind, reply: packed.reply, cost };
        const others = (packed.others ?? []).map((other) => ({ ...entry, ...other, cost: noCost }));
        await ledger.record([entry, ...others]);
        settle(entry);
        return answer;
      });
    } catch (thrown) {
      if (thrown instanceof Failed && thrown.cost) payer.pay(thrown.cost);
      if (!signal.aborted) settle({ failure: failureOf(thrown) });
      throw thrown;
    } finally {
      settle("given-up"); // where it was aborted, or the reply was not to be recorded
    }
  }
}
