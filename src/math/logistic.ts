/**
 * Logistic regression through the origin: P(y = 1 | x) = 1 / (1 + exp(−w·x)), by Newton's steps, which here are iteratively
 * reweighted least squares. Nelder & Wedderburn 1972, "Generalized linear models", JRSS A 135(3), 370. Steps that would raise
 * the loss are halved. With `l2` > 0 the loss −Σ log p + (l2 / 2)·|w|² has one minimum, also where the data can be separated.
 */
import { dot } from "./linear.ts";

export interface LogisticFit {
  readonly weights: readonly number[];
  /** −Σ log p of the data, in nats, without the penalty. */
  readonly loss: number;
  readonly iterations: number;
}

/** `rows` [data][features], `labels` [data] 1 or 0, or between for shares. Cost: data × features² + features³ a step. */
export function logisticRegression(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  { l2 = 1 }: { l2?: number } = {},
): LogisticFit {
  const size = rows[0]?.length ?? 0;
  if (
    size === 0 ||
    labels.length !== rows.length ||
    !rows.every((row) => row.length === size && row.every(Number.isFinite))
  )
    throw new RangeError(
      "Cannot fit as 'rows' must be finite numbers, equally many in each, and 'labels' as many as rows",
    );
  if (!(l2 > 0 && l2 < Infinity))
    throw new RangeError(`Cannot fit as 'l2' must be a positive number: current value is ${l2}`);

  const lossOf = (weights: readonly number[]): number =>
    rows.reduce((sum, row, i) => {
      const margin = dot(row, weights);
      return sum + softplus(margin) - (labels[i] as number) * margin;
    }, 0);
  const penalised = (weights: readonly number[]): number => lossOf(weights) + (l2 / 2) * dot(weights, weights);

  let weights: number[] = Array.from({ length: size }, () => 0);
  let objective = penalised(weights);
  for (let iterations = 1; iterations <= 100; iterations++) {
    const gradient = weights.map((weight) => l2 * weight);
    const hessian = weights.map((_, a) => weights.map((_, b) => (a === b ? l2 : 0)));
    for (const [i, row] of rows.entries()) {
      const p = sigmoid(dot(row, weights));
      for (let a = 0; a < size; a++) {
        (gradient as number[])[a] = (gradient[a] as number) + (p - (labels[i] as number)) * (row[a] as number);
        const curvature = hessian[a] as number[];
        for (let b = 0; b <= a; b++)
          curvature[b] = (curvature[b] as number) + p * (1 - p) * (row[a] as number) * (row[b] as number);
      }
    }
    const step = solvePositive(hessian, gradient);
    let share = 1;
    let next = weights;
    let value = objective;
    for (; share > 1e-10; share /= 2) {
      next = weights.map((weight, a) => weight - share * (step[a] as number));
      value = penalised(next);
      if (value <= objective) break;
    }
    const gained = objective - value;
    if (value <= objective) [weights, objective] = [next, value];
    if (!(gained > 1e-12 * (1 + Math.abs(objective)))) return { weights, loss: lossOf(weights), iterations };
  }
  return { weights, loss: lossOf(weights), iterations: 100 };
}

/** 1 / (1 + exp(−x)): log-odds to a probability. */
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** log(1 + exp(x)) without overflow. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** x of A·x = b for a symmetric positive definite A, of which the lower triangle is read. Cholesky; Golub & Van Loan. */
function solvePositive(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const lower: number[][] = [];
  const solution: number[] = [];
  for (const [i, row] of matrix.entries()) {
    const own: number[] = [];
    lower.push(own);
    for (let j = 0; j <= i; j++) {
      let sum = row[j] as number;
      for (let k = 0; k < j; k++) sum -= (own[k] as number) * (lower[j]?.[k] as number);
      own.push(i === j ? Math.sqrt(Math.max(sum, Number.MIN_VALUE)) : sum / (lower[j]?.[j] as number));
    }
    let sum = right[i] as number;
    for (let k = 0; k < i; k++) sum -= (own[k] as number) * (solution[k] as number);
    solution.push(sum / (own[i] as number));
  }
  for (let i = matrix.length - 1; i >= 0; i--) {
    let sum = solution[i] as number;
    for (let k = i + 1; k < matrix.length; k++) sum -= (lower[k]?.[i] as number) * (solution[k] as number);
    solution[i] = sum / (lower[i]?.[i] as number);
  }
  return solution;
}
