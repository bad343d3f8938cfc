/**
 * Minimum Bayes risk: the candidate that agrees best with all the others, by a utility of yours. With answers that are never
 * quite equal (translations, summaries, programs by their outputs) it is what a vote is with answers that are.
 *
 * Each candidate is a hypothesis, and all candidates together, itself among them, stand for the law of answers: the answer is the
 * h with the largest mean of utility(h, reference). Kumar & Byrne 2004, "Minimum Bayes-Risk Decoding for Statistical Machine
 * Translation", over weighted lists of hypotheses; over plain samples Eikema & Aziz 2020, arXiv:2005.10283. Where the
 * utility is a similarity this is the medoid of the sample; where it is 1 for equal answers and 0 otherwise, it is the majority vote.
 *
 * Equal candidates are compared once and counted as often as they were drawn: k² utilities for k distinct answers, no model calls.
 * What cannot be read takes no part. Ties: the answer that was drawn first. Weight: the mean utility. Confidence: the winner's
 * mean utility where all utilities are in [0, 1], else undefined. When not: where the most frequent mistake looks like many others.
 */
import type { Aggregator } from "../aggregator.ts";
import type { Node } from "../node.ts";
import { votersOf } from "./answers.ts";

export interface MedoidOptions<S> {
  /** The form in which candidates are compared; undefined takes no part. */
  readonly canonical: (node: Node<S>) => string | undefined;
  /** What the hypothesis is worth if the reference is right; it need not be symmetric. */
  readonly utility: (hypothesis: string, reference: string) => number;
}

/** @throws RangeError from `aggregate`, for a utility that is no finite number */
export function medoid<S>({ canonical, utility }: MedoidOptions<S>): Aggregator<S> {
  return {
    name: "medoid",
    aggregate(candidates) {
      const groups = votersOf(candidates, canonical);
      const total = groups.reduce((sum, { voters }) => sum + voters.length, 0);
      let isShare = true;
      const tally = groups
        .map(({ answer, voters }) => {
          let sum = 0;
          for (const reference of groups) {
            const value = utility(answer, reference.answer);
            if (!Number.isFinite(value))
              throw new RangeError(
                `Cannot compare answers as 'utility' must be a finite number: current value is ${value}, of ${JSON.stringify(answer)} and ${JSON.stringify(reference.answer)}`,
              );
            isShare &&= value >= 0 && value <= 1;
            sum += reference.voters.length * value;
          }
          return { answer, weight: sum / total, node: voters[0] };
        })
        .sort((a, b) => b.weight - a.weight);
      const [winner] = tally;
      return { answer: winner?.node, confidence: isShare ? winner?.weight : undefined, tally };
    },
  };
}

/**
 * F1 of the words that two texts share, each as often as it occurs in both: a utility for texts. Words are runs of letters and
 * digits, in lower case. Two texts without words are equal.
 */
export function wordOverlap(a: string, b: string): number {
  const [of, and] = [countsOf(a), countsOf(b)];
  let shared = 0;
  for (const [word, count] of of) shared += Math.min(count, and.get(word) ?? 0);
  const words = sum(of) + sum(and);
  return words === 0 ? 1 : (2 * shared) / words;
}

function countsOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const sum = (counts: Map<string, number>): number => [...counts.values()].reduce((total, count) => total + count, 0);
