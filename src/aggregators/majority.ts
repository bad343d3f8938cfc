/**
 * Majority vote: one candidate, one vote for its canonical answer; the most voted answer wins.
 *
 * Candidates whose answer cannot be read do not vote. Ties go to the answer whose first voter was drawn earliest. The
 * candidate that stands for the winner is its first voter. Confidence: the winner's share of the votes cast, which is
 * not calibrated.
 * Wang et al. 2022, arXiv:2203.11171, §2 (self-consistency, unweighted).
 */
import type { Aggregator } from "../aggregator.ts";
import type { Node } from "../node.ts";
import { comparePlaces } from "../node.ts";

export interface MajorityOptions<S> {
  /** What votes are counted for; undefined does not vote. */
  readonly canonical: (node: Node<S>) => string | undefined;
}

export function majority<S>({ canonical }: MajorityOptions<S>): Aggregator<S> {
  return {
    name: "majority",
    aggregate(candidates) {
      const votes = new Map<string, { answer: string; weight: number; node: Node<S> }>();
      let cast = 0;
      for (const node of [...candidates].sort((a, b) => comparePlaces(a.id, b.id))) {
        const answer = canonical(node);
        if (answer === undefined) continue;
        cast++;
        const entry = votes.get(answer);
        if (entry) entry.weight++;
        else votes.set(answer, { answer, weight: 1, node });
      }
      const tally = [...votes.values()].sort((a, b) => b.weight - a.weight); // stable: the earlier first voter stays ahead
      const [winner] = tally;
      return { answer: winner?.node, confidence: winner && winner.weight / cast, tally };
    },
  };
}
