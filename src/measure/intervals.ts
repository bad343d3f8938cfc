/**
 * Means with intervals, from plain numbers.
 *
 * Which one? Right or wrong, once per problem: `wilson` (or `clopperPearson`, `jeffreys`), however few problems there are. Shares
 * in [0, 1] (several samples a problem): `bootstrapMean` with `within`. A look at the figure after every problem, with the right
 * to stop: `confidenceSequence`. `clt` is the textbook bar, too short on small evaluations: it is refused below 300 items.
 */
import { logBeta } from "../math/special.ts";
import { checkLevel, type Interval, type LevelOptions, wilson } from "../math/intervals.ts";
import { logSumExp } from "../math/log-space.ts";
import { normalQuantile } from "../math/normal.ts";
import { bca, type BootstrapOptions, drawCounts } from "./bootstrap.ts";
import { checkCount, checkFinite, type Estimate, withoutInterval } from "./estimate.ts";

export { clopperPearson, credible, type CredibleOptions, jeffreys, wilson } from "../math/intervals.ts";
export type { Interval, LevelOptions } from "../math/intervals.ts";

export interface ProportionOptions extends LevelOptions {
  /** `wilson`, `clopperPearson`, `jeffreys`, or any of their kind. @default wilson */
  readonly interval?: (successes: number, trials: number, options: { readonly level: number }) => Interval;
}

/** A share of what was counted; undefined where nothing was. */
export function proportion(
  successes: number,
  trials: number,
  { level = 0.95, interval = wilson }: ProportionOptions = {},
): Estimate {
  if (successes === 0 && trials === 0) return withoutInterval(undefined, "nothing was counted");
  return { ...interval(successes, trials, { level }), value: successes / trials };
}

export interface ClusterOptions {
  /** [values] What is drawn together: the problem of a sample, the text of a question. @default each value is its own */
  readonly clusters?: readonly (string | number)[];
}

export interface CltOptions extends LevelOptions, ClusterOptions {
  /** Below as many clusters the interval is refused. @default 300, "a few hundred": Bowyer et al. 2025, arXiv:2503.01747 */
  readonly fewest?: number;
}

export type CltEstimate = Estimate & { readonly standardError: number | undefined };

/**
 * A mean and its normal interval, mean ± z · standardError. With clusters the standard error is that of Miller 2024,
 * arXiv:2411.00640, "clustered standard errors": √(s²/n + Σ_c Σ_{i≠j∈c} (x_i − x̄)(x_j − x̄) / n²), s² with n − 1.
 * The central limit theorem is about many independent clusters; with few, or where almost all are alike, the interval is too
 * short: Bowyer, Aitchison & Ivanova 2025, arXiv:2503.01747.
 */
export function clt(values: ArrayLike<number>, { level = 0.95, clusters, fewest = 300 }: CltOptions = {}): CltEstimate {
  checkLevel(level);
  checkFinite("a normal interval", "values", values);
  const { sums, sizes } = byCluster(values, clusters);
  const n = values.length;
  if (n === 0) return { ...withoutInterval(undefined, "there are no values"), standardError: undefined };
  const value = total(sums) / n;
  if (sums.length < 2)
    return {
      ...withoutInterval(value, "one cluster says nothing of how clusters differ"),
      standardError: undefined,
    };
  let squares = 0;
  for (let i = 0; i < n; i++) squares += ((values[i] as number) - value) ** 2;
  let together = 0; // Σ_c (Σ_{i∈c} (x_i − x̄))² − Σ_i (x_i − x̄)²
  for (let c = 0; c < sums.length; c++) together += ((sums[c] as number) - (sizes[c] as number) * value) ** 2;
  const standardError = Math.sqrt(Math.max(0, squares / (n - 1) / n + (together - squares) / n ** 2));
  if (sums.length < fewest)
    return {
      ...withoutInterval(
        value,
        `a normal interval of ${sums.length} clusters is too short; use another, or set 'fewest' below ${fewest} if you must`,
      ),
      standardError,
    };
  const half = normalQuantile((1 + level) / 2) * standardError;
  return { value, low: value - half, high: value + half, standardError };
}

export interface BootstrapMeanOptions extends BootstrapOptions, ClusterOptions {
  /** Between which numbers every value lies by its nature, as [0, 1] for shares. Where the bootstrap is refused, `betting` then stands in. */
  readonly within?: Interval;
  /**
   * Below as many clusters the bootstrap is refused, as it is where all clusters are alike. With 30 skewed ones it covers some 89%
   * where it says 95%. @default 100
   */
  readonly fewest?: number;
}

/**
 * A mean and its BCa interval by the bootstrap over clusters. With few clusters, or none that differ, there is no bootstrap
 * interval: it then is the wider one of `betting`, if the values are bounded and the clusters of one size, and else undefined.
 */
