/** Answers drawn to their end, a round at a time. */
import type { Node } from "../node.ts";
import type { Policy } from "../policy.ts";
import { allAffordable, complete } from "../program.ts";
import type { BudgetSpent, Program } from "../search.ts";

/**
 * `count` answers side by side, each handed to `use` as soon as it is there. What comes back is in order of place, without those
 * that failed; `spent` is set where the budget did not reach for all.
 */
export function* drawRound<S, T>(
  root: Node<S>,
  count: number,
  policy: Policy<S> | undefined,
  use: (answer: Node<S>) => Program<S, T>,
): Program<S, { readonly drawn: readonly T[]; readonly spent: BudgetSpent | undefined }> {
  const { results, spent } = yield* allAffordable(
    Array.from({ length: count }, function* (): Program<S, { readonly one: T } | undefined> {
      const answer = yield* complete(root, "sample", policy);
      return answer && { one: yield* use(answer) };
    }),
  );
  return { drawn: results.flatMap((result) => (result ? [result.one] : [])), spent };
}
