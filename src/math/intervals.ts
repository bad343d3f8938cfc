/** Intervals for what was counted. */

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval for a proportion: all p that a two-sided test with the normal variance at p would not reject.
 *
 * Stays inside [0, 1], and is not empty at 0 or at `trials` successes, where the textbook interval is. Wilson 1927, JASA 22,
 * pp. 209-212; recommended for small samples by Agresti & Coull 1998, The American Statistician 52(2), and by Brown, Cai &
 * DasGupta 2001, Statistical Science 16(2), §5. `z`: 1.959964 is the 0.975 quantile of the normal law, so 95%.
 */
export function wilson(successes: number, trials: number, { z = 1.959964 }: { readonly z?: number } = {}): Interval {
  if (!Number.isInteger(trials) || trials < 1)
    throw new RangeError(`Cannot give an interval as 'trials' must be a positive integer: current value is ${trials}`);
  if (!Number.isInteger(successes) || successes < 0 || successes > trials)
    throw new RangeError(
      `Cannot give an interval as 'successes' must be an integer in [0, ${trials}]: current value is ${successes}`,
    );
  const p = successes / trials;
  const spread = z * Math.sqrt((p * (1 - p)) / trials + z ** 2 / (4 * trials ** 2));
  const [middle, scale] = [p + z ** 2 / (2 * trials), 1 + z ** 2 / trials];
  // At the ends the exact bound is the end itself; rounding must not move it.
  return {
    low: successes === 0 ? 0 : (middle - spread) / scale,
    high: successes === trials ? 1 : (middle + spread) / scale,
  };
}
