/**
 * Is one method better than another? Always on the same problems, pair by pair: most of the variance is between problems, and a
 * paired difference does not see it.
 *
 * - One answer a problem, right or wrong: `mcnemar` (a test), `pairedPosterior` (the difference, and how likely it is positive).
 * - Several seeds a problem, or scores: `pairedDifference`.
 * - More than one comparison: `holm` over all that were tried; `rankIntervals` for a whole leaderboard.
 * - Before the run: `requiredProblems`, `minimumDetectableEffect`; during it: `activeRanking` of `active-ranking.ts`.
 * - A held-out set that is asked again and again while a method is tuned: `reusableHoldout`.
 */
import { fold, key, type Key } from "../key.ts";
import { betaQuantile } from "../math/beta.ts";
import { checkLevel, type Interval, type LevelOptions } from "../math/intervals.ts";
import { normalCdf, normalQuantile } from "../math/normal.ts";
import { random } from "../math/random.ts";
import { logBeta, regularisedBeta } from "../math/special.ts";
import { studentQuantile } from "../math/student.ts";
import { type BootstrapOptions, drawCounts } from "./bootstrap.ts";
import { checkCount, checkFinite, type Estimate, undefinedValue, type Value, withoutInterval } from "./estimate.ts";
import { bootstrapMean, type BootstrapMeanOptions } from "./intervals.ts";

/** Problems by which of two methods solved them. */
export interface Pairs {
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
}

export function pairs(first: readonly boolean[], second: readonly boolean[]): Pairs {
  checkSameLength(first, second);
  const count = (a: boolean, b: boolean): number => first.filter((x, i) => x === a && second[i] === b).length;
  return {
    both: count(true, true),
    onlyFirst: count(true, false),
    onlySecond: count(false, true),
    neither: count(false, false),
  };
}

/**
 * The p-value of McNemar's test that both methods are right equally often, two-sided and exact: twice the binomial tail of the
 * discordant problems at 1/2, at most 1. McNemar 1947, Psychometrika 12(2), 153-157; the concordant problems say nothing here.
 */
export function mcnemar({ onlyFirst, onlySecond }: Pick<Pairs, "onlyFirst" | "onlySecond">): number {
  checkCount("McNemar's test", "onlyFirst", onlyFirst, 0);
  checkCount("McNemar's test", "onlySecond", onlySecond, 0);
  const [less, more] = [Math.min(onlyFirst, onlySecond), Math.max(onlyFirst, onlySecond)];
  return less === more ? 1 : Math.min(1, 2 * regularisedBeta(0.5, more, less + 1)); // P(Bin(n, 1/2) <= less) = I_½(n − less, less + 1)
}

export interface PairedPosteriorOptions extends LevelOptions {
  /** Of the Dirichlet over the four cells: problems of each kind seen before. @default all 1, uniform */
  readonly prior?: Pairs;
}

export type PairedPosterior = Estimate & {
  /** Posterior probability that the first method is right more often. */
  readonly superior: number;
};

/**
 * The posterior of the difference of two paired proportions, first minus second, under a Dirichlet prior on the four cells; its
 * mean and its equal-tailed interval. The difference is θ₁₀ − θ₀₁ = s (2 r − 1), with s = θ₁₀ + θ₀₁ ~ Beta(a + b, c) and
 * r ~ Beta(a, b) independent (a, b, c: prior and count of only-first, only-second, the rest). So P(difference > 0) = P(r > 1/2)
 * is in closed form, and each tail is one integral over s, computed to about 1e-9. Without data it is the prior.
 * Bayesian intervals for small evaluations: Bowyer et al. 2025, arXiv:2503.01747, who model the pairs in another way.
 */
