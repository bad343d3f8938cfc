/**
 * Scaling laws: loss = E + Σ_j A_j / x_j^α_j of one size (parameters, tokens, compute) or of several, as in L(N, D) = E + A/N^α +
 * B/D^β (Hoffmann et al. 2022, arXiv:2203.15556, approach 3).
 *
 * Fitted as there, by the least sum of Huber losses (δ = 1e-3) of log residuals, with L-BFGS from many starts. What went wrong
 * there is guarded against, following Besiroglu et al. 2024, "Chinchilla Scaling: A replication attempt", arXiv:2404.10102:
 * averaging the losses instead of summing them made the optimiser stop before the minimum, at intervals far too narrow. Here the
 * end does not depend on the scale of the loss, sizes are centred in the log (so that A_j and α_j can be told apart by the
 * optimiser), and a fit says whether it converged, how steep it is at the end, and how many starts led to it.
 *
 * Not for a handful of points: 1 + 2 × sizes numbers are fitted, and exponents are known badly unless each size varies over
 * orders of magnitude, on its own.
 */
import { checkLevel, type LevelOptions } from "../math/intervals.ts";
import { dot, leastSquares, norm, type Vector } from "../math/linear.ts";
import { lbfgs, type Minimum } from "../math/optimise.ts";
import { random } from "../math/random.ts";
import { regularisedBeta } from "../math/special.ts";
import { studentQuantile } from "../math/student.ts";
import { fold, key, type Key } from "../key.ts";
import { bca, drawCounts } from "./bootstrap.ts";
import { checkCount, checkFinite, type Estimate, undefinedValue, withoutInterval } from "./estimate.ts";

export interface ScalingPoint {
  /** Positive, equally many at each point: [parameters, tokens]. */
  readonly sizes: readonly number[];
  /** Positive. */
  readonly loss: number;
}

export interface ScalingLaw {
  /** E, which no size gets below. */
  readonly floor: number;
  /** A_j, α_j of each size. */
  readonly scales: readonly number[];
  readonly exponents: readonly number[];
}

/** The loss that a law gives at these sizes. */
export const lossAt = ({ floor, scales, exponents }: ScalingLaw, sizes: readonly number[]): number =>
  sizes.reduce((sum, size, j) => sum + (scales[j] as number) * size ** -(exponents[j] as number), floor);

/**
 * The sizes [N, D] of least loss at a compute of 6·N·D operations: N = G·(C/6)^(β/(α+β)), G = (αA / βB)^(1/(α+β)), and D the rest.
 * Hoffmann et al. 2022, §3.3. The law must be of two sizes.
 */
export function computeOptimal({ scales, exponents }: ScalingLaw, operations: number): [number, number] {
  const [a, b, alpha, beta] = [scales[0] ?? 0, scales[1] ?? 0, exponents[0] ?? 0, exponents[1] ?? 0];
  if (scales.length !== 2 || !(a > 0 && b > 0 && alpha > 0 && beta > 0))
    throw new RangeError("Cannot divide compute as the law must be of two sizes with positive scales and exponents");
  const first = ((alpha * a) / (beta * b)) ** (1 / (alpha + beta)) * (operations / 6) ** (beta / (alpha + beta));
  return [first, operations / 6 / first];
}

export interface ScalingFitOptions {
  /** Log residuals beyond it count by their size, not by their square. @default 1e-3, as in Hoffmann et al. 2022 */
  readonly delta?: number;
  /** Exponents from all combinations of which the optimiser starts. @default [0.1, 0.2, 0.4, 0.8, 1.6] */
  readonly startExponents?: readonly number[];
}

export type ScalingFit =
  | {
      readonly value: ScalingLaw;
      readonly why?: undefined;
      readonly converged: boolean;
      /** Of the sum of Huber losses in units of δ², with respect to the logs of the terms and the exponents. */
      readonly gradientNorm: number;
      /** Starts, and how many of them ended at this loss, to a millionth of it. One of many is a reason to doubt the minimum. */
      readonly starts: number;
      readonly agreeing: number;
      /** Root mean square of log(loss / fitted loss). */
      readonly logResidual: number;
      /** That it was fitted with. */
      readonly delta: number;
    }
  | { readonly value: undefined; readonly why: string };

