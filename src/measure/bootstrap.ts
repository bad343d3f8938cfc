/**
 * The bootstrap: how far a figure moves when its units are drawn anew, with replacement, from those at hand.
 *
 * The units are what is independent: problems, not the samples of a problem. Intervals are BCa, bias-corrected and accelerated:
 * percentiles of the replicates, shifted for the median bias of the statistic and for the change of its variance with the truth
 * (Efron 1987, "Better Bootstrap Confidence Intervals", JASA 82(397), 171-185; the acceleration from the jackknife, as in Efron
 * & Tibshirani 1993, "An Introduction to the Bootstrap", §14.3). They are accurate to second order in the number of units, which
 * is a promise about many: with fewer than about 100 units, or where almost all are alike, they may be too short.
 *
 * A replicate is a vector of counts, how often each unit was drawn, from a key of its own. Cost: `resamples` × units.
 */
import { fold, key, type Key, threefry } from "../key.ts";
import { checkLevel, type Interval, type LevelOptions } from "../math/intervals.ts";
import { normalCdf, normalQuantile } from "../math/normal.ts";
import { checkCount, type Estimate, withoutInterval } from "./estimate.ts";

export interface BootstrapOptions extends LevelOptions {
  /** Number of replicates. @default 2000 */
  readonly resamples?: number;
  /** @default 0 */
  readonly seed?: Key | number;
}

/**
 * Any statistic of `units` independent units: called with how often each was drawn (all once: the estimate itself), it gives
 * the figure, or undefined where those draws have none. Such replicates are left out; if they are more than 5%, or fewer than
 * two figures differ, there is no interval.
 */
export function bootstrap(
  units: number,
  statistic: (counts: Int32Array) => number | undefined,
  { level = 0.95, resamples = 2000, seed = 0 }: BootstrapOptions = {},
): Estimate {
  checkCount("a bootstrap interval", "units", units, 0, 2 ** 21);
  checkCount("a bootstrap interval", "resamples", resamples, 1);
  checkLevel(level);
  if (units === 0) return withoutInterval(undefined, "there are no units");
  const counts = new Int32Array(units).fill(1);
  const value = statistic(counts);
  if (value === undefined) return withoutInterval(undefined, "the statistic is undefined on these units");
  if (units === 1) return withoutInterval(value, "one unit says nothing of how units differ");

  // The jackknife, of many units by groups: the acceleration is the same to first order.
  const groups = Math.min(units, 200);
  const without = new Float64Array(groups);
  for (let g = 0; g < groups; g++) {
    for (let i = g; i < units; i += groups) counts[i] = 0;
    without[g] = statistic(counts) ?? value;
    for (let i = g; i < units; i += groups) counts[i] = 1;
  }
  const replicates = new Float64Array(resamples);
  let defined = 0;
  for (let r = 0; r < resamples; r++) {
    drawCounts(counts, seed, r);
    const replicate = statistic(counts);
    if (replicate !== undefined) replicates[defined++] = replicate;
  }
  if (defined < 0.95 * resamples)
    return withoutInterval(value, `the statistic is undefined on ${resamples - defined} of ${resamples} resamples`);
  const interval = bca(value, replicates.subarray(0, defined), without, level);
  return interval ? { value, ...interval } : withoutInterval(value, "the statistic is the same on all resamples");
}

/** Fills `counts` with how often each unit is drawn in replicate `r`: multinomial, without bias. Fewer than 2^21 units. */
export function drawCounts(counts: Int32Array, seed: Key | number, r: number): void {
  const place = fold(typeof seed === "number" ? key(seed) : seed, r);
  const n = counts.length;
  const ragged = 2 ** 32 % n; // words whose product falls there would favour some units: Lemire 2019, arXiv:1805.10941
  counts.fill(0);
  for (let left = n, block = 0; left > 0; block++) {
    const words = threefry(place, 4, block);
    for (let w = 0; w < 2 && left > 0; w++) {
      const product = (words[w] as number) * n;
      const unit = Math.floor(product / 2 ** 32);
      if (product - unit * 2 ** 32 < ragged) continue;
      counts[unit] = (counts[unit] as number) + 1;
      left--;
    }
  }
}

/** The interval from its replicates (sorted in place) and the values with one unit left out; undefined without any spread. */
export function bca(
  value: number,
  replicates: Float64Array,
  without: ArrayLike<number>,
  level: number,
): Interval | undefined {
  replicates.sort();
  const count = replicates.length;
  if (!(count > 1) || replicates[0] === replicates[count - 1]) return undefined;
  // Ties with the value count half: the statistic may have few values.
  let below = 0;
  const rounding = 1e-12 * Math.max(Math.abs(replicates[0] as number), Math.abs(replicates[count - 1] as number));
  for (const replicate of replicates)
    below += replicate < value - rounding ? 1 : replicate <= value + rounding ? 0.5 : 0;
  const bias = normalQuantile(Math.min(Math.max(below, 0.5), count - 0.5) / count);

  let mean = 0;
  for (let i = 0; i < without.length; i++) mean += (without[i] as number) / without.length;
  let [squares, cubes] = [0, 0];
  for (let i = 0; i < without.length; i++) {
    const away = mean - (without[i] as number);
    squares += away ** 2;
    cubes += away ** 3;
  }
  const acceleration = squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
  const at = (z: number): number => {
    const [moved, scale] = [bias + z, 1 - acceleration * (bias + z)];
    return quantile(replicates, scale > 0 ? normalCdf(bias + moved / scale) : Number(moved > 0));
  };
  const z = normalQuantile((1 + level) / 2);
  return { low: at(-z), high: at(z) };
}

/** Of ascending values; between two of them by their line, so that value i of n lies at i/(n + 1). */
function quantile(sorted: Float64Array, share: number): number {
  const place = Math.min(Math.max(share * (sorted.length + 1) - 1, 0), sorted.length - 1);
  const low = Math.floor(place);
  const [a, b] = [sorted[low] as number, sorted[Math.min(low + 1, sorted.length - 1)] as number];
  return a + (place - low) * (b - a);
}
