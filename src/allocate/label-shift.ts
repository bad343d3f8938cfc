/**
 * PAC sets where the kinds of right answers change: labels are more or less frequent than in the calibration data, while what a
 * problem with a given label looks like stays the same (a class gets more common, a format of answers is asked for more often).
 *
 * Si, Park, Lee, Dobriban & Bastani 2024, arXiv:2310.12964. A label's weight, its new frequency over its old one, solves C w = q:
 * C [predicted][label], the joint frequencies of prediction and label in labelled old data; q, of predictions in unlabelled new
 * ones. Each of these has a Clopper-Pearson interval, and Gaussian elimination carries the intervals to the weights. The threshold is then
 * that of PAC sets on a sample of the old data that is rejected into the new law: accept with probability w / b, b the greatest
 * upper bound; and as w is known by an interval only, by the worst of it: misses are accepted by the upper end, hits by the lower.
 * With probability at least 1 − δ, shared equally by all intervals and the final bound, at most a share ε of new problems
 * has its right answer outside. To the letter this wants b fixed beforehand; it is found on the same data, and decides only how
 * many of them are accepted.
 *
 * Here elimination is in interval arithmetic, which holds for any signs; b is one for all; thresholds are tried from the greatest set
 * downwards to the first that fails, which the worst case makes monotone. Where data are too few to keep a pivot away from 0, a
 * weight has no upper bound and the threshold is Infinity. Needs many labelled items for each of few labels: two to ten.
 */
import { betaQuantile } from "../math/beta.ts";
import { clopperPearson, type Interval } from "../math/intervals.ts";
import { random } from "../math/random.ts";
import type { Key } from "../key.ts";
import { checkBetween, checkWhole } from "../options.ts";

export interface LabelShiftData {
  /** Number of labels; labels and predictions are whole numbers from 0 on, below it. */
  readonly classes: number;
  /** Of the old problems: the right label, and the one that was predicted. */
  readonly labels: readonly number[];
  readonly predictions: readonly number[];
  /** Of new problems, whose labels nobody knows. */
  readonly newPredictions: readonly number[];
}

/**
 * New frequency over old frequency of each label, each with an interval; all intervals hold at once with probability at least
 * 1 − delta. `high` is Infinity where the data do not bound it.
 */
export function labelWeights(
  { classes, labels, predictions, newPredictions }: LabelShiftData,
  { delta }: { readonly delta: number },
): Interval[] {
  checkWhole("label shift", "classes", classes, 2, 100);
  checkBetween("label shift", "delta", delta, [0, 1], { open: true });
  if (labels.length === 0 || labels.length !== predictions.length || newPredictions.length === 0)
    throw new RangeError(
      `Cannot weigh labels as 'labels' and 'predictions' must be as many, and 'newPredictions' not none: current numbers are ${labels.length}, ${predictions.length} and ${newPredictions.length}`,
    );
  const stranger = [...labels, ...predictions, ...newPredictions].find(
    (label) => !(Number.isInteger(label) && label >= 0 && label < classes),
  );
  if (stranger !== undefined)
    throw new RangeError(`Cannot weigh labels as each must be a whole number below ${classes}: one is ${stranger}`);
  // [predicted][label], and last how often it is predicted of new problems.
  const counts = Array.from({ length: classes }, () => Array.from({ length: classes + 1 }, () => 0));
  const count = (row: number, column: number): void => {
    const at = counts[row] as number[];
    at[column] = (at[column] as number) + 1;
  };
  for (const [i, label] of labels.entries()) count(predictions[i] as number, label);
  for (const predicted of newPredictions) count(predicted, classes);
  const level = 1 - delta / (classes * (classes + 1));
  return solve(
    counts.map((row) =>
      row.map((k, j) => clopperPearson(k, j === classes ? newPredictions.length : labels.length, { level })),
    ),
  ).map(({ low, high }) => ({ low: Math.max(0, low), high: Math.max(0, high) }));
}

