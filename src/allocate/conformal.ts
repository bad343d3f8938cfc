/**
 * Sets of answers that hold the right one with a stated probability, whatever the model and however bad its confidence.
 *
 * Every candidate answer has a nonconformity: how little it fits, as 1 − its share of the votes, or −log p. On problems whose right
 * answer is known, the nonconformities *of the right answers* give a threshold; the set of a new problem holds all candidates that
 * do not exceed it. What is promised, where old and new problems are exchangeable:
 *
 * - `conformalThreshold`, at level α: the right answer is in the set with probability at least 1 − α, and at most 1 − α + 1/(n + 1)
 *   where no two are equal, on average over calibration data and problems. The ⌈(n + 1)(1 − α)⌉-th smallest. Split conformal
 *   prediction: Vovk, Gammerman & Shafer 2005, "Algorithmic Learning in a Random World"; Angelopoulos & Bates 2021, arXiv:2107.07511.
 *   With `weights` for covariate shift: Tibshirani, Barber, Candès & Ramdas 2019, arXiv:1904.06019.
 * - `pacThreshold`, at error ε and δ: with probability at least 1 − δ over the calibration data, at most a share ε of new problems has
 *   its right answer outside. The greatest number k of misses with P(Binomial(n, ε) ≤ k) ≤ δ is allowed on them. Park, Bastani,
 *   Matni & Lee 2020, arXiv:2001.00106, who also learn the nonconformity; here it is given.
 *
 * A right answer that was never drawn has nonconformity Infinity (leave none of them out: that would be the easy ones alone), and
 * where too many have, the threshold is Infinity too: then no set of drawn answers can keep the promise, and all that can be said
 * is "any answer". Not for a single new law: neither promise holds problem by problem, nor after a change of model.
 */
import { binomialTail } from "./abstain.ts";
import { checkBetween } from "../options.ts";

export interface ConformalOptions {
  /** Share of problems whose right answer may be missed; in (0, 1). */
  readonly alpha: number;
  /** New density over old density, of each calibration problem. @default all 1 */
  readonly weights?: readonly number[];
  /** The same of the new problem. @default 1 */
  readonly weight?: number;
}

/** Of the nonconformities of right answers; Infinity where there are too few to promise anything. */
export function conformalThreshold(
  nonconformities: readonly number[],
  { alpha, weights = nonconformities.map(() => 1), weight = 1 }: ConformalOptions,
): number {
  checkBetween("conformal sets", "alpha", alpha, [0, 1], { open: true });
  checkNonconformities(nonconformities);
  if (weights.length !== nonconformities.length || !weights.every((one) => one >= 0) || !(weight >= 0))
    throw new RangeError(
      `Cannot use conformal sets as 'weights' must be numbers >= 0, one for each nonconformity: ${weights.length} of ${nonconformities.length}`,
    );
  const wanted = (1 - alpha) * (weights.reduce((sum, one) => sum + one, 0) + weight);
  let reached = 0;
  for (const place of ascending(nonconformities)) {
    reached += weights[place] as number;
    if (reached >= wanted * (1 - 1e-12)) return nonconformities[place] as number; // (n + 1)(1 − α) may be whole but for rounding
  }
  return Number.POSITIVE_INFINITY;
}

export interface PacOptions {
  /** ε: share of new problems whose right answer may be missed; in (0, 1). */
  readonly error: number;
  /** Probability that the calibration data mislead; in (0, 1). @default 0.05 */
  readonly delta?: number;
}

/** Of the nonconformities of right answers; Infinity where there are too few: fewer than log δ / log(1 − ε). */
export function pacThreshold(nonconformities: readonly number[], { error, delta = 0.05 }: PacOptions): number {
  checkBetween("PAC sets", "error", error, [0, 1], { open: true });
  checkBetween("PAC sets", "delta", delta, [0, 1], { open: true });
  checkNonconformities(nonconformities);
  const n = nonconformities.length;
  let misses = -1;
  while (misses + 1 < n && binomialTail(misses + 1, n, error) <= delta) misses++;
  if (misses < 0) return Number.POSITIVE_INFINITY;
  return nonconformities[ascending(nonconformities)[n - 1 - misses] as number] as number;
}

/** The candidates that do not exceed the threshold, in their order. */
export const answerSet = <T extends { readonly nonconformity: number }>(
  candidates: readonly T[],
  threshold: number,
): T[] => candidates.filter(({ nonconformity }) => nonconformity <= threshold);

const ascending = (values: readonly number[]): number[] =>
  values
    .map((_, i) => i)
    .sort((i, j) => {
      const [a, b] = [values[i] as number, values[j] as number];
      return a < b ? -1 : a > b ? 1 : i - j; // Infinity − Infinity is NaN
    });

function checkNonconformities(values: readonly number[]): void {
  const wrong = values.findIndex((value) => Number.isNaN(value));
  if (wrong >= 0) throw new RangeError(`Cannot use nonconformities as none may be NaN: number ${wrong} is`);
}