export function bootstrapMean(values: ArrayLike<number>, options: BootstrapMeanOptions = {}): Estimate {
  const { clusters, ...rest } = options;
  checkFinite("a bootstrap interval", "values", values);
  const { sums, sizes } = byCluster(values, clusters);
  return bootstrapMeans(sums, 1, { ...rest, sizes })[0] as Estimate;
}

/**
 * Means of the columns of a table [units][columns], with one set of draws for all. `sizes`: how many values a row is the sum of.
 * Columns see the same draws, so their intervals belong together, as the points of one curve.
 */
export function bootstrapMeans(
  table: Float64Array,
  columns: number,
  {
    level = 0.95,
    resamples = 2000,
    seed = 0,
    within,
    fewest = 100,
    sizes,
  }: Omit<BootstrapMeanOptions, "clusters"> & { readonly sizes?: Float64Array } = {},
): Estimate[] {
  checkLevel(level);
  checkCount("a bootstrap interval", "resamples", resamples, 2);
  const units = table.length / columns;
  checkCount("a bootstrap interval", "units", units, 0, 2 ** 21);
  if (units === 0) return Array.from({ length: columns }, () => withoutInterval(undefined, "there are no values"));
  const weights = sizes ?? new Float64Array(units).fill(1);
  const size = total(weights);
  const sums = new Float64Array(columns);
  for (let i = 0; i < table.length; i++) sums[i % columns] = (sums[i % columns] as number) + (table[i] as number);

  const replicates = new Float64Array(units < fewest ? 0 : columns * resamples); // [columns][resamples]
  const counts = new Int32Array(units);
  const drawn = new Float64Array(columns);
  for (let r = 0; r < replicates.length / columns; r++) {
    drawCounts(counts, seed, r);
    drawn.fill(0);
    let weight = 0;
    for (let u = 0, at = 0; u < units; u++, at += columns) {
      const count = counts[u] as number;
      if (count === 0) continue;
      weight += count * (weights[u] as number);
      for (let c = 0; c < columns; c++) drawn[c] = (drawn[c] as number) + count * (table[at + c] as number);
    }
    for (let c = 0; c < columns; c++) replicates[c * resamples + r] = (drawn[c] as number) / weight;
  }

  const equal = weights.every((weight) => weight === weights[0]); // else `betting` would be about another mean
  const without = new Float64Array(units);
  return Array.from(sums, (sum, c) => {
    const value = sum / size;
    let same = true;
    for (let u = 0; u < units; u++) {
      const entry = table[u * columns + c] as number;
      without[u] = units > 1 ? (sum - entry) / (size - (weights[u] as number)) : value;
      same &&= Math.abs(entry / (weights[u] as number) - (table[c] as number) / (weights[0] as number)) < 1e-12;
    }
    if (units >= fewest && !same) {
      const interval = bca(value, replicates.subarray(c * resamples, (c + 1) * resamples), without, level);
      if (interval) return { value, ...interval };
    }
    if (within && equal) {
      const values = without.map((_, u) => (table[u * columns + c] as number) / (weights[u] as number));
      return { value, ...betting(values, { level, within }) };
    }
    const why =
      units < fewest ? `a bootstrap of ${units} clusters is too short` : `all ${units} clusters have the same mean`;
    return withoutInterval(value, equal ? `${why}; say 'within' which bounds the values lie` : why);
  });
}

export interface BettingOptions extends LevelOptions {
  /** Bounds of every value. @default { low: 0, high: 1 } */
  readonly within?: Interval;
}

/** Stakes from 5% to 98% of what may be bet, evenly spaced in their log-odds. */
const stakes = Float64Array.from({ length: 8 }, (_, i) => 1 / (1 + Math.exp(3 - i)));

/**
 * An interval for the mean of independent values within known bounds, whatever their law and however few they are; it covers at
 * least `level`, also if it is looked at after every value. It adapts to the variance: of shares it is about half as wide as
 * Hoeffding's. Of 0/1 values `wilson` is shorter.
 *
 * In units of the bounds: a gambler who doubts that the mean is as low as m stakes a part c of what may be lost on every value, and
 * ends with Π (1 + c (x/m − 1)), which has mean 1 if m is the mean. The interval leaves out every m at which the mean over eight
 * stakes reaches 2/(1 − level), and likewise from above; each product is monotone in m. Betting: Waudby-Smith & Ramdas 2020,
 * arXiv:2010.09686, who choose stakes as they go; here fixed ones are mixed, so that the order of values is of no matter.
 */
export function betting(
  values: ArrayLike<number>,
  { level = 0.95, within: { low, high } = { low: 0, high: 1 } }: BettingOptions = {},
): Interval {
  checkLevel(level);
  const most = Math.log(2 / (1 - level));
  const least = (share: (value: number) => number): number => {
    const shares = Float64Array.from(values, share);
    const wrong = shares.findIndex((x) => !(x >= -1e-9 && x <= 1 + 1e-9));
    if (wrong >= 0) throw outside({ low, high }, values[wrong] as number);
    const logWealth = (m: number): number =>
      logSumExp(stakes.map((c) => shares.reduce((sum, x) => sum + Math.log1p(c * (x / m - 1)), 0))) -
      Math.log(stakes.length);
    let [no, yes] = [0, 1];
    for (let i = 0; i < 45; i++) {
      const middle = (no + yes) / 2;
      if (logWealth(middle) >= most) no = middle;
      else yes = middle;
    }
    return no;
  };
  return {
    low: low + (high - low) * least((x) => (x - low) / (high - low)),
    high: high - (high - low) * least((x) => (high - x) / (high - low)),
  };
}