/** @throws RangeError for sizes or losses that are not positive */
export function fitScalingLaw(points: readonly ScalingPoint[], options: ScalingFitOptions = {}): ScalingFit {
  const problem = problemOf(points, options);
  if ("why" in problem) return problem;
  const ones = new Float64Array(points.length).fill(1);
  const found = problem.starts.map((start) => problem.minimise(start, ones));
  const best = found.reduce((a, b) => (b.value < a.value ? b : a));
  const residuals = problem.residuals(best.at);
  if (!problem.lawOf(best.at)) return undefinedValue("the best fit is outside the range of double precision");
  return {
    value: problem.lawOf(best.at) as ScalingLaw,
    converged: best.converged,
    gradientNorm: best.gradientNorm,
    starts: found.length,
    agreeing: found.filter(({ value }) => value <= best.value * (1 + 1e-6) + 1e-9).length,
    logResidual: norm(residuals) / Math.sqrt(residuals.length),
    delta: problem.delta,
  };
}

interface FitProblem {
  readonly delta: number;
  readonly starts: readonly Vector[];
  /** The least sum of Huber losses in which point i counts `counts[i]` times. */
  minimise(start: Vector, counts: ArrayLike<number>): Minimum;
  residuals(at: Vector): number[];
  lawOf(at: Vector): ScalingLaw | undefined;
  thetaOf(law: ScalingLaw): Vector;
}

/** In θ = [log E, log A_1 − α_1 m_1, …, α_1, …], where m_j is the mean log of size j. */
function problemOf(
  points: readonly ScalingPoint[],
  { delta = 1e-3, startExponents = [0.1, 0.2, 0.4, 0.8, 1.6] }: ScalingFitOptions,
): FitProblem | { readonly value: undefined; readonly why: string } {
  if (!(delta > 0)) throw new RangeError(`Cannot fit a law as 'delta' must be positive: current value is ${delta}`);
  const terms = points[0]?.sizes.length ?? 1;
  for (const [i, { sizes, loss }] of points.entries())
    if (sizes.length !== terms || ![...sizes, loss].every((x) => x > 0 && x < Infinity))
      throw new RangeError(
        `Cannot fit a law as sizes and losses must be positive, with ${terms} sizes at each point: point ${i} is ${sizes} with ${loss}`,
      );
  const n = points.length;
  if (n <= 1 + 2 * terms) return undefinedValue(`${n} points are too few for a law of ${1 + 2 * terms} numbers`);
  const means = Array.from({ length: terms }, (_, j) => mean(points.map(({ sizes }) => Math.log(sizes[j] as number))));
  const logs = points.map(({ sizes }) => sizes.map((size, j) => Math.log(size) - (means[j] as number)));
  const logLosses = points.map(({ loss }) => Math.log(loss));
  for (let j = 0; j < terms; j++)
    if (new Set(logs.map((log) => log[j])).size < 3)
      return undefinedValue(`size ${j} has fewer than three values: its exponent is not defined`);

  /** log of the fitted loss, and the share of each term in it. */
  const shares = new Float64Array(terms + 1);
  const fitted = (theta: Vector, log: Vector): number => {
    let most = theta[0] as number;
    shares[0] = most;
    for (let j = 0; j < terms; j++) {
      const term = (theta[1 + j] as number) - (theta[1 + terms + j] as number) * (log[j] as number);
      shares[j + 1] = term;
      if (term > most) most = term;
    }
    let sum = 0;
    for (let j = 0; j <= terms; j++) sum += shares[j] = Math.exp((shares[j] as number) - most);
    for (let j = 0; j <= terms; j++) shares[j] = (shares[j] as number) / sum;
    return most + Math.log(sum);
  };

  const objective = (theta: Vector, counts: ArrayLike<number>): [number, number[]] => {
    let value = 0;
    const gradient = Array<number>(theta.length).fill(0);
    for (let i = 0; i < n; i++) {
      const count = counts[i] as number;
      if (count === 0) continue;
      const log = logs[i] as Vector;
      const r = (fitted(theta, log) - (logLosses[i] as number)) / delta;
      value += count * (Math.abs(r) <= 1 ? 0.5 * r * r : Math.abs(r) - 0.5);
      const slope = (count * Math.max(-1, Math.min(1, r))) / delta;
      gradient[0] = (gradient[0] as number) + slope * (shares[0] as number);
      for (let j = 0; j < terms; j++) {
        const own = slope * (shares[j + 1] as number);
        gradient[1 + j] = (gradient[1 + j] as number) + own;
        gradient[1 + terms + j] = (gradient[1 + terms + j] as number) - own * (log[j] as number);
      }
    }
    return [value, gradient];
  };

  // With the exponents given the rest is linear: E and A_j by relative least squares, kept positive.
  const grid = Array.from({ length: terms }).reduce<number[][]>(
    (rows) => rows.flatMap((row) => startExponents.map((exponent) => [...row, exponent])),
    [[]],
  );
  const starts = grid.map((exponents) => {
    const rows = points.map(({ loss }, i) =>
      [1, ...exponents.map((exponent, j) => Math.exp(-exponent * ((logs[i] as Vector)[j] as number)))].map(
        (x) => x / loss,
      ),
    );
    const typical = Math.exp(mean(logLosses));
    const linear = leastSquares(rows, Array(n).fill(1)).map((x) => Math.log(Math.max(x, 0.01 * typical)));
    return [...linear, ...exponents];
  });

  return {
    delta,
    starts,
    // Log residuals of 1e-13 are rounding.
    minimise: (start, counts) =>
      lbfgs((theta) => objective(theta, counts), start, { enough: n * (1e-13 / delta) ** 2 }),
    residuals: (theta) => logs.map((log, i) => (logLosses[i] as number) - fitted(theta, log)),
    lawOf: (theta) => {
      const exponents = theta.slice(1 + terms);
      const law = {
        floor: Math.exp(theta[0] as number),
        scales: exponents.map((exponent, j) => Math.exp((theta[1 + j] as number) + exponent * (means[j] as number))),
        exponents,
      };
      return [law.floor, ...law.scales, ...exponents].every(Number.isFinite) ? law : undefined;
    },
    thetaOf: ({ floor, scales, exponents }) => [
      Math.max(Math.log(floor), -700),
      ...scales.map((scale, j) => Math.max(Math.log(scale), -700) - (exponents[j] as number) * (means[j] as number)),
      ...exponents,
    ],
  };
}

