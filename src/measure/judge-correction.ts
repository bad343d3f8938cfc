/**
 * A mean (an accuracy, a preference rate) from many labels of a judge that errs and a few gold ones. The judge's mean alone is biased,
 * however many labels there are, and its interval shrinks around the wrong figure; the gold labels alone are few. Both estimators
 * here correct the judge by its errors on the gold items, and are right whatever the judge is; a good judge makes them narrow.
 *
 * - `predictionPowered`: the gold items are a random sample of the same population as the others.
 * - `designBased`: each item was chosen for gold with a probability that is known, which may differ between items: more where the
 *   judge is unsure, say. The probabilities must be those that were used.
 *
 * Intervals are approximate. For yes/no labels, a judge of 85% accuracy and nominal 95%, simulation gives 94% at 150 gold labels and
 * 93% at 30, which is what 30 gold labels by themselves give, too; with probabilities that differ threefold 94% and 90%. Have a hundred.
 */
import { checkLevel, type LevelOptions } from "../math/intervals.ts";
import { studentQuantile } from "../math/student.ts";
import { checkFinite, type Estimate, withoutInterval } from "./estimate.ts";

/** An item that has both labels. */
export interface GoldItem {
  readonly gold: number;
  readonly judge: number;
}

export type Corrected = Estimate & {
  readonly standardError: number | undefined;
};

export type PredictionPowered = Corrected & {
  /** How much the judge is relied upon: 0 is the gold labels alone, 1 plain prediction-powered inference. */
  readonly lambda: number | undefined;
};

/**
 * Prediction-powered inference: mean of gold − λ·judge over the gold items, plus λ times the judge's mean over the others.
 * Angelopoulos et al. 2023, arXiv:2301.09633, with λ = 1; tuned to the least variance, λ = Cov(gold, judge) / ((1 + n/N)·Var(judge)),
 * by PPI++, Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453, whose λ for a mean this is; kept in [0, 1]. Var(judge) is over all
 * items, the covariance over the gold ones.
 *
 * The interval is Student's in place of the papers' normal one, with n − 1 degrees of freedom, or n − 2 where λ is tuned, so that it
 * is longer where gold labels are few. `judged`: labels of the judge on items without gold.
 */
export function predictionPowered(
  items: readonly GoldItem[],
  judged: readonly number[],
  { lambda, level = 0.95 }: { readonly lambda?: number } & LevelOptions = {},
): PredictionPowered {
  checkLevel(level);
  if (lambda !== undefined && !Number.isFinite(lambda))
    throw new RangeError(`Cannot correct a judge as 'lambda' must be finite: current value is ${lambda}`);
  const gold = items.map((item) => item.gold);
  const judge = items.map((item) => item.judge);
  for (const values of [gold, judge, judged]) checkFinite("a corrected mean", "labels", values);
  const [n, others] = [items.length, judged.length];
  const none = (value: number | undefined, why: string, weight?: number): PredictionPowered => ({
    ...withoutInterval(value, why),
    standardError: undefined,
    lambda: weight,
  });
  if (n === 0) return none(undefined, "there are no gold labels: nothing is known of the judge's errors");
  const spread = variance([...judge, ...judged]);
  const tuned =
    n > 1 && spread > 0 ? Math.min(1, Math.max(0, covariance(gold, judge) / ((1 + n / others) * spread))) : 0;
  const weight = others === 0 ? 0 : (lambda ?? tuned);
  const rest = gold.map((value, i) => value - weight * (judge[i] as number));
  const value = mean(rest) + (weight === 0 ? 0 : weight * mean(judged));
  // What is tuned on the gold items fits them a little too well, as a slope does: it costs a degree of freedom.
  const degrees = n - (lambda === undefined && weight > 0 ? 2 : 1);
  if (degrees < 1) return none(value, `${n} gold labels say nothing of how the judge's errors vary`, weight);
  if (weight !== 0 && others < 2) return none(value, "one judged item says nothing of how they vary", weight);
  if (!(variance(rest) > 0))
    return none(value, `the judge errs alike on all ${n} gold items: nothing is known of how its errors vary`, weight);
  const standardError = Math.sqrt(
    (variance(rest) * (n - 1)) / degrees / n + (weight === 0 ? 0 : (weight ** 2 * variance(judged)) / others),
  );
  const half = studentQuantile((1 + level) / 2, degrees) * standardError;
  return { value, low: value - half, high: value + half, standardError, lambda: weight };
}

/** An item with the judge's label, and the gold one where it was chosen for that. */
export interface DesignItem {
  readonly judge: number;
  readonly gold?: number | undefined;
  /** With which it was to be chosen for a gold label, in (0, 1]. */
  readonly probability: number;
}

/**
 * Design-based supervised learning, for a mean: each item counts with judge + (gold − judge) / probability where there is a gold label,
 * with the judge's alone where there is none. These have the mean of the gold labels in expectation over the choice, whatever the
 * judge. Egami et al. 2023, "Using Imperfect Surrogates for Downstream Inference: Design-based Supervised Learning for Social
 * Science Applications of Large Language Models", arXiv:2306.04746, with the judge itself as the prediction (they fit one to the
 * gold labels by cross-fitting first, which narrows the interval where a judge is off by much).
 *
 * Items are independent, and chosen independently of one another. Student's interval with (number of gold items − 1) degrees.
 */
export function designBased(items: readonly DesignItem[], { level = 0.95 }: LevelOptions = {}): Corrected {
  checkLevel(level);
  for (const [i, { judge, gold = 0, probability }] of items.entries()) {
    checkFinite("a corrected mean", `labels of item ${i}`, [judge, gold]);
    if (!(probability > 0 && probability <= 1))
      throw new RangeError(
        `Cannot correct a judge as each 'probability' must be in (0, 1]: that of item ${i} is ${probability}; what is never checked cannot be corrected`,
      );
  }
  const none = (value: number | undefined, why: string): Corrected => ({
    ...withoutInterval(value, why),
    standardError: undefined,
  });
  const chosen = items.filter(({ gold }) => gold !== undefined);
  if (chosen.length === 0) return none(undefined, "there are no gold labels: nothing is known of the judge's errors");
  const values = items.map(({ judge, gold, probability }) =>
    gold === undefined ? judge : judge + (gold - judge) / probability,
  );
  const value = mean(values);
  if (chosen.length < 2) return none(value, "one gold label says nothing of how the judge's errors vary");
  const certain = items.every(({ probability }) => probability === 1);
  if (!certain && !(variance(chosen.map(({ gold = 0, judge }) => gold - judge)) > 0))
    return none(
      value,
      `the judge errs alike on all ${chosen.length} gold items: nothing is known of how its errors vary`,
    );
  const standardError = Math.sqrt(variance(values) / items.length);
  if (standardError === 0) return none(value, "all labels are equal: nothing is known of how they vary");
  const half = studentQuantile((1 + level) / 2, chosen.length - 1) * standardError;
  return { value, low: value - half, high: value + half, standardError };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
/** With n − 1. */
function covariance(a: readonly number[], b: readonly number[]): number {
  const [middleA, middleB] = [mean(a), mean(b)];
  return a.reduce((sum, value, i) => sum + (value - middleA) * ((b[i] as number) - middleB), 0) / (a.length - 1);
}
const variance = (values: readonly number[]): number => covariance(values, values);
