/** Answers drawn to their end, a round at a time; answers and beginnings of them that are judged. */
import type { Node } from "../node.ts";
import type { Policy } from "../policy.ts";
import { allAffordable, complete } from "../program.ts";
import { rankOf, type Scorer } from "../scorer.ts";
import type { BudgetSpent, Program } from "../search.ts";
import { propose, score } from "../search.ts";

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

/** A whole or a partial answer. */
export interface Judged<S> {
  readonly node: Node<S>;
  /** Undefined where the scorer failed, or was not asked. */
  readonly rank: number | undefined;
}

/** Scores it, and proposes it where it is finished. */
export function* judge<S>(node: Node<S>, by: Scorer<S> | undefined): Program<S, Judged<S>> {
  const [judged] = yield* score([node], { by });
  const rank = judged && rankOf(judged);
  if (node.done && rank !== undefined) yield* propose(node, rank);
  return { node, rank };
}

/** Best first, the unscored last. In a stable sort the earlier of equals stays first. */
export const byRank = <S>(a: Judged<S>, b: Judged<S>): number =>
  a.rank === b.rank ? 0 : (b.rank ?? Number.NEGATIVE_INFINITY) - (a.rank ?? Number.NEGATIVE_INFINITY);