export interface ResampleOptions {
  /** @default 1000 */
  readonly resamples?: number;
  /** @default 0 */
  readonly seed?: Key | number;
}

export interface ResampledLaw {
  /** An interval (BCa bootstrap over points) for anything that a law says: `(law) => law.exponents[0]`. */
  interval(quantity: (law: ScalingLaw) => number, options?: LevelOptions): Estimate;
  /** The loss of a new run at these sizes, with the interval for its own noise included; noise is drawn from the residuals. */
  prediction(sizes: readonly number[], options?: LevelOptions): Estimate;
  /** Resamples whose fit did not converge; they are left out. */
  readonly unconverged: number;
}

/** Fits the law anew to points drawn with replacement, and with each point left out; each fit starts from the first one. */
export function resampleScalingLaw(
  points: readonly ScalingPoint[],
  fit: ScalingFit,
  { resamples = 1000, seed = 0 }: ResampleOptions = {},
): ResampledLaw {
  checkCount("a bootstrap interval", "resamples", resamples, 2);
  const nothing = (why: string): ResampledLaw => ({
    interval: () => withoutInterval(undefined, why),
    prediction: () => withoutInterval(undefined, why),
    unconverged: 0,
  });
  if (!fit.value) return nothing(fit.why);
  const problem = problemOf(points, { delta: fit.delta });
  if ("why" in problem) return nothing(problem.why);
  const law = fit.value;
  const start = problem.thetaOf(law);
  const residuals = problem.residuals(start);
  const counts = new Int32Array(points.length);
  let unconverged = 0;
  const fitDrawn = (): ScalingLaw[] => {
    const minimum = problem.minimise(start, counts);
    const drawn = minimum.converged ? problem.lawOf(minimum.at) : undefined;
    if (!drawn) unconverged++;
    return drawn ? [drawn] : [];
  };
  const drawn = Array.from({ length: resamples }, (_, r) => {
    drawCounts(counts, seed, r);
    return fitDrawn();
  }).flat();
  const without = points.flatMap((_, i) => {
    counts.fill(1);
    counts[i] = 0;
    return fitDrawn();
  });
  const tooFew =
    drawn.length < 0.95 * resamples
      ? `${resamples - drawn.length} of ${resamples} fits to drawn points did not converge`
      : undefined;
  return {
    unconverged,
    interval(quantity, { level = 0.95 } = {}) {
      checkLevel(level);
      const value = quantity(law);
      if (tooFew) return withoutInterval(value, tooFew);
      const interval = bca(value, Float64Array.from(drawn, quantity), without.map(quantity), level);
      return interval ? { value, ...interval } : withoutInterval(value, "it is the same in all fits to drawn points");
    },
    prediction(sizes, { level = 0.95 } = {}) {
      checkLevel(level);
      const value = lossAt(law, sizes);
      if (tooFew) return withoutInterval(value, tooFew);
      const stream = random(fold(typeof seed === "number" ? key(seed) : seed, "noise"));
      // Residuals of a fit are shorter than the noise, by the numbers that were fitted.
      const inflation = Math.sqrt(points.length / (points.length - start.length));
      const drawnLosses = drawn
        .map((one) => lossAt(one, sizes) * Math.exp(inflation * stream.pick(residuals)))
        .sort((a, b) => a - b);
      const tail = Math.floor(((1 - level) / 2) * drawnLosses.length);
      return { value, low: drawnLosses[tail] as number, high: drawnLosses.at(-1 - tail) as number };
    },
  };
}

