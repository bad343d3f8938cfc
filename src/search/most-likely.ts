/**
 * The most likely answer, exactly: best-first search over partial answers in order of log p(partial answer).
 *
 * log-probabilities only fall as text is appended, so the log-probability of a partial answer is an upper bound of
 * everything below it (an admissible bound, with 0 as the estimate of the rest): the first finished answer that comes off
 * the queue is the mode. This is uniform-cost search (Dijkstra 1959; as decoding: Meister, Vieira & Cotterell 2020,
 * arXiv:2007.03909, §4; exactness for language models: Stahlberg & Byrne 2019, arXiv:1908.10090, algorithm 1).
 *
 * For policies whose step is a token. Children beyond `branch`, and those that failed or could not be afforded, are not looked
 * at; no answer below them is more probable than what their siblings leave of 1, and `exact` says that the answer beats this.
 * The tree can grow with the number of likely prefixes, so give it a budget or `maxNodes`; with either exhausted the best
 * finished answer is returned, and `exact` is false. Ties: the earlier place.
 * Cost: one next-token distribution for every partial answer more likely than the mode.
 */
import { Heap } from "../math/heap.ts";
import type { Node } from "../node.ts";
import { comparePlaces } from "../node.ts";
import type { Outcome, Search } from "../search.ts";
import { BudgetSpent, extend, propose } from "../search.ts";
import { checkWhole } from "./options.ts";

export interface MostLikelyOptions {
  /** Children looked at, most probable first: the size of the vocabulary for an exact result. @default 1000 */
  readonly branch?: number;
  /** Partial answers extended before giving up. @default 100_000 */
  readonly maxNodes?: number;
}

export interface MostLikelyOutcome<S> extends Outcome<S> {
  /** Whether the answer is proved to be the most likely one. */
  readonly exact: boolean;
}

/** Probability that 32-bit log-probabilities may leave of 1 by rounding alone. */
const rounding = 1e-6;

export function mostLikely<S>({
  branch = 1000,
  maxNodes = 100_000,
}: MostLikelyOptions = {}): Search<S, MostLikelyOutcome<S>> {
  checkWhole("most-likely", "branch", branch, 1);
  checkWhole("most-likely", "maxNodes", maxNodes, 1, 100_000_000);
  return {
    name: "most-likely",
    options: { branch, maxNodes },
    *run(root) {
      const open = new Heap<Node<S>>(
        (a, b) => b.totalLogProb - a.totalLogProb || Number(b.done) - Number(a.done) || comparePlaces(a.id, b.id),
      );
      let best: Node<S> | undefined;
      /** log p of the most likely answer that there could be below what was not looked at. */
      let unseen = Number.NEGATIVE_INFINITY;
      open.push(root);
      try {
        for (let extended = 0; extended < maxNodes; extended++) {
          const node = open.pop();
          if (!node) break;
          if (node.done) return { answer: node, candidates: [node], exact: node.totalLogProb >= unseen };
          const children = yield* extend(node, { count: branch, draw: "top" });
          const seen = children.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0);
          if (!(seen >= 1 - rounding)) unseen = Math.max(unseen, node.totalLogProb + Math.log1p(-seen));
          for (const child of children) {
            if (!(child.totalLogProb > Number.NEGATIVE_INFINITY)) continue; // impossible, or a model that does not tell
            open.push(child);
            if (!child.done) continue;
            yield* propose(child, child.totalLogProb);
            if (!best || child.totalLogProb > best.totalLogProb) best = child;
          }
        }
      } catch (error) {
        if (!(error instanceof BudgetSpent)) throw error;
      }
      return { answer: best, candidates: best ? [best] : [], exact: false };
    },
  };
}
