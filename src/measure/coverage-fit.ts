/**
 * How coverage, the share of problems that at least one of k attempts solves (pass@k), goes on beyond the k that was run. Two laws:
 *
 * - `fitBetaSuccess`: each problem has a rate of success of its own, drawn from Beta(a, b). Maximum likelihood of the counts, which
 *   are beta-binomial (Skellam 1948); pass@k in closed form, 1 − B(a, b + k) / B(a, b). It uses every count once, and its tail is a
 *   power: 1 − pass@k falls like k^−a. Wrong where the rates are not Beta, above all where some problems are never solved.
 * - `fitCoverageLaw`: pass@k = exp(a·k^b), the exponentiated power law of Brown et al. 2024, "Large Language Monkeys",
 *   arXiv:2407.21787, to a curve of pass@k. Describes what was seen with two numbers; no reason why it should go on.
 *
 * `extrapolateCoverage` predicts with an interval by the bootstrap over problems, which knows of the sampling error, not of the law
 * being wrong: hold out the larger k (`checkExtrapolation`). Coverage counts what a perfect verifier would find.
 */
import { logBeta } from "../math/special.ts";
import type { Vector } from "../math/linear.ts";
import { lbfgs } from "../math/optimise.ts";
import { bootstrap, type BootstrapOptions } from "./bootstrap.ts";
import { checkCount, type Estimate, undefinedValue, withoutInterval } from "./estimate.ts";
import { passAtK, type Tally } from "./pass-at-k.ts";

export interface BetaSuccess {
  readonly a: number;
  readonly b: number;
}

/** P(at least one of k attempts succeeds) at a rate of Beta(a, b). */
export const betaPassAtK = ({ a, b }: BetaSuccess, k: number): number => -Math.expm1(logBeta(a, b + k) - logBeta(a, b));

export type BetaSuccessFit =
  | {
      readonly value: BetaSuccess;
      readonly why?: undefined;
      readonly converged: boolean;
      /** With respect to log a and log b. */
      readonly gradientNorm: number;
      /** In nats, without the binomial coefficients. */
      readonly logLikelihood: number;
    }
  | { readonly value: undefined; readonly why: string };

/**
 * a and b that make the counts most likely. `counts`: how often each tally counts. Undefined where the likelihood has no maximum:
 * all attempts alike, all problems solved always or never, or no more spread than equally hard problems would have.
 */
export function fitBetaSuccess(tallies: readonly Tally[], counts?: ArrayLike<number>): BetaSuccessFit {
  // log B(a + c, b + n − c) / B(a, b) is a sum over i of logs of a + i (i < c), b + i (i < n − c), a + b + i (i < n), so only
  // the numbers of problems with c > i and so on matter.
  const most = tallies.reduce((size, { samples }) => Math.max(size, samples), 0);
  const [solved, failed, tried] = [new Float64Array(most), new Float64Array(most), new Float64Array(most)];
  let [successes, attempts, mixed, repeated] = [0, 0, false, false];
  for (const [i, { samples, correct }] of tallies.entries()) {
    checkCount("a fit of success rates", "samples", samples, 0);
    checkCount("a fit of success rates", "correct", correct, 0, samples);
    const weight = counts?.[i] ?? 1;
    if (weight === 0 || samples === 0) continue;
    if (correct > 0) solved[correct - 1] = (solved[correct - 1] as number) + weight;
    if (correct < samples) failed[samples - correct - 1] = (failed[samples - correct - 1] as number) + weight;
    tried[samples - 1] = (tried[samples - 1] as number) + weight;
    successes += weight * correct;
    attempts += weight * samples;
    mixed ||= correct > 0 && correct < samples;
    repeated ||= samples > 1;
  }
  if (attempts === 0) return undefinedValue("there are no attempts");
  if (successes === 0) return undefinedValue("nothing was solved: how soon something will be is not known");
  if (successes === attempts) return undefinedValue("every attempt succeeded: how rare failures are is not known");
  if (!repeated) return undefinedValue("one attempt at a problem does not tell how problems differ");
  if (!mixed) return undefinedValue("each problem was solved always or never: coverage does not grow with k");
  for (let i = most - 2; i >= 0; i--)
    for (const histogram of [solved, failed, tried])
      histogram[i] = (histogram[i] as number) + (histogram[i + 1] as number);

  // Towards a + b = ∞ at the mean rate the likelihood grows when pairs of equal outcomes are no more frequent than by chance.
  const rate = successes / attempts;
  let excess = 0;
  for (let i = 0; i < most; i++)
    excess += i * ((solved[i] as number) / rate + (failed[i] as number) / (1 - rate) - (tried[i] as number));
  if (!(excess > 1e-9 * attempts))
    return undefinedValue(
      `problems differ no more than equally hard ones would: pass@k = 1 − (1 − ${rate.toPrecision(3)})^k`,
    );

  const objective = ([logA = 0, logB = 0]: Vector): [number, number[]] => {
    const [a, b] = [Math.exp(logA), Math.exp(logB)];
    let [value, byA, byB] = [0, 0, 0];
    for (let i = 0; i < most; i++) {
      const [s, f, t] = [solved[i] as number, failed[i] as number, tried[i] as number];
      value -= s * Math.log(a + i) + f * Math.log(b + i) - t * Math.log(a + b + i);
      byA -= s / (a + i) - t / (a + b + i);
      byB -= f / (b + i) - t / (a + b + i);
    }
    return [value, [a * byA, b * byB]];
  };
  const { at, value, converged, gradientNorm } = lbfgs(objective, [Math.log(rate), Math.log(1 - rate)]);
  const [a, b] = [Math.exp(at[0] as number), Math.exp(at[1] as number)];
  if (!(a + b < 1e8)) return undefinedValue("problems hardly differ: a and b grow without end");
  return { value: { a, b }, converged, gradientNorm, logLikelihood: -value };
}

