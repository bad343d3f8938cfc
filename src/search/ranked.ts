/** What searches that keep the best of many partial answers share: growing with scores, and order. */
import type { Node } from "../node.ts";
import { comparePlaces } from "../node.ts";
import type { Draw } from "../policy.ts";
import type { Scorer } from "../scorer.ts";
import { rankOf } from "../scorer.ts";
import type { Program } from "../search.ts";
import { extend, score } from "../search.ts";

export interface Ranked<S> {
  readonly node: Node<S>;
  /** More is better; -Infinity where nothing is known, NaN where the model does not tell: both come last. */
  readonly rank: number;
}

/** Best first; ties: the earlier place. */
export function byRank<S>(a: Ranked<S>, b: Ranked<S>): number {
  if (a.rank > b.rank) return -1;
  if (a.rank < b.rank) return 1;
  if (a.rank === b.rank) return comparePlaces(a.node.id, b.node.id);
  return known(b.rank) - known(a.rank) || comparePlaces(a.node.id, b.node.id); // one of them is NaN
}

/** NaN counts as -Infinity does: nothing is known. */
const known = (rank: number): number => (rank > Number.NEGATIVE_INFINITY ? 1 : 0);

/** The best finished one, in a list: what is left to answer with where no finished answer was kept. */
export const bestFinished = <S>(items: readonly Ranked<S>[]): Ranked<S>[] =>
  items
    .filter(({ node }) => node.done)
    .sort(byRank)
    .slice(0, 1);

export function firstOfEach<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    return !seen.has(key) && seen.add(key);
  });
}

/** Children with their ranks by the scorer (absent: the run's), in order of sample. An unscored one has -Infinity. */
export function* growScored<S>(
  node: Node<S>,
  { count, draw = "sample", scorer }: { count: number; draw?: Draw; scorer?: Scorer<S> | undefined },
): Program<S, Ranked<S>[]> {
  const children = yield* extend(node, { count, draw });
  const scores = yield* score(children, { by: scorer });
  return children.map((child, i) => ({
    node: child,
    rank: scores[i] ? rankOf(scores[i]) : Number.NEGATIVE_INFINITY,
  }));
}
