/**
 * The posterior of a normal mixed model, and draws from its predictions:
 *
 *     reward of an answer in group j ~ N(α_j, σ_y²),   α_j ~ N(μ, σ_α²),
 *     μ ~ N(mean, 0.2²),   σ_α ~ half-normal(0.2),   σ_y ~ half-normal(0.3).
 *
 * Given the two deviations everything else is normal and is integrated exactly; the deviations are summed over a grid, evenly
 * spaced in their logarithms. So there is no chain to run and nothing to converge, and groups of one size cost the same as one.
 * Below `least` the grid has no points: where all rewards are equal the likelihood has no bound there.
 * Cost: cells × distinct group sizes operations.
 */
import type { Random } from "../../../math/random.ts";

/** Rewards of one group, as sums. */
export interface Group {
  readonly count: number;
  readonly mean: number;
  /** Sum of squared differences from the mean. */
  readonly squares: number;
}

/** Deviations of the priors: those of the authors' implementation. */
const spread = { mu: 0.2, alpha: 0.2, y: 0.3 } as const;

/** Grid of each deviation: from 1/100 of a reward's range to five of the prior's deviations. */
const least = 0.01;
const points = 40;
const gridOf = (deviation: number): number[] => {
  const ratio = (5 * deviation) / least;
  return Array.from({ length: points }, (_, i) => least * ratio ** (i / (points - 1)));
};
const alphas = gridOf(spread.alpha);
const ys = gridOf(spread.y);
/** log of prior density × cell width; the widths are proportional to the value. */
const logPrior = (value: number, deviation: number): number => Math.log(value) - value ** 2 / (2 * deviation ** 2);

export interface MixedPosterior {
  /** A reward of one more answer in a group, or in a new one. */
  predict(group: Group | undefined, random: Random): number;
  /** Of that reward. */
  predictiveMean(group: Group | undefined): number;
}

export function mixedPosterior(groups: readonly Group[], mean: number): MixedPosterior {
  const sizes = sizesOf(groups, mean);
  const within = groups.reduce((sum, { squares }) => sum + squares, 0);
  const spare = groups.reduce((sum, { count }) => sum + count - 1, 0);
  const logWeights = new Float64Array(points * points);
  const means = new Float64Array(points * points); // of μ, less the prior's
  const precisions = new Float64Array(points * points); // of μ
  let most = Number.NEGATIVE_INFINITY;
  for (let cell = 0; cell < logWeights.length; cell++) {
    const [sigmaAlpha, sigmaY] = [alphas[Math.floor(cell / points)] as number, ys[cell % points] as number];
    const [a, s] = [sigmaAlpha ** 2, sigmaY ** 2];
    let precision = 1 / spread.mu ** 2;
    let weighted = 0;
    let logWeight =
      logPrior(sigmaAlpha, spread.alpha) + logPrior(sigmaY, spread.y) - spare * Math.log(sigmaY) - within / (2 * s);
    for (const { count, groups: members, sum, sumOfSquares } of sizes) {
      const variance = a + s / count;
      precision += members / variance;
      weighted += sum / variance;
      logWeight -= 0.5 * (members * Math.log(variance) + sumOfSquares / variance);
    }
    logWeight += 0.5 * (weighted ** 2 / precision - Math.log(precision));
    logWeights[cell] = logWeight;
    means[cell] = weighted / precision;
    precisions[cell] = precision;
    most = Math.max(most, logWeight);
  }
  const cumulative = logWeights; // reused
  let total = 0;
  for (let cell = 0; cell < cumulative.length; cell++) {
    total += Math.exp((cumulative[cell] as number) - most);
    cumulative[cell] = total;
  }

  /** Mean and variance of α_j given the deviations and μ. */
  function ofGroup(cell: number, mu: number, group: Group | undefined): [mean: number, variance: number] {
    const [a, s] = [(alphas[Math.floor(cell / points)] as number) ** 2, (ys[cell % points] as number) ** 2];
    if (!group) return [mu, a];
    const precision = 1 / a + group.count / s;
    return [(mu / a + (group.count * group.mean) / s) / precision, 1 / precision];
  }

  return {
    predict(group, random) {
      const cell = firstAbove(cumulative, random.uniform() * total);
      const mu = mean + (means[cell] as number) + random.normal() / Math.sqrt(precisions[cell] as number);
      const [alpha, variance] = ofGroup(cell, mu, group);
      return alpha + Math.sqrt(variance) * random.normal() + (ys[cell % points] as number) * random.normal();
    },
    predictiveMean(group) {
      let sum = 0;
      for (let cell = 0; cell < cumulative.length; cell++) {
        const weight = (cumulative[cell] as number) - (cell > 0 ? (cumulative[cell - 1] as number) : 0);
        sum += weight * ofGroup(cell, mean + (means[cell] as number), group)[0];
      }
      return sum / total;
    },
  };
}

interface Size {
  readonly count: number;
  groups: number;
  /** Of the groups' means, less the prior's. */
  sum: number;
  sumOfSquares: number;
}

function sizesOf(groups: readonly Group[], mean: number): Size[] {
  const sizes = new Map<number, Size>();
  for (const group of groups) {
    const size = sizes.get(group.count) ?? { count: group.count, groups: 0, sum: 0, sumOfSquares: 0 };
    sizes.set(group.count, size);
    const away = group.mean - mean;
    size.groups++;
    size.sum += away;
    size.sumOfSquares += away ** 2;
  }
  return [...sizes.values()];
}

function firstAbove(cumulative: Float64Array, at: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] as number) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