export interface CoverageLaw {
  /** Negative: pass@1 = exp(a). */
  readonly a: number;
  /** Negative where coverage tends to 1. */
  readonly b: number;
}

/** exp(a·k^b) */
export const coverageAt = ({ a, b }: CoverageLaw, k: number): number => Math.exp(a * k ** b);

export type CoverageLawFit =
  | {
      readonly value: CoverageLaw;
      readonly why?: undefined;
      readonly converged: boolean;
      readonly gradientNorm: number;
      /** Root mean square of pass@k − exp(a·k^b). */
      readonly residual: number;
    }
  | { readonly value: undefined; readonly why: string };

/**
 * a and b of least squares in pass@k. Choose k evenly in the log (1, 2, 5, 10, …), or the largest ones decide. The start is the
 * line log(−log pass@k) = log(−a) + b·log k.
 */
export function fitCoverageLaw(points: readonly { readonly k: number; readonly value: number }[]): CoverageLawFit {
  for (const [i, { k, value }] of points.entries())
    if (!(k >= 1 && k < Infinity && value >= 0 && value <= 1))
      throw new RangeError(
        `Cannot fit coverage as 'k' must be at least 1 and 'value' in [0, 1]: point ${i} is ${value} at ${k}`,
      );
  const inside = points.filter(({ value }) => value > 0 && value < 1);
  if (new Set(inside.map(({ k }) => k)).size < 2)
    return undefinedValue(
      "coverage is strictly between 0 and 1 at fewer than two k: a law of two numbers is not defined",
    );
  const x = inside.map(({ k }) => Math.log(k));
  const y = inside.map(({ value }) => Math.log(-Math.log(value)));
  const [middleX, middleY] = [mean(x), mean(y)];
  const slope =
    x.reduce((sum, value, i) => sum + (value - middleX) * ((y[i] as number) - middleY), 0) /
    x.reduce((sum, value) => sum + (value - middleX) ** 2, 0);
  const objective = ([height = 0, b = 0]: Vector): [number, number[]] => {
    let [value, byHeight, byB] = [0, 0, 0];
    for (const point of points) {
      const away = Math.log(point.k) - middleX;
      const power = -Math.exp(height + b * away); // a·k^b, with log k centred
      const fitted = Math.exp(power);
      const error = fitted - point.value;
      value += error * error;
      byHeight += 2 * error * fitted * power;
      byB += 2 * error * fitted * power * away;
    }
    return [value, [byHeight, byB]];
  };
  const { at, value, converged, gradientNorm } = lbfgs(objective, [middleY, slope], { enough: 1e-26 * points.length });
  const b = at[1] as number;
  const a = -Math.exp((at[0] as number) - b * middleX);
  if (!Number.isFinite(a)) return undefinedValue("the best fit is outside the range of double precision");
  return { value: { a, b }, converged, gradientNorm, residual: Math.sqrt(value / points.length) };
}

export interface ExtrapolateOptions extends BootstrapOptions {
  /** @default "beta" */
  readonly law?: "beta" | "power-law";
}

/** pass@k at any k under a law fitted to these tallies, one for each problem, with the BCa bootstrap interval over problems. */
export function extrapolateCoverage(
  tallies: readonly Tally[],
  k: number,
  { law = "beta", ...options }: ExtrapolateOptions = {},
): Estimate {
  checkCount("coverage", "k", k, 1);
  if (law === "beta") {
    const { value, why } = fitBetaSuccess(tallies);
    if (!value) return withoutInterval(undefined, why);
    return bootstrap(
      tallies.length,
      (counts) => {
        const drawn = fitBetaSuccess(tallies, counts);
        return drawn.value && drawn.converged ? betaPassAtK(drawn.value, k) : undefined;
      },
      options,
    );
  }
  const least = tallies.reduce((fewest, { samples }) => Math.min(fewest, samples), Infinity);
  if (tallies.length === 0 || least < 2)
    return withoutInterval(undefined, "a curve needs at least two attempts at each problem");
  const ks = logSpaced(least);
  const table = tallies.map((tally) => ks.map((each) => passAtK(tally, each).value as number));
  const fit = (counts: ArrayLike<number>): CoverageLawFit => {
    let total = 0;
    const sums = ks.map(() => 0);
    for (const [i, row] of table.entries()) {
      const count = counts[i] as number;
      total += count;
      for (const [j, value] of row.entries()) sums[j] = (sums[j] as number) + count * value;
    }
    return fitCoverageLaw(ks.map((each, j) => ({ k: each, value: Math.min(1, (sums[j] as number) / total) })));
  };
  const { value, why } = fit(new Float64Array(tallies.length).fill(1));
  if (!value) return withoutInterval(undefined, why);
  return bootstrap(
    tallies.length,
    (counts) => {
      const drawn = fit(counts);
      return drawn.value && drawn.converged ? coverageAt(drawn.value, k) : undefined;
    },
    options,
  );
}

/** Whole numbers from 1 to `most`, about eight for each factor of ten. */
function logSpaced(most: number): number[] {
  const steps = Math.max(1, Math.ceil(8 * Math.log10(most)));
  return [...new Set(Array.from({ length: steps + 1 }, (_, i) => Math.round(most ** (i / steps))))];
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
