/**
 * Intervals for a proportion that was counted. `level` is the share of repetitions in which the truth is to be inside, or, of
 * the Bayesian ones, its probability given the counts and the prior.
 *
 * - `wilson`: right on average over p, shorter than exact; the default of this package.
 * - `clopperPearson`: never covers less than `level`, so it is longer than needed.
 * - `jeffreys`: equal-tailed posterior under Beta(1/2, 1/2); close to Wilson's, better near 0 and 1.
 * - `credible`: the same under any Beta prior; `{ prior: [1, 1] }` is the uniform one.
 */
import { betaQuantile } from "./beta.ts";
import { normalQuantile } from "./normal.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface LevelOptions {
  /** In (0, 1). @default 0.95 */
  readonly level?: number;
}

/**
 * Wilson's score interval: all p that a two-sided test with the normal variance at p would not reject.
 *
 * Stays inside [0, 1], and is not empty at 0 or at `trials` successes, where the textbook interval is. Wilson 1927, JASA 22,
 * pp. 209-212; recommended for small samples by Agresti & Coull 1998, The American Statistician 52(2), and by Brown, Cai &
 * DasGupta 2001, Statistical Science 16(2), §5.
 */
export function wilson(successes: number, trials: number, { level = 0.95 }: LevelOptions = {}): Interval {
  checkCounts(successes, trials, level);
  const z = normalQuantile((1 + level) / 2);
  const p = successes / trials;
  const spread = z * Math.sqrt((p * (1 - p)) / trials + z ** 2 / (4 * trials ** 2));
  const [middle, scale] = [p + z ** 2 / (2 * trials), 1 + z ** 2 / trials];
  // At the ends the exact bound is the end itself; rounding must not move it.
  return {
    low: successes === 0 ? 0 : (middle - spread) / scale,
    high: successes === trials ? 1 : (middle + spread) / scale,
  };
}

/** All p that neither of the two exact binomial tests at (1 - level)/2 rejects. Clopper & Pearson 1934, Biometrika 26(4), 404. */
export function clopperPearson(successes: number, trials: number, { level = 0.95 }: LevelOptions = {}): Interval {
  checkCounts(successes, trials, level);
  const tail = (1 - level) / 2;
  return {
    low: successes === 0 ? 0 : betaQuantile(tail, successes, trials - successes + 1),
    high: successes === trials ? 1 : betaQuantile(1 - tail, successes + 1, trials - successes),
  };
}

export interface CredibleOptions extends LevelOptions {
  /** a and b of the Beta prior: successes and failures seen before. @default [0.5, 0.5] */
  readonly prior?: readonly [a: number, b: number];
}

/** The middle `level` of the posterior Beta(a + successes, b + failures). */
export function credible(
  successes: number,
  trials: number,
  { level = 0.95, prior: [a, b] = [0.5, 0.5] }: CredibleOptions = {},
): Interval {
  checkCounts(successes, trials, level);
  const tail = (1 - level) / 2;
  return {
    low: betaQuantile(tail, a + successes, b + trials - successes),
    high: betaQuantile(1 - tail, a + successes, b + trials - successes),
  };
}

/**
 * The posterior interval under Jeffreys' prior, except that it reaches 0 where nothing succeeded and 1 where everything did, as in
 * Brown, Cai & DasGupta 2001, Statistical Science 16(2), recommend.
 */
export function jeffreys(successes: number, trials: number, { level = 0.95 }: LevelOptions = {}): Interval {
  const { low, high } = credible(successes, trials, { level });
  return { low: successes === 0 ? 0 : low, high: successes === trials ? 1 : high };
}

/** @throws RangeError */
export function checkLevel(level: number): void {
  if (!(level > 0 && level < 1))
    throw new RangeError(`Cannot give an interval as 'level' must be in (0, 1): current value is ${level}`);
}

function checkCounts(successes: number, trials: number, level: number): void {
  checkLevel(level);
  if (!Number.isInteger(trials) || trials < 1)
    throw new RangeError(`Cannot give an interval as 'trials' must be a positive integer: current value is ${trials}`);
  if (!Number.isInteger(successes) || successes < 0 || successes > trials)
    throw new RangeError(
      `Cannot give an interval as 'successes' must be an integer in [0, ${trials}]: current value is ${successes}`,
    );
}
