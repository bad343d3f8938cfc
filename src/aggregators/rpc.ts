/**
 * RPC, reasoning-pruning perplexity consistency: an answer counts as much as the probabilities of the *distinct* chains that lead
 * to it, after chains of low probability are dropped.
 *
 * Zhou et al. 2025, "Bridging Internal Probability and Self-Consistency for Effective and Efficient LLM Reasoning",
 * arXiv:2502.00511. Perplexity consistency: the estimate of p(answer) is Σ p(chain) over the distinct sampled chains that give
 * it. A chain that was seen once is known exactly, so the error is the mass of what was not seen, which vanishes exponentially in
 * the number of draws; the error of a vote, p (1 - p) / n, does not. Reasoning pruning: a mixture of two Weibull distributions is
 * fitted to the probabilities of all drawn chains, and a chain is dropped where it belongs rather to the lower part and its
 * probability is below their mean (details of the pruning as in the authors' program, github.com/WNJXYK/RPC).
 *
 * Departures: expectation maximisation in logarithms in place of a bounded quasi-Newton method on the probabilities, with the same
 * bounds on the shares, so that the fit does not depend on the unit; and p is the probability of the whole chain, as in
 * the paper's definition, where that program puts the mean log-probability per token (`logProb` can be that).
 *
 * The weights are sums of probabilities under the model as it is (temperature 1), whatever the chains were drawn with; without
 * pruning, each is at most the true p(answer). For long texts they may round to 0; order and confidence are made of logarithms.
 * Confidence: the winner's share of what is kept. A chain whose probability is not known takes no part, nor does one that
 * cannot be read. Ties: the answer drawn first. The candidate that stands for an answer is its most probable chain. Exact when all
 * chains were seen. Cost: none beyond the draws. When not: where right answers are spread over very many chains, so that hardly
 * one is drawn twice: the sum then favours whatever is written in few ways, and a vote does better.
 */
import type { Aggregator } from "../aggregator.ts";
import { logSumExp } from "../math/log-space.ts";
import { weibullMixture } from "../math/weibull-mixture.ts";
import type { Node } from "../node.ts";
import { votersOf } from "./answers.ts";

export interface RpcOptions<S> {
  /** What a chain answers; undefined takes no part. */
  readonly canonical: (node: Node<S>) => string | undefined;
  /** Names a chain: chains of one name are one. */
  readonly distinct: (state: S) => string;
  /** log p(chain), in nats. @default the node's `totalLogProb` */
  readonly logProb?: (node: Node<S>) => number;
  /** Whether improbable chains are dropped; without, it is perplexity consistency alone. @default true */
  readonly prune?: boolean;
}

export function rpc<S>({
  canonical,
  distinct,
  logProb = ({ totalLogProb }) => totalLogProb,
  prune = true,
}: RpcOptions<S>): Aggregator<S> {
  return {
    name: prune ? "rpc" : "perplexity-consistency",
    aggregate(candidates) {
      const readable = candidates.filter((node) => Number.isFinite(logProb(node)) && canonical(node) !== undefined);
      const isKept = prune ? pruning(readable.map(logProb)) : () => true;
      const tally = votersOf(
        readable.filter((node) => isKept(logProb(node))),
        canonical,
      )
        .map(({ answer, voters }) => {
          const chains = [...Map.groupBy(voters, ({ state }) => distinct(state)).values()].map(
            ([first]) => first as Node<S>,
          );
          const logWeight = logSumExp(chains.map(logProb));
          const node = chains.reduce((best, chain) => (logProb(chain) > logProb(best) ? chain : best));
          return { answer, logWeight, weight: Math.exp(logWeight), node };
        })
        .sort((a, b) => b.logWeight - a.logWeight);
      const [winner] = tally;
      return {
        answer: winner?.node,
        confidence: winner && Math.exp(winner.logWeight - logSumExp(tally.map(({ logWeight }) => logWeight))),
        tally: tally.map(({ answer, weight, node }) => ({ answer, weight, node })),
      };
    },
  };
}

/** Which log-probabilities are kept, given those of all draws. The largest always is, as it is not below the mean. */
function pruning(logProbs: readonly number[]): (logProb: number) => boolean {
  if (logProbs.length === 0) return () => true;
  const { posterior } = weibullMixture(logProbs);
  const logMean = logSumExp(logProbs) - Math.log(logProbs.length);
  return (logProb) => logProb >= logMean - rounding || posterior(logProb) >= 0.5;
}

/** The mean of equal numbers may come out a little above them. */
const rounding = 1e-9;