export interface ConfidenceSequenceOptions extends LevelOptions {
  /** Bounds of every value. @default { low: 0, high: 1 } */
  readonly within?: Interval;
  /** a, b of the Beta over which the alternatives are mixed. @default [0.5, 0.5] */
  readonly prior?: readonly [a: number, b: number];
}

/**
 * An interval for a mean that stays valid however often it is looked at: with probability >= `level` it holds the truth after
 * every number of values at once, so one may stop when it is short enough, or when it leaves 0.5 behind.
 *
 * All μ that the mixture of coins does not outbid: B(a + S, b + F) / B(a, b) < μ^S (1 − μ)^F / (1 − level), S = Σ x, F = count − S.
 * At the true μ the ratio is a nonnegative martingale of mean 1 (for values between 0 and 1 a supermartingale, as
 * r^x s^(1−x) <= x r + (1 − x) s), which exceeds 1/(1 − level) at some time with probability at most 1 − level (Ville 1939).
 * Robbins 1970, "Statistical Methods Related to the Law of the Iterated Logarithm", Annals of Mathematical Statistics 41(5);
 * the beta-binomial mixture as in Howard et al. 2021, arXiv:1810.08240. The price of peeking: at p = 1/2 it is 1.7 times as
 * wide as Wilson's at 100 values, 1.9 times at 1000. Needs only a sum; with the values themselves, if they are shares, `betting`
 * adapts to their variance.
 */
export function confidenceSequence(
  sum: number,
  count: number,
  { level = 0.95, within = { low: 0, high: 1 }, prior: [a, b] = [0.5, 0.5] }: ConfidenceSequenceOptions = {},
): Estimate {
  checkLevel(level);
  checkCount("a confidence sequence", "count", count, 0);
  if (count === 0) return withoutInterval(undefined, "there are no values yet");
  const share = shareOf(sum / count, within);
  const [successes, failures] = [share * count, (1 - share) * count];
  const most = logBeta(a, b) - logBeta(a + successes, b + failures) - Math.log(1 - level);
  const logLikelihood = (mu: number): number => times(successes, Math.log(mu)) + times(failures, Math.log1p(-mu));
  return { value: sum / count, ...scaleTo(within, share, (mu) => -logLikelihood(mu) < most) };
}

/** 0 times anything is 0. */
const times = (weight: number, log: number): number => (weight === 0 ? 0 : weight * log);

function shareOf(mean: number, { low, high }: Interval): number {
  const share = (mean - low) / (high - low);
  if (share >= -1e-9 && share <= 1 + 1e-9) return Math.min(Math.max(share, 0), 1);
  throw outside({ low, high }, mean);
}

const outside = ({ low, high }: Interval, value: number): RangeError =>
  new RangeError(`Cannot give an interval as values must lie in [${low}, ${high}]: one, or their mean, is ${value}`);

/** The ends of those in [0, 1] that are plausible, an interval around `inside`, in the units of the bounds. */
function scaleTo({ low, high }: Interval, inside: number, plausible: (mu: number) => boolean): Interval {
  const end = (outside: number): number => {
    if (inside === outside) return outside;
    let [yes, no] = [inside, outside];
    for (let i = 0; i < 60; i++) {
      const middle = (yes + no) / 2;
      if (plausible(middle)) yes = middle;
      else no = middle;
    }
    return no;
  };
  return { low: low + (high - low) * end(0), high: low + (high - low) * end(1) };
}

function byCluster(
  values: ArrayLike<number>,
  clusters: ClusterOptions["clusters"],
): { sums: Float64Array; sizes: Float64Array } {
  if (!clusters) return { sums: Float64Array.from(values), sizes: new Float64Array(values.length).fill(1) };
  if (clusters.length !== values.length)
    throw new RangeError(
      `Cannot group values as 'clusters' must have one entry for each: ${values.length} values, ${clusters.length} entries`,
    );
  const places = new Map<string | number, number>();
  for (const cluster of clusters) if (!places.has(cluster)) places.set(cluster, places.size);
  const sums = new Float64Array(places.size);
  const sizes = new Float64Array(places.size);
  for (let i = 0; i < values.length; i++) {
    const place = places.get(clusters[i] as string | number) as number;
    sums[place] = (sums[place] as number) + (values[i] as number);
    sizes[place] = (sizes[place] as number) + 1;
  }
  return { sums, sizes };
}

function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
