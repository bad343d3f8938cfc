/** Samples through a ledger: each is found in it, waited for where somebody is asking for it, or drawn, all in one request. */
import { type Cost, noCost } from "../../budget.ts";
import { type Failure, failureOf } from "../../errors.ts";
import type { LedgerEntry } from "../../ledger.ts";
import type { GenerateRequest, ModelPart } from "../../model.ts";
import { type Outcome, outcomeUnlessAborted } from "./desk.ts";
import type { Payer } from "./payer.ts";
import { packCompletion, unpackCompletion } from "./replies.ts";

export interface KeyedRequest extends GenerateRequest {
  /** One for each seed. */
  readonly keys: readonly string[];
}

type Emit = (part: ModelPart) => void;
type Settle = (outcome: Outcome) => void;

/** The samples at these places of the request. */
export async function sample(
  payer: Payer,
  request: KeyedRequest,
  places: readonly number[],
  emit: Emit,
): Promise<void> {
  const mine = new Map<number, Settle>();
  const others = places.map(async (index) => {
    const key = request.keys[index] as string;
    const waited = payer.desk.waitFor(key);
    if (!waited) return void mine.set(index, payer.desk.claim(key));
    const outcome = await outcomeUnlessAborted(waited, request.signal);
    if (outcome === "given-up") return index;
    if ("failure" in outcome) emit({ type: "failure", index, failure: outcome.failure, cost: noCost });
    else emit(completionOf(index, outcome));
  });
  if (mine.size > 0) await findOrDraw(payer, request, mine, emit);
  const again = (await Promise.all(others)).filter((index) => index !== undefined);
  if (again.length > 0 && !request.signal.aborted) await sample(payer, request, again, emit);
}

/** The samples that were claimed. Never throws. */
async function findOrDraw(payer: Payer, request: KeyedRequest, open: Map<number, Settle>, emit: Emit): Promise<void> {
  const { model, ledger } = payer;
  const { prefix, maxTokens, signal, keys } = request;
  const end = (part: ModelPart & { readonly type: "completion" | "failure" }, outcome: Outcome): void => {
    open.get(part.index)?.(outcome);
    open.delete(part.index);
    emit(part);
  };
  const fail = (index: number, failure: Failure, cost?: Cost): void =>
    end({ type: "failure", index, failure, ...(cost && { cost }) }, signal.aborted ? "given-up" : { failure });
  try {
    const found = await ledger.find([...open.keys()].map((index) => keys[index] as string));
    for (const index of open.keys()) {
      const entry = found.get(keys[index] as string);
      if (entry) end(completionOf(index, entry), entry);
    }
    if (open.size === 0 || signal.aborted) return;
    const missing = [...open.keys()];
    const worst = payer.worstOf(missing.length, prefix, { tokens: maxTokens });
    await payer.inFlight(missing.length, worst, async () => {
      const recording: Promise<void>[] = [];
      const seeds = missing.map((index) => request.seeds[index] as number);
      try {
        for await (const part of model.generate({ ...request, seeds })) {
          const index = missing[part.index] as number;
          if (part.type === "text-delta") emit({ ...part, index });
          else if (part.type === "failure") {
            payer.pay(part.cost ?? noCost);
            fail(index, part.failure, part.cost);
          } else {
            const { cost } = part.completion;
            payer.pay(cost);
            const reply = packCompletion(part.completion);
            const entry = { key: keys[index] as string, model: model.id, kind: "completion", reply, cost } as const;
            const recorded = ledger.record([entry]).then(() => end(completionOf(index, entry), entry));
            recording.push(recorded.catch((thrown: unknown) => fail(index, failureOf(thrown), cost)));
          }
        }
      } finally {
        await Promise.all(recording); // what arrived is no failure, whatever the model threw then
      }
    });
  } catch (thrown) {
    if (!signal.aborted) for (const index of open.keys()) fail(index, failureOf(thrown));
  } finally {
    for (const settle of open.values()) settle("given-up");
  }
}

const completionOf = (index: number, { reply, cost }: LedgerEntry): ModelPart & { readonly type: "completion" } => ({
  type: "completion",
  index,
  completion: unpackCompletion(reply, cost),
});
