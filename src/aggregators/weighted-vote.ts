/**
 * Weighted vote, also called best-of-N weighted: the weights of all candidates that give an answer are summed, and the answer
 * with the largest sum wins. Many fair answers can outweigh one that the scorer likes best.
 *
 * Li et al. 2022, "Making Large Language Models Better Reasoners with Step-Aware Verifier", arXiv:2206.02336 (weights from a
 * verifier); as "best-of-N weighted" in Snell et al. 2024, arXiv:2408.03314. There the weight is the verifier's probability; here a
 * map says what the weight of a score is, and no scale is guessed: `probabilityWeight` is theirs, `oddsWeight`, `rewardWeight(β)`,
 * `likelihoodWeight(power)` and `verdictWeight` are others.
 *
 * A candidate that cannot be read, or has no score, does not vote: an unknown weight is not zero, and neither is it anything else.
 * Where nothing has weight there is no answer. Weights are summed as logarithms, so those of long answers do not vanish; the tally
 * has shares of the whole. Equal sums: the answer whose first voter was drawn earliest. The candidate that stands for an answer is
 * its heaviest voter (equal: the earliest). Confidence: the winner's share, as well calibrated as the weights are. Cost: none.
 * When not: with a scorer that knows no more than the vote, weights are noise.
 */
import type { Aggregator } from "../aggregator.ts";
import { logSumExp } from "../math/log-space.ts";
import type { Node } from "../node.ts";
import { rankOf, type Score } from "../scorer.ts";
import { votersOf } from "./answers.ts";

export interface WeightedVoteOptions<S> {
  /** What votes are counted for; undefined does not vote. */
  readonly canonical: (node: Node<S>) => string | undefined;
  /** How a score becomes a log-weight: `probabilityWeight`, `oddsWeight`, `rewardWeight(β)`, … or one of your own. */
  readonly map: {
    readonly name: string;
    /** The kind of scores that it takes. */
    readonly kind: Score["kind"];
    /** In nats; -Infinity is weight 0. A verdict comes as 1 or 0. */
    readonly logWeight: (value: number) => number;
  };
}

/** @throws TypeError from `aggregate`, for a score of another kind than the map takes */
export function weightedVote<S>({ canonical, map }: WeightedVoteOptions<S>): Aggregator<S> {
  const logWeightOf = ({ score }: Node<S>): number => {
    if (!score) return Number.NEGATIVE_INFINITY;
    if (score.kind !== map.kind)
      throw new TypeError(
        `Cannot weigh a vote by a ${score.kind} as the map '${map.name}' takes a ${map.kind}: give the map of that kind`,
      );
    return map.logWeight(rankOf(score));
  };

  return {
    name: `weighted-vote by ${map.name}`,
    aggregate(candidates) {
      const weighed = votersOf(candidates, canonical).flatMap(({ answer, voters }) => {
        const logWeights = voters.map(logWeightOf);
        const heaviest = logWeights.reduce((best, weight, i) => (weight > (logWeights[best] as number) ? i : best), 0);
        const logWeight = logSumExp(logWeights);
        return logWeight > Number.NEGATIVE_INFINITY ? [{ answer, logWeight, node: voters[heaviest] as Node<S> }] : [];
      });
      const total = logSumExp(weighed.map(({ logWeight }) => logWeight));
      const tally = weighed
        .sort((a, b) => b.logWeight - a.logWeight)
        .map(({ answer, logWeight, node }) => ({ answer, weight: Math.exp(logWeight - total), node }));
      return { answer: tally[0]?.node, confidence: tally[0]?.weight, tally };
    },
  };
}
