/**
 * Majority vote: one candidate, one vote for its canonical answer; the most voted answer wins.
 *
 * Candidates whose answer cannot be read do not vote. Ties go to the answer whose first voter was drawn earliest. The
 * candidate that stands for the winner is its first voter. Confidence: the winner's share of the votes cast, which is
 * not calibrated; or a function of the votes, such as `leaderProbability()`.
 * Wang et al. 2022, arXiv:2203.11171, §2 (self-consistency, unweighted).
 */
import type { Aggregator } from "../aggregator.ts";
import type { Node } from "../node.ts";
import { votersOf } from "./answers.ts";

export interface MajorityOptions<S> {
  /** What votes are counted for; undefined does not vote. */
  readonly canonical: (node: Node<S>) => string | undefined;
  /** Of the votes of each answer, the winner's first; there is at least one. @default the winner's share */
  readonly confidence?: (votes: readonly number[]) => number;
}

export function majority<S>({ canonical, confidence = shareOfFirst }: MajorityOptions<S>): Aggregator<S> {
  return {
    name: "majority",
    aggregate(candidates) {
      const tally = votersOf(candidates, canonical)
        .map(({ answer, voters }) => ({ answer, weight: voters.length, node: voters[0] }))
        .sort((a, b) => b.weight - a.weight); // stable: the earlier first voter stays ahead
      const [winner] = tally;
      return {
        answer: winner?.node,
        confidence: winner && confidence(tally.map(({ weight }) => weight)),
        tally,
      };
    },
  };
}

const shareOfFirst = (votes: readonly number[]): number =>
  (votes[0] as number) / votes.reduce((sum, count) => sum + count, 0);
