/**
 * Resampling: indices of the particles that survive, in ascending order, drawn so that index i comes `count` × wᵢ / Σ w
 * times in expectation. The schemes have one signature and differ in how far the number of copies strays from that:
 *
 * - `multinomial`: independent draws.
 * - `stratified`: one draw in each of `count` equal strata. Kitagawa 1996.
 * - `systematic`: the strata share one draw, so that each number of copies is the expected one rounded down or up.
 *   Carpenter, Clifford & Fearnhead 1999. The cheapest; its variance depends on the order of the particles.
 * - `residual`: the expected number rounded down is certain, the rest is multinomial. Liu & Chen 1998.
 * - `ssp`: rounded down or up like systematic, by the Srinivasan sampling process: two fractions at a time play for their
 *   sum. Gerber, Chopin & Whiteley 2019, arXiv:1708.06033, who prove it consistent, which systematic is not in general.
 *
 * Cost: one pass over the weights and the copies.
 */
import type { Random } from "./random.ts";

/** `weights`: finite and >= 0, with a positive sum, which need not be 1. */
export type Resample = (weights: ArrayLike<number>, count: number, random: Random) => Int32Array;

export const multinomial: Resample = (weights, count, random) => {
  // Sorted uniforms without sorting: the arrivals of a Poisson process, divided by the arrival after the last.
  const points = new Float64Array(count + 1);
  let arrival = 0;
  for (let i = 0; i <= count; i++) points[i] = arrival -= Math.log(1 - random.uniform());
  return inverted(weights, count, (i) => (points[i] as number) / arrival);
};

export const stratified: Resample = (weights, count, random) =>
  inverted(weights, count, (i) => (i + random.uniform()) / count);

export const systematic: Resample = (weights, count, random) => {
  const offset = random.uniform();
  return inverted(weights, count, (i) => (i + offset) / count);
};

export const residual: Resample = (weights, count, random) => {
  const { copies, fractions, left } = wholePart(weights, count);
  if (left > 0) for (const i of multinomial(fractions, left, random)) copies[i] = (copies[i] as number) + 1;
  return listed(copies, count);
};

export const ssp: Resample = (weights, count, random) => {
  const { copies, fractions } = wholePart(weights, count);
  let open = 0;
  for (let i = 1; i < fractions.length; i++) {
    const [mine, other] = [fractions[open] as number, fractions[i] as number];
    const both = mine + other;
    // One of the two ends at 0 or at 1, the other takes what is left; each keeps its expectation.
    if (both < 1) {
      if (random.uniform() * both >= mine) open = i;
      fractions[open] = both;
    } else {
      const winner = random.uniform() * (2 - both) < 1 - other ? open : i;
      copies[winner] = (copies[winner] as number) + 1;
      open = winner === open ? i : open;
      fractions[open] = both - 1;
    }
  }
  const last = fractions[open] as number; // 0 or 1, but for rounding
  if (last > 0.5) copies[open] = (copies[open] as number) + 1;
  return listed(copies, count);
};

export type ResampleName = "multinomial" | "stratified" | "systematic" | "residual" | "ssp";

/** By name, for settings. */
export const resamplers: Readonly<Record<ResampleName, Resample>> = {
  multinomial,
  stratified,
  systematic,
  residual,
  ssp,
};

export interface Selection {
  /** Ascending, each at most once. */
  readonly indices: Int32Array;
  /** [indices] in the scale of the given ones; their sum is that of the given ones. */
  readonly weights: Float64Array;
}

/**
 * At most `count` different particles with new weights whose expectations are the old ones. Weights of at least c stay as
 * they are; each smaller one survives with probability w / c and then weighs c, where Σ min(1, w / c) = `count`. No scheme
 * of this kind has a smaller expected squared error. Fearnhead & Clifford 2003, JRSS B 65(4), 887-899.
 */
export function withoutReplacement(weights: ArrayLike<number>, count: number, random: Random): Selection {
  const positive: number[] = [];
  for (let i = 0; i < weights.length; i++) if ((weights[i] as number) > 0) positive.push(i);
  const weightOf = (i: number): number => weights[i] as number;
  if (positive.length <= count)
    return { indices: Int32Array.from(positive), weights: Float64Array.from(positive, weightOf) };

  // With the k heaviest kept, c is the weight of the others over the places left; the first k whose next weight is below it.
  const descending = [...positive].sort((a, b) => weightOf(b) - weightOf(a));
  const tails = new Float64Array(descending.length + 1); // tails[k]: sum of all but the k heaviest, smallest added first
  for (let k = descending.length - 1; k >= 0; k--)
    tails[k] = (tails[k + 1] as number) + weightOf(descending[k] as number);
  let kept = 0;
  while (kept < count - 1 && weightOf(descending[kept] as number) * (count - kept) >= (tails[kept] as number)) kept++;
  const rest = descending.slice(kept).sort((a, b) => a - b);
  const threshold = (tails[kept] as number) / (count - kept);
  const drawn = systematic(Float64Array.from(rest, weightOf), count - kept, random);

  const chosen = [
    ...descending.slice(0, kept).map((i) => [i, weightOf(i)] as const),
    ...Array.from(drawn, (place) => [rest[place] as number, threshold] as const),
  ].sort(([a], [b]) => a - b);
  return { indices: Int32Array.from(chosen, ([i]) => i), weights: Float64Array.from(chosen, ([, weight]) => weight) };
}

/** The places where ascending points of [0, 1) fall on the weights laid end to end. */
function inverted(weights: ArrayLike<number>, count: number, point: (i: number) => number): Int32Array {
  const total = totalOf(weights);
  const indices = new Int32Array(count);
  let at = -1;
  let last = -1; // the last of positive weight: where rounding leaves points beyond the end
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const target = point(i) * total;
    while (sum <= target && at < weights.length - 1) {
      const weight = weights[++at] as number;
      sum += weight;
      if (weight > 0) last = at;
    }
    indices[i] = last;
  }
  return indices;
}

/** Expected numbers of copies, as whole numbers and what is beyond them. */
function wholePart(
  weights: ArrayLike<number>,
  count: number,
): { copies: Int32Array; fractions: Float64Array; left: number } {
  const scale = count / totalOf(weights);
  const copies = new Int32Array(weights.length);
  const fractions = new Float64Array(weights.length);
  let left = count;
  for (let i = 0; i < weights.length; i++) {
    const expected = (weights[i] as number) * scale;
    const whole = Math.floor(expected + 1e-9); // three thirds are one
    copies[i] = whole;
    fractions[i] = Math.max(0, expected - whole);
    left -= whole;
  }
  return { copies, fractions, left };
}

function listed(copies: Int32Array, count: number): Int32Array {
  const indices = new Int32Array(count);
  let place = 0;
  for (let i = 0; i < copies.length; i++) for (let k = copies[i] as number; k > 0; k--) indices[place++] = i;
  return indices;
}

function totalOf(weights: ArrayLike<number>): number {
  let total = 0;
  let least = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    total += weight;
    if (!(weight >= least)) least = weight;
  }
  if (total > 0 && total < Infinity && least === 0) return total;
  throw new RangeError(
    `Cannot resample as the weights must be >= 0 and sum to a positive number: their sum is ${total}, the least ${least}`,
  );
}
