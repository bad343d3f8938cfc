/**
 * Routing: from the question alone, before anything is drawn, choose between a cheap search and a dear one.
 *
 * `fitRouter` predicts the probability that the cheap one suffices, by logistic regression on features of the problem; what goes above
 * a threshold goes to the cheap one. `routeThreshold` sets that threshold for a wanted share of dear runs: a dial that can be turned at
 * any time without fitting again. `routingCurve` shows quality and cost over the dial, on recorded problems.
 * Ding et al. 2024, arXiv:2404.14618 (Hybrid LLM): a router between a small and a large model, trained on whether the quality of the
 * small one's answer is within some slack of the large one's, as a yes or no or as a share of several draws, with a threshold for the
 * wanted trade. Their router is a fine-tuned language model on the text; here the features are given. `slack` is given too, where they
 * choose the one that makes labels differ most.
 *
 * Pays where problems differ in difficulty and the question shows it. A cascade (`cascade.ts`) sees the cheap answer first, and so
 * knows more, and pays for both where it goes on. Where the question tells nothing, routing is choosing by lot.
 */
import { logisticRegression, sigmoid } from "../math/logistic.ts";
import type { Problem } from "../problem.ts";
import type { Outcome, Search } from "../search.ts";
import { checkBetween, checkPairs } from "../options.ts";

export interface FittedRouter {
  /** [features], and the intercept last. */
  readonly weights: readonly number[];
  /** The probability that the cheap one suffices. */
  suffices(features: readonly number[]): number;
}

/**
 * The share of pairs of draws in which the cheap one's quality is at least the dear one's less the slack: the label of one problem.
 * Qualities of several draws of each make it a share.
 */
export function sufficed(
  cheap: readonly number[],
  dear: readonly number[],
  { slack = 0 }: { /** @default 0 */ readonly slack?: number } = {},
): number {
  if (cheap.length === 0 || dear.length === 0 || ![...cheap, ...dear, slack].every(Number.isFinite))
    throw new RangeError("Cannot compare qualities as both sides need one at least, all finite");
  const pairs = cheap.flatMap((one) => dear.map((other) => Number(one >= other - slack)));
  return pairs.reduce((sum, one) => sum + one, 0) / pairs.length;
}

/** `features` [problems][features], `labels` [problems] in [0, 1]. `l2` holds weights back where there are few problems. */
export function fitRouter(
  features: readonly (readonly number[])[],
  labels: readonly number[],
  { l2 = 1 }: { /** @default 1 */ readonly l2?: number } = {},
): FittedRouter {
  checkPairs("a router", "labels", labels, features);
  const { weights } = logisticRegression(
    features.map((row) => [...row, 1]),
    labels,
    { l2 },
  );
  return {
    weights,
    suffices(row) {
      const margin = weights.reduce(
        (sum, weight, i) => sum + weight * (row[i] ?? (i === row.length ? 1 : Number.NaN)),
        0,
      );
      return sigmoid(margin);
    },
  };
}

/**
 * The threshold at which at most the given share of recorded problems goes to the dear search: as many as possible, equal ones
 * together. A problem is dear where its probability is below it.
 */
export function routeThreshold(probabilities: readonly number[], share: number): number {
  checkPairs("a route threshold", "probabilities", probabilities, probabilities);
  checkBetween("a route threshold", "share", share, [0, 1]);
  const rising = [...probabilities].sort((a, b) => a - b);
  return rising[Math.floor(share * rising.length + 1e-9)] ?? Number.POSITIVE_INFINITY;
}

/** What both did on one problem. */
export interface RoutingRecord {
  /** That the cheap one suffices, as predicted. */
  readonly probability: number;
  readonly cheap: { readonly quality: number; readonly cost: number };
  readonly dear: { readonly quality: number; readonly cost: number };
}

export interface RoutingPoint {
  readonly threshold: number;
  /** The share that goes to the dear one. */
  readonly share: number;
  readonly quality: number;
  readonly cost: number;
}

/** From all cheap to all dear, a point for every threshold that differs. */
export function routingCurve(records: readonly RoutingRecord[]): RoutingPoint[] {
  checkPairs(
    "a routing curve",
    "records",
    records.map(({ probability }) => probability),
    records,
  );
  const rising = [...records].sort((a, b) => a.probability - b.probability);
  const n = records.length;
  let quality = records.reduce((sum, { cheap }) => sum + cheap.quality, 0);
  let cost = records.reduce((sum, { cheap }) => sum + cheap.cost, 0);
  const points: RoutingPoint[] = [];
  for (const [i, { probability, cheap, dear }] of rising.entries()) {
    if (probability !== rising[i - 1]?.probability)
      points.push({ threshold: probability, share: i / n, quality: quality / n, cost: cost / n });
    quality += dear.quality - cheap.quality;
    cost += dear.cost - cheap.cost;
  }
  return [...points, { threshold: Number.POSITIVE_INFINITY, share: 1, quality: quality / n, cost: cost / n }];
}

export interface RoutedOptions<S> {
  readonly cheap: Search<S>;
  readonly dear: Search<S>;
  readonly router: {
    /** Names what it goes by: two routers of one name decide alike. */
    readonly name: string;
    /** The probability that the cheap one suffices; NaN, where it cannot say, goes to the dear one. */
    suffices(problem: Problem): number;
  };
  /** Cheap from this probability on. @default 0.5 */
  readonly threshold?: number;
}

export interface RoutedOutcome<S> extends Outcome<S> {
  readonly route: "cheap" | "dear";
}

/** Runs one of two searches. Searches take a policy of their own, so the two may ask different models. */
export function routed<S>({ cheap, dear, router, threshold = 0.5 }: RoutedOptions<S>): Search<S, RoutedOutcome<S>> {
  if (Number.isNaN(threshold))
    throw new RangeError("Cannot route as 'threshold' must be a number: current value is NaN");
  return {
    name: "routed",
    options: {
      cheap: [cheap.name, cheap.options],
      dear: [dear.name, dear.options],
      router: router.name,
      threshold: String(threshold), // Infinity is no JSON
    },
    *run(root, tools) {
      const route = router.suffices(tools.problem) >= threshold ? "cheap" : "dear";
      return { ...(yield* (route === "cheap" ? cheap : dear).run(root, tools)), route };
    },
  };
}
