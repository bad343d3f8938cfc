/**
 * The surprisingly likely answer: the one whose probability rises most when the question is asked, over its prior without the
 * question. What everybody says anyway, a popular misconception, is likely both with and without; the right answer is often
 * likely only with.
 *
 * Goel 2023, "On the Truthfulness of 'Surprisingly Likely' Responses of Large Language Models", arXiv:2311.07692: the answer r with
 * the largest P(r | question) / P(r | "?"), after the surprisingly common answers of Prelec's Bayesian truth serum. There
 * the answers are given and both probabilities are read off the model. Here they are either read, `logProbs`, or counted in two pools:
 * the candidates, and `prior`, answers drawn without the question. Counts get `smoothing` votes more for each answer of
 * either pool, so that an answer that was never said without the question is not infinitely surprising.
 *
 * `disagrees` says whether the most likely answer is another one, `mostLikely`: the choice is then between a common mistake and a
 * fluke, and worth a look. Weight: the log-ratio, in nats. No confidence: a ratio is none. Ties, and unreadable answers: as in a vote.
 * Cost: none beyond the two pools. When not: where the right answer is the common one; and rare answers in small pools have
 * ratios made of noise, so `atLeast` leaves out those with fewer votes.
 */
import type { Aggregate, Aggregator } from "../aggregator.ts";
import type { Node } from "../node.ts";
import { votersOf } from "./answers.ts";

interface Common<S> {
  readonly canonical: (node: Node<S>) => string | undefined;
  /** Votes that an answer needs to be chosen. @default 1 */
  readonly atLeast?: number;
}

export type SurprisinglyLikelyOptions<S> = Common<S> &
  (
    | {
        /** Answers drawn without the question. */
        readonly prior: readonly Node<S>[];
        /** Votes that each answer gets in both pools before counting; positive. @default 0.5 */
        readonly smoothing?: number;
      }
    | {
        /** log P(answer | question) and log P(answer without it), in nats. Of candidates with one answer the likeliest counts. */
        readonly logProbs: (node: Node<S>) => { readonly asked: number; readonly unasked: number };
      }
  );

export interface SurprisinglyLikely<S> extends Aggregate<S> {
  /** What would be chosen by probability alone. */
  readonly mostLikely: Node<S> | undefined;
  /** Whether that is another answer. */
  readonly disagrees: boolean;
}

export interface SurprisinglyLikelyAggregator<S> extends Aggregator<S> {
  aggregate(candidates: readonly Node<S>[]): SurprisinglyLikely<S>;
}

interface Weighed<S> {
  readonly answer: string;
  readonly node: Node<S>;
  readonly votes: number;
  /** log P(answer | question), up to a constant. */
  readonly asked: number;
  readonly weight: number;
}

export function surprisinglyLikely<S>(options: SurprisinglyLikelyOptions<S>): SurprisinglyLikelyAggregator<S> {
  const { canonical, atLeast = 1 } = options;
  const weigh = "prior" in options ? byPools(options) : byLogProbs(options);
  return {
    name: "surprisingly-likely",
    aggregate(candidates) {
      const weighed = weigh(candidates).filter(({ votes }) => votes >= atLeast);
      const most = weighed.reduce<Weighed<S> | undefined>(
        (best, one) => (best && best.asked >= one.asked ? best : one),
        undefined,
      );
      const ranked = weighed.sort((a, b) => b.weight - a.weight);
      const [winner] = ranked;
      return {
        answer: winner?.node,
        confidence: undefined,
        tally: ranked.map(({ answer, weight, node }) => ({ answer, weight, node })),
        mostLikely: most?.node,
        disagrees: winner?.answer !== most?.answer,
      };
    },
  };

  function byPools({ prior, smoothing = 0.5 }: { prior: readonly Node<S>[]; smoothing?: number }) {
    if (!(smoothing > 0 && smoothing < Infinity))
      throw new RangeError(
        `Cannot compare with a prior as 'smoothing' must be a positive number: current value is ${smoothing}`,
      );
    const before = new Map(votersOf(prior, canonical).map(({ answer, voters }) => [answer, voters.length]));
    return (candidates: readonly Node<S>[]): Weighed<S>[] => {
      const groups = votersOf(candidates, canonical);
      const kinds = new Set([...before.keys(), ...groups.map(({ answer }) => answer)]).size;
      const shareOf = (count: number, total: number) => Math.log((count + smoothing) / (total + smoothing * kinds));
      const asked = groups.reduce((sum, { voters }) => sum + voters.length, 0);
      const unasked = [...before.values()].reduce((sum, count) => sum + count, 0);
      return groups.map(({ answer, voters }) => {
        const given = shareOf(voters.length, asked);
        const weight = given - shareOf(before.get(answer) ?? 0, unasked);
        return { answer, node: voters[0], votes: voters.length, asked: given, weight };
      });
    };
  }

  function byLogProbs({
    logProbs,
  }: {
    logProbs: (node: Node<S>) => { readonly asked: number; readonly unasked: number };
  }) {
    return (candidates: readonly Node<S>[]): Weighed<S>[] =>
      votersOf(candidates, canonical).flatMap(({ answer, voters }) => {
        const read = voters
          .map((node) => ({ node, ...logProbs(node) }))
          .filter(({ asked, unasked }) => Number.isFinite(asked) && Number.isFinite(unasked));
        const [first] = read;
        if (!first) return [];
        const { node, asked, unasked } = read.reduce((best, one) => (one.asked > best.asked ? one : best), first);
        return [{ answer, node, votes: voters.length, asked, weight: asked - unasked }];
      });
  }
}
