/**
 * Optimal stopping: draw and score answers one after the other until the expected gain of one more is no longer worth its cost.
 *
 * Scores are independent draws X of one law, each costs c (in units of the score), the best may be kept. The optimal rule is a
 * threshold: stop as soon as the best is at least the reservation value r, which solves E[max(X − r, 0)] = c. That is Pandora's
 * rule with equal boxes: Weitzman 1979, "Optimal Search for the Best Alternative", Econometrica 47(3), 641. Without a
 * limit on the draws, E[best − c · draws] under it is r itself.
 *
 * - `knownScores(sample)`: the law is the empirical one of scores recorded before. For that law the rule is exactly optimal.
 * - `normalScores()`: the law is normal with unknown mean and variance, learned on the way: the predictive law of the next score
 *   is Student's t with n − 1 degrees of freedom (under the reference prior), scaled by s·√(1 + 1/n). Stopping when its expected gain
 *   is at most c looks one draw ahead; it is not optimal, as a draw also teaches. It needs `least` ≥ 3 scores before it may stop.
 *   Where scores are alike to the last bit, it stops: nothing promises a gain.
 *
 * The empirical law of the scores of this run itself would never promise more than the best seen, and so stop at once: it needs
 * a law with a tail. Kalayci, Raman & Dughmi 2025, arXiv:2510.01394, apply Pandora's box to drawing answers with another rule for
 * unknown laws (an upper confidence bound).
 *
 * Answers without a valid score never win and do not teach. Ties: the earlier draw. The best score overstates quality as in
 * best-of-n, and the stop adds to it: `biased`. Cost: at most `most` answers and scores; with `batch` b it overshoots by up to b − 1.
 * Not for scores without a unit: where nobody can say what a point of score is worth in draws, fix n instead.
 */
import type { Node } from "../node.ts";
import { studentCdf } from "../math/student.ts";
import { logGamma } from "../math/special.ts";
import type { Policy } from "../policy.ts";
import { rankOf, type Scorer } from "../scorer.ts";
import type { Outcome, Search } from "../search.ts";
import { propose, score } from "../search.ts";
import { checkPairs, checkWhole } from "../options.ts";
import { drawRound } from "./draw.ts";

/** What is believed of the next score. */
export interface ScoreLaw {
  readonly name: string;
  /** E[max(X − value, 0)] of the next score X, given those so far; undefined where there are too few to say. */
  gain(scores: readonly number[], value: number): number | undefined;
}

export function knownScores(sample: readonly number[]): ScoreLaw {
  checkPairs("known scores", "sample", sample, sample);
  return {
    name: `known scores (${sample.length})`,
    gain: (_, value) => sample.reduce((sum, one) => sum + Math.max(one - value, 0), 0) / sample.length,
  };
}

export function normalScores({ least = 3 }: { /** @default 3 */ readonly least?: number } = {}): ScoreLaw {
  checkWhole("normal scores", "least", least, 3);
  return {
    name: `normal scores, from ${least} on`,
    gain(scores, value) {
      const n = scores.length;
      if (n < least) return undefined;
      const mean = scores.reduce((sum, one) => sum + one, 0) / n;
      const variance = scores.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1);
      const scale = Math.sqrt(variance * (1 + 1 / n));
      if (scale === 0) return Math.max(mean - value, 0);
      const z = (value - mean) / scale;
      const degrees = n - 1;
      const logDensity =
        logGamma((degrees + 1) / 2) -
        logGamma(degrees / 2) -
        0.5 * Math.log(degrees * Math.PI) -
        ((degrees + 1) / 2) * Math.log1p((z * z) / degrees);
      const density = Math.exp(logDensity);
      // ∫ (t − z) f(t) dt over t > z; the first part is −∫ of the derivative of f(t)·(ν + t²) / (ν − 1).
      return scale * (((degrees + z * z) / (degrees - 1)) * density - z * studentCdf(-z, degrees));
    },
  };
}

/**
 * The r with E[max(X − r, 0)] = cost, X uniform on the sample: exactly, as the left side is linear between the values.
 * @throws RangeError where the cost is not positive
 */
export function reservationValue(sample: readonly number[], cost: number): number {
  checkPairs("a reservation value", "sample", sample, sample);
  checkCost(cost);
  const falling = [...sample].sort((a, b) => b - a);
  let above = 0;
  for (const [i, value] of falling.entries()) {
    above += value;
    const r = (above - cost * sample.length) / (i + 1); // with i + 1 values above r
    if (r >= (falling[i + 1] ?? Number.NEGATIVE_INFINITY)) return r;
  }
  return Number.NaN; // never reached: the last comparison holds
}

export interface OptimalStoppingOptions<S> {
  /** What one more answer and its score cost, in units of the score; positive. */
  readonly cost: number;
  /** @default normalScores() */
  readonly law?: ScoreLaw;
  /** @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** @default 64 */
  readonly most?: number;
  /** Answers drawn at once. @default 1 */
  readonly batch?: number;
  readonly policy?: Policy<S>;
}

export interface OptimalStoppingOutcome<S> extends Outcome<S> {
  readonly ended: "criterion" | "most" | "budget";
  readonly draws: number;
  /** The stop depended on the scores: neither their mean nor the best is a fair estimate of anything. */
  readonly biased: true;
}

export function optimalStopping<S>({
  cost,
  law = normalScores(),
  scorer,
  most = 64,
  batch = 1,
  policy,
}: OptimalStoppingOptions<S>): Search<S, OptimalStoppingOutcome<S>> {
  checkCost(cost);
  checkWhole("optimal stopping", "most", most, 1);
  checkWhole("optimal stopping", "batch", batch, 1);
  return {
    name: "optimal-stopping",
    options: { cost, law: law.name, scorer: scorer?.name ?? null, most, batch, policy: policy?.name ?? null },
    *run(root) {
      const all: { node: Node<S>; rank: number | undefined }[] = [];
      let draws = 0;
      let ended: OptimalStoppingOutcome<S>["ended"] = "most";
      while (draws < most) {
        const count = Math.min(batch, most - draws);
        const { drawn, spent } = yield* drawRound(root, count, policy, function* (node) {
          const [judged] = yield* score([node], { by: scorer });
          if (judged) yield* propose(node, rankOf(judged));
          return { node, rank: judged && rankOf(judged) };
        });
        all.push(...drawn);
        if (spent && all.length === 0) throw spent;
        draws += count;
        const ranks = all.flatMap(({ rank }) => (rank === undefined ? [] : [rank]));
        const gain = ranks.length > 0 ? law.gain(ranks, Math.max(...ranks)) : undefined;
        const stop = gain !== undefined && gain <= cost;
        if (!stop && !spent) continue;
        ended = stop ? "criterion" : "budget";
        break;
      }
      // Stable: of equals the earliest stays first; the unscored come last.
      const candidates = all
        .sort((a, b) => (b.rank ?? Number.NEGATIVE_INFINITY) - (a.rank ?? Number.NEGATIVE_INFINITY) || 0)
        .map(({ node }) => node);
      return { answer: candidates[0], candidates, ended, draws, biased: true };
    },
  };
}

function checkCost(cost: number): void {
  if (!(cost > 0 && cost < Infinity))
    throw new RangeError(`Cannot stop optimally as 'cost' must be a positive number: current value is ${cost}`);
}