/**
 * How many runs a claimed interval would need, where `runs` gave one of your own for the same quantity: widths shrink with the root
 * of the number. Besiroglu et al. 2024 found that way that a published interval would have needed more than 600,000 runs.
 */
export function runsNeeded(
  own: Estimate,
  claimed: { readonly low: number; readonly high: number },
  { runs }: { readonly runs: number },
):
  | { readonly value: number; readonly warning: string | undefined }
  | { readonly value: undefined; readonly why: string } {
  checkCount("the runs of an interval", "runs", runs, 1);
  if (!(claimed.high > claimed.low))
    throw new RangeError(
      `Cannot judge an interval as 'claimed' must have a width: it is [${claimed.low}, ${claimed.high}]`,
    );
  if (own.low === undefined) return undefinedValue(own.why);
  const value = runs * ((own.high - own.low) / (claimed.high - claimed.low)) ** 2;
  // Ten times as many would explain a third of the width; bootstrap and luck together do not.
  const warning =
    value > 10 * runs
      ? `an interval this narrow needs about ${Math.round(value)} runs, and there are ${runs}: was the fit converged, the loss summed?`
      : undefined;
  return { value, warning };
}

export interface HeldOut {
  readonly predicted: Estimate;
  readonly observed: number;
}

export interface Extrapolation {
  /** Of those that have an interval: how many there are, and how many observations lie outside. */
  readonly points: number;
  readonly outside: number;
  /** The largest |log(observed / predicted)|, or undefined without points. */
  readonly worstLogError: number | undefined;
  /** False where more lie outside than the level allows for, or where there is nothing to judge by; `why` then says so. */
  readonly holds: boolean;
  readonly why: string | undefined;
}

/**
 * Whether predictions with intervals came true on points that the fit has not seen, further out than those it has. It does not
 * hold if as many outside have a probability of at most 1 − level, were each outside with 1 − level: one of one, two of five.
 */