export interface LabelShiftOptions {
  /** ε: share of new problems whose right answer may be missed; in (0, 1). */
  readonly error: number;
  /** Probability that the data mislead; in (0, 1). @default 0.05 */
  readonly delta?: number;
  /** Draws which old items are accepted. */
  readonly key: Key;
}

/** `nonconformities` [old problems] of their right answers. Infinity where no set of finite threshold could be shown to do. */
export function labelShiftThreshold(
  nonconformities: readonly number[],
  data: LabelShiftData,
  { error, delta = 0.05, key }: LabelShiftOptions,
): number {
  checkBetween("label shift", "error", error, [0, 1], { open: true });
  checkBetween("label shift", "delta", delta, [0, 1], { open: true });
  const { classes, labels } = data;
  if (nonconformities.length !== labels.length || nonconformities.some(Number.isNaN))
    throw new RangeError(
      `Cannot use label shift as 'nonconformities' must be numbers, one for each label: ${nonconformities.length} of ${labels.length}`,
    );
  const part = delta / (classes * (classes + 1) + 1);
  const weights = labelWeights(data, { delta: delta - part });
  const most = Math.max(...weights.map(({ high }) => high));
  if (most === Number.POSITIVE_INFINITY) return most;
  const stream = random(key);
  const items = nonconformities
    .map((nonconformity, i) => {
      const { low, high } = weights[labels[i] as number] as Interval;
      const lot = stream.uniform() * most;
      return { nonconformity, asMiss: lot < high, asHit: lot < low };
    })
    .sort((a, b) => (a.nonconformity < b.nonconformity ? 1 : a.nonconformity > b.nonconformity ? -1 : 0));
  let hits = items.filter(({ asHit }) => asHit).length;
  let misses = 0;
  let threshold = Number.POSITIVE_INFINITY;
  for (let i = 0; i < items.length; ) {
    const { nonconformity } = items[i] as (typeof items)[number];
    if (!(upperBound(misses, hits, part) <= error)) break;
    threshold = nonconformity; // all above it are outside
    for (; items[i]?.nonconformity === nonconformity; i++) {
      if (items[i]?.asMiss) misses++;
      if (items[i]?.asHit) hits--;
    }
  }
  return threshold;
}

/** Clopper & Pearson's, one-sided. */
const upperBound = (misses: number, hits: number, delta: number): number =>
  hits === 0 ? 1 : betaQuantile(1 - delta, misses + 1, hits);

/** [n][n + 1] intervals of a system and its right side, to intervals of the solution; all reals where a pivot may be 0. */
function solve(system: readonly (readonly Interval[])[]): Interval[] {
  const n = system.length;
  const rows = system.map((row) => [...row]);
  const at = (i: number, j: number): Interval => rows[i]?.[j] as Interval;
  for (let k = 0; k < n; k++) {
    if (at(k, k).low <= 0 && at(k, k).high >= 0) return rows.map(() => ({ low: -Infinity, high: Infinity }));
    for (let i = k + 1; i < n; i++) {
      const factor = over(at(i, k), at(k, k));
      for (let j = k + 1; j <= n; j++) (rows[i] as Interval[])[j] = minus(at(i, j), times(factor, at(k, j)));
    }
  }
  const solution: Interval[] = [];
  for (let i = n - 1; i >= 0; i--) {
    let sum = at(i, n);
    for (let j = i + 1; j < n; j++) sum = minus(sum, times(at(i, j), solution[j] as Interval));
    solution[i] = over(sum, at(i, i));
  }
  return solution;
}

const minus = (a: Interval, b: Interval): Interval => ({ low: a.low - b.high, high: a.high - b.low });
const times = (a: Interval, b: Interval): Interval => {
  const ends = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
  return { low: Math.min(...ends), high: Math.max(...ends) };
};
/** b does not hold 0. */
const over = (a: Interval, b: Interval): Interval => times(a, { low: 1 / b.high, high: 1 / b.low });
