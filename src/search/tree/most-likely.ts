/**
 * The most likely answer, exactly: best-first search over partial answers in order of log p(partial answer).
 *
 * log-probabilities only fall as text is appended, so the log-probability of a partial answer is an upper bound of
 * everything below it: this is A* with 0 as the bound on the rest, see a-star.ts, and the first finished answer that comes off
 * the queue is the mode. This is uniform-cost search (Dijkstra 1959; as decoding: Meister, Vieira & Cotterell 2020,
 * arXiv:2007.03909, §4; exactness for language models: Stahlberg & Byrne 2019, arXiv:1908.10090, algorithm 1).
 *
 * For policies whose step is a token. Children beyond `branch`, and those that failed or could not be afforded, are not looked
 * at; no answer below them is more probable than what their siblings leave of 1, and `exact` says that the answer beats this.
 * The tree can grow with the number of likely prefixes, so give it a budget or `maxNodes`; with either exhausted the best
 * finished answer is returned, and `exact` is false. Ties: a finished answer, then the earlier place.
 * Cost: one next-token distribution for every partial answer more likely than the mode.
 */
import type { Search } from "../../search.ts";
import { type AStarOptions, type AStarOutcome, aStar } from "./a-star.ts";
import { checkWhole } from "../../options.ts";

export type MostLikelyOptions = Omit<AStarOptions<unknown>, "bound">;

export type MostLikelyOutcome<S> = AStarOutcome<S>;

export function mostLikely<S>({
  branch = 1000,
  maxNodes = 100_000,
}: MostLikelyOptions = {}): Search<S, MostLikelyOutcome<S>> {
  checkWhole("most-likely", "branch", branch, 1);
  checkWhole("most-likely", "maxNodes", maxNodes, 1, 100_000_000);
  return { ...aStar<S>({ bound: () => 0, branch, maxNodes }), name: "most-likely", options: { branch, maxNodes } };
}