export function pairedPosterior(
  { both, onlyFirst, onlySecond, neither }: Pairs,
  { level = 0.95, prior = { both: 1, onlyFirst: 1, onlySecond: 1, neither: 1 } }: PairedPosteriorOptions = {},
): PairedPosterior {
  checkLevel(level);
  for (const [name, count] of Object.entries({ both, onlyFirst, onlySecond, neither }))
    checkCount("a posterior", name, count, 0);
  const a = prior.onlyFirst + onlyFirst;
  const b = prior.onlySecond + onlySecond;
  const c = prior.both + both + prior.neither + neither;
  if (!(prior.onlyFirst > 0 && prior.onlySecond > 0 && prior.both >= 0 && prior.neither >= 0 && c > 0))
    throw new RangeError(
      `Cannot give a posterior as 'prior' must be positive: current value is ${JSON.stringify(prior)}`,
    );
  const tail = (1 - level) / 2;
  return {
    value: (a - b) / (a + b + c),
    low: -upperQuantile(b, a, c, tail),
    high: upperQuantile(a, b, c, tail),
    superior: regularisedBeta(0.5, b, a),
  };
}

/** The x with P(θ₁₀ − θ₀₁ > x) = tail, for (θ₁₀, θ₀₁, rest) ~ Dirichlet(a, b, c). */
function upperQuantile(a: number, b: number, c: number, tail: number): number {
  const scale = logBeta(a + b, c);
  const ends = [betaQuantile(1e-14, a + b, c), betaQuantile(1 - 1e-14, a + b, c)] as const;
  const above = (x: number, a: number, b: number): number => {
    if (x >= ends[1]) return 0;
    return integrate(Math.max(x, ends[0]), ends[1], (s) => {
      const density = Math.exp((a + b - 1) * Math.log(s) + (c - 1) * Math.log1p(-s) - scale);
      return density * regularisedBeta((1 - x / s) / 2, b, a);
    });
  };
  const exceeds = (x: number): boolean => (x >= 0 ? above(x, a, b) : 1 - above(-x, b, a)) > tail;
  let [low, high] = [-1, 1];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (exceeds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Of a function that may end in powers of the distance from the ends. Tanh-sinh rule: Takahasi & Mori 1974. */
function integrate(low: number, high: number, f: (x: number) => number): number {
  const half = (high - low) / 2;
  const step = 1 / 24;
  let sum = 0;
  for (let i = -72; i <= 72; i++) {
    const t = i * step;
    const u = (Math.PI / 2) * Math.sinh(t);
    const away = half * (Math.exp(-Math.abs(u)) / Math.cosh(u)); // distance from the nearer end
    const x = u < 0 ? low + away : high - away;
    if (x > low && x < high) sum += (f(x) * (Math.PI / 2) * Math.cosh(t)) / Math.cosh(u) ** 2;
  }
  return half * step * sum;
}

/** [problems][seeds] */
export type Seeds = readonly ArrayLike<number>[];

/**
 * The mean over problems of (mean of the first's seeds − mean of the second's), with the bootstrap over problems of
 * `bootstrapMean`. Problems count alike, however many seeds they have. `within`: bounds of a score, [0, 1] where it is right or
 * wrong; without them there is no interval below 100 problems. With one seed a problem and fewer problems use `pairedPosterior`.
 */
export function pairedDifference(
  first: Seeds,
  second: Seeds,
  { within, ...options }: Omit<BootstrapMeanOptions, "clusters"> = {},
): Estimate {
  checkSameLength(first, second);
  const empty = first.findIndex((seeds, i) => seeds.length === 0 || second[i]?.length === 0);
  if (empty >= 0) return withoutInterval(undefined, `problem ${empty} was not answered by both`);
  const differences = Float64Array.from(first, (seeds, i) => mean(seeds) - mean(second[i] as ArrayLike<number>));
  const width = within && within.high - within.low;
  return bootstrapMean(differences, {
    ...options,
    ...(width === undefined ? {} : { within: { low: -width, high: width } }),
  });
}

export interface HolmOptions {
  /** How many comparisons were made, with those that are not shown. @default as many as there are p-values */
  readonly tried?: number;
}

/**
 * Adjusted p-values: those of at most α can all be called significant, with any false one among them in at most a share α of
 * cases, whatever their dependence. The i-th smallest of m is multiplied by m − i + 1. Holm 1979, Scandinavian Journal of
 * Statistics 6(2), 65-70. Comparisons that were tried and are not shown count as p = 1, which errs on the safe side: an adjusted
 * p-value never falls when another p-value rises.
 */
export function holm(pValues: readonly number[], { tried = pValues.length }: HolmOptions = {}): number[] {
  checkCount("adjusted p-values", "tried", tried, pValues.length);
  for (const p of pValues)
    if (!(p >= 0 && p <= 1))
      throw new RangeError(`Cannot adjust p-values as each must be in [0, 1]: current value is ${p}`);
  const adjusted = [...pValues];
  let least = 0;
  for (const [i, at] of pValues
    .map((_, i) => i)
    .sort((a, b) => (pValues[a] as number) - (pValues[b] as number))
    .entries()) {
    least = Math.max(least, Math.min(1, (tried - i) * (pValues[at] as number)));
    adjusted[at] = least;
  }
  return adjusted;
}

/** Where the variance of a paired comparison comes from. */
export interface VarianceComponents {
  /** ω²: of the true difference, between problems. */
  readonly between: number;
  /** σ²: of one answer of each method, within a problem. */
  readonly first: number;
  readonly second: number;
}

/** Of a problem's mean difference, with so many seeds of each: ω² + σ_A²/K_A + σ_B²/K_B. Miller 2024, arXiv:2411.00640. */
export function pairedVariance(components: VarianceComponents, seeds: number | readonly [number, number] = 1): number {
  const [first, second] = typeof seeds === "number" ? [seeds, seeds] : seeds;
  return components.between + components.first / first + components.second / second;
}

/**
 * Unbiased components from a pilot with at least two problems and two seeds of each; ω² is the variance of the problems' mean
 * differences less what the seeds explain, at least 0.
 */
export function varianceComponents(
  first: Seeds,
  second: Seeds,
): (VarianceComponents & { readonly why?: undefined }) | { readonly between: undefined; readonly why: string } {
  checkSameLength(first, second);
  if (first.length < 2) return { between: undefined, why: "one problem says nothing of how problems differ" };
  const few = first.findIndex((seeds, i) => seeds.length < 2 || (second[i] as ArrayLike<number>).length < 2);
  if (few >= 0)
    return { between: undefined, why: `problem ${few} has one seed, which says nothing of how seeds differ` };
  const differences = first.map((seeds, i) => mean(seeds) - mean(second[i] as ArrayLike<number>));
  const noise = (all: Seeds): number => mean(all.map((seeds) => variance(seeds) / seeds.length));
  return {
    between: Math.max(0, variance(differences) - noise(first) - noise(second)),
    first: mean(first.map(variance)),
    second: mean(second.map(variance)),
  };
}

export interface PowerOptions {
  /** Variance of a problem's difference: `pairedVariance`; for one answer each, the discordant share less effect². */
  readonly variance: number;
  /** 1 − α of the two-sided test. @default 0.95 */
  readonly level?: number;
  /** Chance to find the effect. @default 0.8 */
  readonly power?: number;
}

/** (z_{1−α/2} + z_{power})² · variance / effect², rounded up. Miller 2024, arXiv:2411.00640, on power. */
export function requiredProblems(effect: number, options: PowerOptions): Value {
  if (effect === 0) return undefinedValue("no number of problems finds a difference of 0");
  return { value: Math.ceil((reach(options) / effect) ** 2 * options.variance) };
}

/** (z_{1−α/2} + z_{power}) · √(variance / problems): the difference that so many problems find with the wished power. */
export function minimumDetectableEffect(problems: number, options: PowerOptions): Value {
  checkCount("a detectable effect", "problems", problems, 0);
  if (problems === 0) return undefinedValue("there are no problems");
  return { value: reach(options) * Math.sqrt(options.variance / problems) };
}

function reach({ variance, level = 0.95, power = 0.8 }: PowerOptions): number {
  checkLevel(level);
  if (!(variance >= 0 && variance < Infinity))
    throw new RangeError(`Cannot plan a comparison as 'variance' must be >= 0: current value is ${variance}`);
  return normalQuantile((1 + level) / 2) + normalQuantile(power);
}

/** 1 is best. All intervals of one leaderboard hold at once. */
export interface RankInterval extends Interval {
  /** 1 + the number of methods with a higher mean. */
  readonly rank: number;
  readonly mean: number;
}

export type Leaderboard =
  | { readonly ranks: readonly RankInterval[]; readonly why?: undefined }
  | { readonly ranks: undefined; readonly why: string };

/**
 * Ranks with simultaneous intervals: with probability `level` every method's true rank lies in its interval. `scores` are
 * [methods][problems], every method on the same problems.
 *
 * A method's rank is at least 1 + how many are surely better, at most 1 + how many are not surely worse, where sure means that
 * their mean difference exceeds c standard errors, and c is the bootstrapped quantile of the largest of all pairs' deviations:
 * Mogstad, Romano, Shaikh & Wilhelm 2024, "Inference for Ranks", Review of Economic Studies 91(1), 476-518. The ranks of
 * bootstrapped means themselves would be too sure of ties (Hall & Miller 2009, Annals of Statistics 37(6B)). Added here: c is widened
 * as Student's t is wider than the normal law; without that five equal methods were told apart in 22% of tables of 10 problems and
 * in 13% of 30, with it in 7% of both, of 1000 in 5%. Where all problems
 * have the same difference its standard error is no guide: then the sign test must hold at (1 − level) / number of pairs.
 */
export function rankIntervals(
  scores: readonly ArrayLike<number>[],
  { level = 0.95, resamples = 2000, seed = 0 }: BootstrapOptions = {},
): Leaderboard {
  checkLevel(level);
  checkCount("rank intervals", "resamples", resamples, 2);
  const methods = scores.length;
  const problems = scores[0]?.length ?? 0;
  for (const row of scores) {
    checkFinite("rank intervals", "scores", row);
    if (row.length !== problems) throw new RangeError("Cannot rank as every method must have the same problems");
  }
  if (problems < 2) return { ranks: undefined, why: `ranks need at least 2 problems, there are ${problems}` };
  const means = scores.map(mean);
  const meanOf = (i: number): number => means[i] as number;

  const error = new Float64Array(methods * methods); // standard error of each pair's difference
  for (let i = 0; i < methods; i++)
    for (let j = i + 1; j < methods; j++) {
      let squares = 0;
      for (let p = 0; p < problems; p++)
        squares += ((scores[i]?.[p] as number) - (scores[j]?.[p] as number) - meanOf(i) + meanOf(j)) ** 2;
      error[i * methods + j] = Math.sqrt(squares / (problems - 1) / problems);
    }
  const counts = new Int32Array(problems);
  const drawn = new Float64Array(methods);
  const largest = new Float64Array(resamples);
  const least = 1e-9 * (1 + Math.max(...means.map(Math.abs)));
  for (let r = 0; r < resamples; r++) {
    drawCounts(counts, seed, r);
    for (let i = 0; i < methods; i++) {
      const row = scores[i] as ArrayLike<number>;
      let sum = 0;
      for (let p = 0; p < problems; p++) sum += (counts[p] as number) * (row[p] as number);
      drawn[i] = sum / problems - meanOf(i);
    }
    for (let i = 0; i < methods; i++)
      for (let j = i + 1; j < methods; j++) {
        const scale = error[i * methods + j] as number;
        if (scale <= least) continue;
        const deviation = Math.abs((drawn[i] as number) - (drawn[j] as number)) / scale;
        if (deviation > (largest[r] as number)) largest[r] = deviation;
      }
  }
  largest.sort();
  const quantile = largest[Math.min(resamples - 1, Math.ceil(level * (resamples + 1)) - 1)] as number;
  const shorter = Math.sqrt((problems - 1) / problems); // resampled means vary less, by n in place of n − 1
  const critical = -studentQuantile(Math.max(normalCdf(-quantile / shorter), 1e-300), problems - 1);
  const allPairs = (methods * (methods - 1)) / 2;
  const signsAgree = 2 ** (1 - problems) <= (1 - level) / allPairs;
  const surelyBetter = (i: number, j: number): boolean => {
    const difference = meanOf(i) - meanOf(j);
    const scale = error[Math.min(i, j) * methods + Math.max(i, j)] as number;
    return scale <= least ? signsAgree && difference > least : difference > critical * scale;
  };
  const others = (i: number, holds: (j: number) => boolean): number =>
    means.reduce((count, _, j) => count + Number(j !== i && holds(j)), 0);
  return {
    ranks: means.map((mean, i) => ({
      rank: 1 + others(i, (j) => meanOf(j) > mean),
      mean,
      low: 1 + others(i, (j) => surelyBetter(j, i)),
      high: methods - others(i, (j) => surelyBetter(i, j)),
    })),
  };
}

export interface ReusableHoldoutOptions {
  /** T: how far training and held-out mean may differ before the held-out one is told. @default 0.04 */
  readonly threshold?: number;
  /** σ: scale of the noise. @default 0.0025 */
  readonly noise?: number;
  /** How often the held-out mean may be told. @default as often as asked */
  readonly budget?: number;
  /** @default 0 */
  readonly seed?: Key | number;
}

export interface ReusableHoldout {
  /** The answer to one question, of its mean over training and its mean over held-out problems. Undefined once the budget is spent. */
  ask(training: number, heldOut: number): Value;
  /** How often the held-out mean may still be told. */
  readonly left: number;
}

/**
 * A held-out set that stays honest under adaptive use. Where the training mean is near the held-out one it is the answer, and
 * nothing of the held-out set leaks; else the answer is the held-out mean with noise, and the budget shrinks by one.
 *
 * Thresholdout: Dwork, Feldman, Hardt, Pitassi, Reingold & Roth 2015, arXiv:1506.02629, and "The reusable holdout", Science
 * 349(6248), 636-638. Laplace noise of scale σ on answers, 2σ on the threshold (drawn anew after each answer that told), 4σ on each
 * comparison. Threshold and scale must suit the set: the defaults are meant for 10,000 held-out problems, T = 4/√n and σ = 1/(4√n),
 * chosen so that a difference is seen once it is four standard errors; at such sizes the paper's theorem promises little. Means are of values in [0, 1] or [-1, 1].
 */
export function reusableHoldout({
  threshold = 0.04,
  noise = 0.0025,
  budget = Infinity,
  seed = 0,
}: ReusableHoldoutOptions = {}): ReusableHoldout {
  if (!(threshold >= 0 && noise > 0))
    throw new RangeError(
      `Cannot guard a held-out set as 'threshold' must be >= 0 and 'noise' > 0: current values are ${threshold} and ${noise}`,
    );
  const stream = random(fold(typeof seed === "number" ? key(seed) : seed, "holdout"));
  const exponential = (): number => -Math.log(1 - stream.uniform());
  const laplace = (scale: number): number => scale * (exponential() - exponential());
  let left = budget;
  let limit = threshold + laplace(2 * noise);
  return {
    get left() {
      return left;
    },
    ask(training, heldOut) {
      if (left < 1) return undefinedValue("the held-out set has told as often as its budget allows");
      if (Math.abs(heldOut - training) <= limit + laplace(4 * noise)) return { value: training };
      left--;
      limit = threshold + laplace(2 * noise);
      return { value: heldOut + laplace(noise) };
    },
  };
}

function checkSameLength(first: ArrayLike<unknown>, second: ArrayLike<unknown>): void {
  if (first.length !== second.length)
    throw new RangeError(
      `Cannot compare as both must have the same problems: current numbers are ${first.length} and ${second.length}`,
    );
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** With n − 1. */
function variance(values: ArrayLike<number>): number {
  const middle = mean(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += ((values[i] as number) - middle) ** 2;
  return squares / (values.length - 1);
}
