/**
 * The weights of a population, in logarithms and unnormalised, so that their mean estimates the normalising constant Z at
 * any time, before and after resampling. Numbers only: the searches over text and the filter of state-space models share it.
 */
import { logSumExp } from "../../math/log-space.ts";
import type { Random } from "../../math/random.ts";
import type { Resample } from "../../math/resampling.ts";

export interface Spread {
  /** log of the mean weight: the estimate of log Z; -Infinity where every weight is 0. */
  readonly logMean: number;
  /** Effective sample size, (Σ w)² / Σ w², in [1, n]; 0 where every weight is 0. */
  readonly effective: number;
  /** Entropy of the normalised weights over log n, in [0, 1]; 1 for a population of one. */
  readonly entropy: number;
}

/** One pass; the normalised weights go into `weights`. */
export function spreadOf(logWeights: Float64Array, weights: Float64Array): Spread {
  const count = logWeights.length;
  const logSum = logSumExp(logWeights);
  if (logSum === Number.NEGATIVE_INFINITY) {
    weights.fill(0);
    return { logMean: logSum, effective: 0, entropy: 0 };
  }
  if (Number.isNaN(logSum) || logSum === Infinity)
    throw new RangeError(
      `Cannot weigh particles as log-weights must be numbers below Infinity: their sum is ${logSum}`,
    );
  let squares = 0;
  let nats = 0;
  for (let i = 0; i < count; i++) {
    const share = (logWeights[i] as number) - logSum;
    const weight = Math.exp(share);
    weights[i] = weight;
    squares += weight * weight;
    if (weight > 0) nats -= weight * share;
  }
  return { logMean: logSum - Math.log(count), effective: 1 / squares, entropy: count > 1 ? nats / Math.log(count) : 1 };
}

export interface Offspring {
  /** [count] */
  readonly ancestors: Int32Array;
  /** [count] */
  readonly logWeights: Float64Array;
}

/**
 * `count` particles in place of the population. Each ancestor's weight is divided by its expected number of children, so
 * that sums over the population keep their expectation whatever law the ancestors are drawn from: by their weights (all
 * children then weigh the mean), or, at a temperature above 1, by flattened ones.
 */
export function resampled(
  logWeights: Float64Array,
  {
    count,
    resample,
    random,
    temperature = 1,
  }: { count: number; resample: Resample; random: Random; temperature?: number },
): Offspring {
  const law = new Float64Array(logWeights.length);
  spreadOf(temperature === 1 ? logWeights : logWeights.map((logWeight) => logWeight / temperature), law);
  const ancestors = resample(law, count, random);
  const logSize = Math.log(logWeights.length);
  const logWeightsOfChildren = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const ancestor = ancestors[i] as number;
    logWeightsOfChildren[i] = (logWeights[ancestor] as number) - Math.log(law[ancestor] as number) - logSize;
  }
  return { ancestors, logWeights: logWeightsOfChildren };
}
