/** Bad weather for any policy: late, in any order and any batches, failing, hanging, empty; as in the world of letters. */
import { cost } from "../../src/budget.ts";
import { random } from "../../src/math/random.ts";
import type { Policy, PolicyPart } from "../../src/policy.ts";
import type { Weather } from "../../src/testing/letters.ts";

export function weathered<S>(
  policy: Policy<S>,
  { disorder, batch = 1, fault = () => undefined, onAsk }: Weather,
): Policy<S> {
  const chance = disorder === undefined ? undefined : random(disorder);
  const paid = cost({ tokens: 2, calls: 1 });
  return {
    ...policy,
    batch,
    bound: () => paid,
    async *extend(state, request): AsyncGenerator<PolicyPart<S>> {
      const { seeds, ranks, signal } = request;
      const entries = seeds.map((seed, index) => ({ seed, rank: ranks[index] as number, index }));
      for (const { seed, rank } of entries) onAsk?.(policy.text(state), seed, rank);
      // Asked in order and at once, as some policies hand out what they have in the order of asking; told when the weather lets it.
      const begun = entries.map(({ seed, rank }) => {
        const kind = fault(seed);
        const parts = policy.extend(state, { ...request, seeds: [seed], ranks: [rank] })[Symbol.asyncIterator]();
        return { kind, first: kind === "hang" || kind === "fail" ? undefined : parts.next() };
      });
      for (const { index } of chance ? chance.shuffled(entries) : entries) {
        if (chance)
          for (let wait = chance.integer(4); wait > 0; wait--) await new Promise((resolve) => setImmediate(resolve));
        const { kind, first } = begun[index] as (typeof begun)[number];
        if (kind === "hang") {
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
          throw signal.reason;
        }
        if (kind === "fail") {
          const failure = { code: "unavailable" as const, message: "A fault was injected" };
          yield { type: "failure", index, failure, cost: cost({ calls: 1 }) };
          continue;
        }
        const part = (await first)?.value as PolicyPart<S> | undefined;
        if (part?.type === "extension") yield { ...part, index, extension: { ...part.extension, cost: paid } };
      }
    },
  };
}
