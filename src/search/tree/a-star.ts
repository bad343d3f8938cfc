/**
 * A*: the most likely answer, exactly, with less looking where something is known about what can still come.
 *
 * Partial answers are taken in order of log p(partial answer) + `bound`, where the bound is at least the log-probability of
 * every way to go on. The first finished answer that comes off the queue is then the most likely of all, as no other can be
 * more likely than its own bound says. Hart, Nilsson & Raphael 1968, "A Formal Basis for the Heuristic Determination of
 * Minimum Cost Paths", IEEE SSC 4(2), with -log p as the cost; for language models Meister, Vieira & Cotterell 2020,
 * arXiv:2007.03909. With bound 0 it is `mostLikely`.
 *
 * A bound above 0 counts as 0, as probabilities do not exceed 1. A bound that is too low makes the answer wrong, and `exact` a
 * lie: nothing here can find that out. The bound need not be consistent, as no state is reached twice in a tree.
 * Children beyond `branch`, and those that failed or could not be afforded, are not looked at; no answer below them is more
 * probable than what their siblings leave of 1, nor than their parent's bound, and `exact` says that the answer beats this.
 * With budget or `maxNodes` exhausted the best finished answer is returned, and `exact` is false.
 *
 * For policies whose step is a token. Ties: a finished answer, then the earlier place.
 * Cost: one next-token distribution for every partial answer whose bound is above the mode's probability.
 */
import type { Node } from "../../node.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { extend, propose } from "../../search.ts";
import { finishedFirst, takeBestFirst } from "./frontier.ts";
import { checkWhole } from "../../options.ts";
import type { Ranked } from "../ranked.ts";

export interface AStarOptions<S> {
  /** At least log p of every way to finish this partial answer, in nats. */
  readonly bound: (node: Node<S>) => number;
  /** Children looked at, most probable first: the size of the vocabulary for an exact result. @default 1000 */
  readonly branch?: number;
  /** Partial answers extended before giving up. @default 100_000 */
  readonly maxNodes?: number;
}

export interface AStarOutcome<S> extends Outcome<S> {
  /** Whether the answer is proved to be the most likely one. */
  readonly exact: boolean;
}

/** Probability that 32-bit log-probabilities may leave of 1 by rounding alone. */
const rounding = 1e-6;

export function aStar<S>({ bound, branch = 1000, maxNodes = 100_000 }: AStarOptions<S>): Search<S, AStarOutcome<S>> {
  checkWhole("a-star", "branch", branch, 1);
  checkWhole("a-star", "maxNodes", maxNodes, 1, 100_000_000);
  const boundOf = (node: Node<S>): number => {
    const rest = node.done ? 0 : bound(node);
    return rest < 0 ? rest : 0; // NaN tells nothing, so it is 0
  };
  return {
    name: "a-star",
    options: { bound: bound.name, branch, maxNodes },
    *run(root) {
      let best: Node<S> | undefined;
      /** log p of the most likely answer that there could be below what was not looked at. */
      let unseen = Number.NEGATIVE_INFINITY;

      function* grow({ node, rank }: Ranked<S>): Program<S, Ranked<S>[]> {
        const children = yield* extend(node, { count: branch, draw: "top" });
        const seen = children.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0);
        if (!(seen >= 1 - rounding)) unseen = Math.max(unseen, Math.min(rank, node.totalLogProb + Math.log1p(-seen)));
        for (const child of children)
          if (child.done && child.totalLogProb > Number.NEGATIVE_INFINITY) {
            yield* propose(child, child.totalLogProb);
            if (!best || child.totalLogProb > best.totalLogProb) best = child;
          }
        return children
          .map((child) => ({ node: child, rank: child.totalLogProb + boundOf(child) }))
          .filter((child) => child.rank > Number.NEGATIVE_INFINITY); // not impossible, nor of a model that does not tell
      }

      const found = yield* takeBestFirst<S, Ranked<S>>(
        { node: root, rank: boundOf(root) },
        { compare: finishedFirst, grow, maxNodes },
      );
      const answer = found?.node ?? best;
      return {
        answer,
        candidates: answer ? [answer] : [],
        exact: found !== undefined && found.node.totalLogProb >= unseen,
      };
    },
  };
}
