/** The loop of best-first searches: a queue of partial answers, of which the best is grown next. */
import { Heap } from "../../math/heap.ts";
import type { Node } from "../../node.ts";
import { comparePlaces } from "../../node.ts";
import type { Program } from "../../search.ts";
import { BudgetSpent } from "../../search.ts";
import type { Ranked } from "../ranked.ts";

/** Highest rank first; of equals a finished one, then the earlier place. */
export const finishedFirst = <S>(a: Ranked<S>, b: Ranked<S>): number =>
  compareRanks(a, b) || Number(b.node.done) - Number(a.node.done) || comparePlaces(a.node.id, b.node.id);

/** Highest rank first; of equals a finished one, then the deeper, then the earlier place. */
export const deepestFirst = <S>(a: Ranked<S>, b: Ranked<S>): number =>
  compareRanks(a, b) ||
  Number(b.node.done) - Number(a.node.done) ||
  b.node.depth - a.node.depth ||
  comparePlaces(a.node.id, b.node.id);

// Two infinities of one sign have no difference.
const compareRanks = <S>(a: Ranked<S>, b: Ranked<S>): number => (a.rank === b.rank ? 0 : b.rank - a.rank);

/**
 * Takes items off the queue in order and grows them, until a finished one that is a goal comes off. Undefined where the queue,
 * `maxNodes` or the budget ended first. Ranks must not be NaN. Cost: log n comparisons an item.
 */
export function* takeBestFirst<S, T extends Ranked<S>>(
  start: T,
  {
    compare,
    grow,
    isGoal,
    maxNodes,
  }: {
    compare: (a: T, b: T) => number;
    grow: (item: T) => Program<S, T[]>;
    /** @default every finished answer is one */
    isGoal?: (node: Node<S>) => Program<S, boolean>;
    maxNodes: number;
  },
): Program<S, T | undefined> {
  const open = new Heap<T>(compare);
  open.push(start);
  let grown = 0;
  try {
    for (let item = open.pop(); item; item = open.pop()) {
      if (item.node.done) {
        if (!isGoal || (yield* isGoal(item.node))) return item;
      } else {
        if (grown++ === maxNodes) return undefined;
        for (const child of yield* grow(item)) open.push(child);
      }
    }
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error;
  }
  return undefined;
}
