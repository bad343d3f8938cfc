/** The statistics of the model card. */
import type { Interval } from "../src/math/intervals.ts";
import { random } from "../src/math/random.ts";
import { wilson } from "../src/math/intervals.ts";

export interface Figure extends Interval {
  readonly value: number;
  /** Number of problems. */
  readonly n: number;
}

const round = (x: number): number => Math.round(x * 1e4) / 1e4;
const figure = (value: number, { low, high }: Interval, n: number): Figure => ({
  value: round(value),
  low: round(low),
  high: round(high),
  n,
});

/** A share of the problems; Wilson's 95% interval. */
export function share(flags: readonly boolean[]): Figure {
  const hits = flags.filter(Boolean).length;
  return figure(hits / flags.length, wilson(hits, flags.length), flags.length);
}

/** A mean over problems (of rates or of differences); normal 95% interval. */
export function mean(values: readonly number[]): Figure {
  const n = values.length;
  const middle = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (n - 1);
  const half = 1.959964 * Math.sqrt(variance / n);
  return figure(middle, { low: middle - half, high: middle + half }, n);
}

/** pass@k of one problem with c right among n samples, without bias: Chen et al. 2021, arXiv:2107.03374, §2.1. */
export function passAtK(n: number, c: number, k: number): number {
  let fail = 1;
  for (let i = n - c + 1; i <= n; i++) fail *= Math.max(0, 1 - k / i);
  return 1 - fail;
}

export interface Labelled {
  readonly probability: number;
  readonly label: boolean;
}

/** Probability that a positive is ranked above a negative, ties half: Hanley & McNeil 1982, Radiology 143(1). */
export function auc(items: readonly Labelled[]): number | undefined {
  const sorted = items.toSorted((a, b) => a.probability - b.probability);
  const positives = sorted.filter(({ label }) => label).length;
  const negatives = sorted.length - positives;
  if (positives === 0 || negatives === 0) return undefined; // there is no pair to rank
  let ranks = 0;
  for (let i = 0, j = 0; i < sorted.length; i = j) {
    while (j < sorted.length && sorted[j]?.probability === sorted[i]?.probability) j++;
    for (let at = i; at < j; at++) if (sorted[at]?.label) ranks += (i + 1 + j) / 2; // the mean rank of a tie
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** AUC with the 95% interval of 400 bootstrap draws of whole problems: items of one problem are not independent. */
export function aucOf(problems: readonly (readonly Labelled[])[]): Figure | undefined {
  const stream = random(0);
  const value = auc(problems.flat());
  if (value === undefined) return undefined;
  const draws = Array.from({ length: 400 }, () => auc(problems.flatMap(() => stream.pick(problems)))).filter(
    (x) => x !== undefined,
  );
  draws.sort((a, b) => a - b);
  const at = (q: number): number => draws[Math.round(q * (draws.length - 1))] as number;
  return figure(value, { low: at(0.025), high: at(0.975) }, problems.length);
}

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean of what was said, and share that was so. */
  readonly said: number;
  readonly so: number;
}

/** The reliability table, ten bins of equal width: Guo et al. 2017, arXiv:1706.04599, §2. */
export function reliability(items: readonly Labelled[]): Bin[] {
  return Array.from({ length: 10 }, (_, i) => {
    const inside = items.filter(({ probability }) => Math.min(9, Math.floor(probability * 10)) === i);
    const sum = (of: (item: Labelled) => number): number =>
      round(inside.reduce((total, item) => total + of(item), 0) / Math.max(1, inside.length));
    return {
      from: i / 10,
      to: (i + 1) / 10,
      count: inside.length,
      said: sum(({ probability }) => probability),
      so: sum(({ label }) => Number(label)),
    };
  }).filter(({ count }) => count > 0);
}

/** Mean squared error of the probabilities, and of always saying the base rate. Brier 1950, Monthly Weather Review 78(1). */
export function brier(items: readonly Labelled[]): { brier: number; baseRate: number; ofBaseRate: number } {
  const rate = items.filter(({ label }) => label).length / items.length;
  const error =
    items.reduce((sum, { probability, label }) => sum + (probability - Number(label)) ** 2, 0) / items.length;
  return { brier: round(error), baseRate: round(rate), ofBaseRate: round(rate * (1 - rate)) };
}
