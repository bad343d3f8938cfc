/**
 * Semantic entropy: how many different things the answers say, however each is worded. Its exponential is the number of equally
 * probable meanings that would be as uncertain; the confidence is 1 over that number.
 *
 * Kuhn, Gal & Farquhar 2023, arXiv:2302.09664: answers that entail each other are one meaning. Farquhar, Kossen, Kuhn & Gal 2024,
 * "Detecting hallucinations in large language models using semantic entropy", Nature 630, 625: the entropy −Σ P(C) log P(C) over
 * the meanings that were seen, normalised to 1, with P(C) by
 *
 * - `count`, their discrete form: the share of the answers. Needs no log-probabilities.
 * - `likelihood`: the summed probabilities of the *distinct* answers with that meaning. Exact once every possible answer was drawn.
 * - `likelihood-per-token`: the same with each log-probability divided by its length (Malinin & Gales 2021, arXiv:2002.07650), as in
 *   the experiments of both papers; it is no law of the model's any more.
 *
 * Which answers mean the same is given here: a canonical form, or what `semanticVote` found by asking. Answers without a meaning are
 * left out, and by likelihood those whose log-probability is not known. The answer is the first drawn of the heaviest meaning.
 * Not calibrated, and blind to a mistake that is always made; a question with many right answers looks uncertain too, see
 * `iteratedPrompting`. With few draws it is too low: an unseen meaning counts for nothing.
 */
import type { Aggregate, Aggregator } from "../aggregator.ts";
import { entropy } from "../math/information.ts";
import { logSumExp, softmax } from "../math/log-space.ts";
import type { Node } from "../node.ts";
import { votersOf } from "./answers.ts";

export interface SemanticEntropyOptions<S> {
  /** Two answers with one of these say the same; undefined where an answer says nothing. */
  readonly meaning: (node: Node<S>) => string | undefined;
  /** @default "count" */
  readonly weighing?: "count" | "likelihood" | "likelihood-per-token";
}

export interface SemanticAggregate<S> extends Aggregate<S> {
  /** In nats, from 0 to log of the number of meanings; undefined where no answer has one. */
  readonly entropy: number | undefined;
}

export interface SemanticAggregator<S> extends Aggregator<S> {
  aggregate(candidates: readonly Node<S>[]): SemanticAggregate<S>;
}

export function semanticEntropy<S>({ meaning, weighing = "count" }: SemanticEntropyOptions<S>): SemanticAggregator<S> {
  const logOf = (node: Node<S>): number =>
    weighing === "likelihood" ? node.totalLogProb : node.totalLogProb / Math.max(1, node.length);
  return {
    name: `semantic entropy by ${weighing}`,
    aggregate(candidates) {
      const known = weighing === "count" ? candidates : candidates.filter((node) => !Number.isNaN(node.totalLogProb));
      const meanings = votersOf(known, meaning);
      const weights =
        weighing === "count"
          ? meanings.map(({ voters }) => voters.length / candidates.length)
          : (softmax(meanings.map(({ voters }) => logSumExp(distinct(voters).map(logOf)))) ?? []);
      const tally = meanings
        .map(({ answer, voters: [node] }, i) => ({ answer, weight: weights[i] ?? 0, node }))
        .sort((a, b) => b.weight - a.weight);
      const value = tally.length === 0 ? undefined : entropy(tally.map(({ weight }) => weight));
      return {
        answer: tally[0]?.node,
        confidence: value === undefined ? undefined : Math.exp(-value),
        tally,
        entropy: value,
      };
    },
  };
}

/** Those that are the same to the last token count once: their probability is that of one answer. */
function distinct<S>(nodes: readonly Node<S>[]): Node<S>[] {
  return [...new Map(nodes.map((node) => [JSON.stringify(node.state), node])).values()];
}