export function checkExtrapolation(points: readonly HeldOut[], { level = 0.95 }: LevelOptions = {}): Extrapolation {
  checkLevel(level);
  checkFinite(
    "a judgement of predictions",
    "observed",
    points.map(({ observed }) => observed),
  );
  const judged = points.filter(({ predicted }) => predicted.low !== undefined);
  const outside = judged.filter(({ predicted, observed }) => {
    const { low, high } = predicted as { low: number; high: number };
    return observed < low || observed > high;
  }).length;
  const errors = points.flatMap(({ predicted: { value }, observed }) =>
    value !== undefined && value > 0 && observed > 0 ? [Math.abs(Math.log(observed / value))] : [],
  );
  const worstLogError = errors.length > 0 ? Math.max(...errors) : undefined;
  const result = { points: judged.length, outside, worstLogError };
  if (judged.length === 0) return { ...result, holds: false, why: "no prediction has an interval to judge by" };
  const chance = outside === 0 ? 1 : regularisedBeta(1 - level, outside, judged.length - outside + 1);
  return chance > 1 - level + 1e-12
    ? { ...result, holds: true, why: undefined }
    : { ...result, holds: false, why: `${outside} of ${judged.length} held-out points lie outside their intervals` };
}

export interface TradeOffPoint {
  /** Compute spent in training, and on each answer; positive. */
  readonly train: number;
  readonly test: number;
  /** What was reached: Elo, accuracy in logits, any scale on which the lines are straight. */
  readonly performance: number;
}

export type TradeOff = Estimate & {
  /** log10 test = slope · log10 train + perPerformance · performance + intercept */
  readonly perPerformance: number | undefined;
  readonly intercept: number | undefined;
  /** The standard deviation of log10 test around the line. */
  readonly residual: number | undefined;
};

/**
 * Lines of equal performance in training and test compute: the slope of log10 test on log10 train at a fixed performance. At −1
 * ten times the training saves nine tenths of the test compute. Jones 2021, "Scaling Scaling Laws with Board Games",
 * arXiv:2104.03113, who fits such lines to Hex. By least squares, with Student's exact interval for independent normal errors in
 * log10 test; where the lines are curved, or training compute is what errs, it is not for them.
 */
export function tradeOff(points: readonly TradeOffPoint[], { level = 0.95 }: LevelOptions = {}): TradeOff {
  checkLevel(level);
  for (const [i, { train, test, performance }] of points.entries())
    if (!(train > 0 && train < Infinity && test > 0 && test < Infinity && Number.isFinite(performance)))
      throw new RangeError(
        `Cannot fit a line as 'train' and 'test' must be positive: point ${i} has ${train}, ${test} at ${performance}`,
      );
  const none = (why: string): TradeOff => ({
    ...withoutInterval(undefined, why),
    perPerformance: undefined,
    intercept: undefined,
    residual: undefined,
  });
  const x = points.map(({ train }) => Math.log10(train));
  const y = points.map(({ test }) => Math.log10(test));
  const level0 = mean(points.map(({ performance }) => performance));
  const z = points.map(({ performance }) => performance - level0);
  const varied = z.some((value) => Math.abs(value) > 1e-12 * Math.max(1, Math.abs(level0)));
  const degrees = points.length - (varied ? 3 : 2);
  if (degrees < 1) return none(`${points.length} points are too few for a line with an interval`);
  // Frisch & Waugh: what performance and the constant leave of x explains what they leave of y.
  const left = (values: Vector): number[] => {
    const middle = mean(values);
    const share = varied ? dot(values, z) / dot(z, z) : 0;
    return values.map((value, i) => value - middle - share * (z[i] as number));
  };
  const [freeX, freeY] = [left(x), left(y)];
  const spread = dot(freeX, freeX);
  if (!(spread > 1e-12 * points.length))
    return none("training compute does not vary at a fixed performance: a slope is not defined");
  const slope = dot(freeX, freeY) / spread;
  const rest = freeY.map((value, i) => value - slope * (freeX[i] as number));
  const residual = Math.sqrt(dot(rest, rest) / degrees);
  const half = studentQuantile((1 + level) / 2, degrees) * (residual / Math.sqrt(spread));
  const perPerformance = varied ? (dot(y, z) - slope * dot(x, z)) / dot(z, z) : 0;
  return {
    value: slope,
    low: slope - half,
    high: slope + half,
    perPerformance,
    intercept: mean(y) - slope * mean(x) - perPerformance * level0,
    residual,
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
