/**
 * Two Weibull distributions in one sample of positive numbers, which are given by their logarithms so that none is too small.
 *
 * Maximum likelihood by expectation maximisation from a fixed start, the lower and the upper half of the sample, so the fit depends on
 * neither chance nor unit. The share of each part stays in [0.2, 0.8] and the shapes in [0.01, 100], as the likelihood has no
 * maximum where one part may shrink to a single point.
 */
import { logSumExp } from "./log-space.ts";
import { logGamma } from "./special.ts";

export interface Weibull {
  readonly shape: number;
  /** Logarithm of the scale. */
  readonly logScale: number;
}

export interface WeibullMixture {
  /** The part with the larger mean. */
  readonly high: Weibull;
  readonly low: Weibull;
  /** Share of the high part. */
  readonly share: number;
  /** Of the logarithms, after each iteration; it never falls. */
  readonly logLikelihoods: readonly number[];
  /** P(a number belongs to the high part). */
  readonly posterior: (log: number) => number;
}

/** At least one finite logarithm. */
export function weibullMixture(logs: readonly number[]): WeibullMixture {
  if (logs.length === 0 || !logs.every(Number.isFinite))
    throw new RangeError("Cannot fit a mixture as 'logs' must be one or more finite numbers");
  const sorted = logs.toSorted((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  let inHigh: number[] = sorted.map((_, i) => (i < half ? 0.1 : i > half ? 0.9 : 0.5));
  let mixture: readonly [Weibull, Weibull, number];
  const logLikelihoods: number[] = [];
  for (;;) {
    const share = Math.min(0.8, Math.max(0.2, inHigh.reduce((sum, p) => sum + p, 0) / sorted.length));
    const inLow = inHigh.map((p) => 1 - p);
    mixture = [fit(sorted, inHigh), fit(sorted, inLow), share];
    const [high, low] = mixture;
    const joint = sorted.map((log) => [
      Math.log(share) + logDensity(log, high),
      Math.log(1 - share) + logDensity(log, low),
    ]);
    const marginal = joint.map(logSumExp);
    inHigh = joint.map(([first], i) => Math.exp((first as number) - (marginal[i] as number)));
    const before = logLikelihoods.at(-1) ?? Number.NEGATIVE_INFINITY;
    const now = marginal.reduce((sum, log) => sum + log, 0);
    logLikelihoods.push(now);
    if (now - before < 1e-9 * sorted.length || logLikelihoods.length === 200) break;
  }
  const [one, other, part] = mixture;
  const [high, low, share] = logMean(one) >= logMean(other) ? [one, other, part] : [other, one, 1 - part];
  return {
    high,
    low,
    share,
    logLikelihoods,
    posterior(log) {
      const [a, b] = [Math.log(share) + logDensity(log, high), Math.log(1 - share) + logDensity(log, low)];
      return a === b ? 0.5 : 1 / (1 + Math.exp(b - a));
    },
  };
}

/** Of the logarithm y of a Weibull variable: k (y - log λ) - e^(k (y - log λ)) + log k. */
function logDensity(y: number, { shape, logScale }: Weibull): number {
  const z = shape * (y - logScale);
  return Math.log(shape) + z - Math.exp(z);
}

const logMean = ({ shape, logScale }: Weibull): number => logScale + logGamma(1 + 1 / shape);

/** The weighted maximum of the likelihood: its shape is the only zero of a growing function, found by bisection. */
function fit(logs: readonly number[], weights: readonly number[]): Weibull {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = logs.reduce((sum, y, i) => sum + (weights[i] as number) * y, 0) / total;
  const most = Math.max(...logs);
  const tilted = (shape: number): [mass: number, mean: number] => {
    let [mass, first] = [0, 0];
    for (const [i, y] of logs.entries()) {
      const weight = (weights[i] as number) * Math.exp(shape * (y - most));
      mass += weight;
      first += weight * y;
    }
    return [mass, first / mass];
  };
  let [low, high] = [Math.log(0.01), Math.log(100)];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    const shape = Math.exp(middle);
    if (tilted(shape)[1] - mean - 1 / shape > 0) high = middle;
    else low = middle;
  }
  const shape = Math.exp((low + high) / 2);
  return { shape, logScale: most + Math.log(tilted(shape)[0] / total) / shape };
}
