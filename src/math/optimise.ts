/** Minima of smooth functions of a few variables, without constraints. */
import { dot, norm, plus, scaled, type Vector } from "./linear.ts";

export interface Minimum {
  readonly at: Vector;
  readonly value: number;
  /** Length of the gradient at the end. */
  readonly gradientNorm: number;
  /** Whether it ended where no further step is worth taking, rather than at `maxIterations` or where no step went down. */
  readonly converged: boolean;
  readonly iterations: number;
}

export interface LbfgsOptions {
  /** Ends when the next step promises less than this share of the value. @default {1e-12} */
  readonly tolerance?: number;
  /** @default {500} */
  readonly maxIterations?: number;
  /** Pairs of steps that stand for the curvature. @default {10}, more than our functions have variables */
  readonly memory?: number;
  /** It ends, converged, at a value at or below this: where the least is 0, rounding is all that is left. @default {-Infinity} */
  readonly enough?: number;
}

/**
 * L-BFGS: quasi-Newton steps from the last few changes of the gradient. Liu & Nocedal 1989, "On the limited memory BFGS method
 * for large scale optimization"; Nocedal & Wright 2006, "Numerical Optimization", algorithms 7.4 and 7.5.
 *
 * The end does not depend on the scale of the function: it compares the decrease that the quadratic model promises, gᵀHg / 2,
 * with the value itself, not the gradient with a constant. A mean in place of a sum then changes nothing; with a constant
 * tolerance it stops early, which is what befell a well-known fit (Besiroglu et al. 2024, arXiv:2404.10102).
 * The line search is by bisection until both weak Wolfe conditions hold (Lewis & Overton 2013, "Nonsmooth optimization via
 * quasi-Newton methods"), which also gets along with kinks. A value that is not finite counts as higher than any other.
 */
export function lbfgs(
  valueAndGradient: (at: Vector) => readonly [value: number, gradient: Vector],
  start: Vector,
  { tolerance = 1e-12, maxIterations = 500, memory = 10, enough = Number.NEGATIVE_INFINITY }: LbfgsOptions = {},
): Minimum {
  let at = start;
  let [value, gradient] = valueAndGradient(at);
  if (!Number.isFinite(value) || !gradient.every(Number.isFinite))
    throw new RangeError("Cannot minimise as the function is not finite at 'start'");
  const floor = 1e-22 * Math.abs(value); // where the least value is 0, no share of it is small enough
  const steps: { s: Vector; y: Vector; sy: number }[] = [];
  let iterations = 0;
  const end = (converged: boolean): Minimum => ({ at, value, gradientNorm: norm(gradient), converged, iterations });

  for (; ; iterations++) {
    if (value <= enough || norm(gradient) === 0) return end(true);
    let direction = descent(gradient, steps);
    let slope = dot(direction, gradient);
    if (!(slope < 0)) {
      steps.length = 0;
      direction = scaled(gradient, -1 / norm(gradient));
      slope = -norm(gradient);
    }
    // Without pairs the scale is not known yet: the promise means something from the second step on.
    if (steps.length > 0 && -slope / 2 <= Math.max(tolerance * Math.abs(value), floor)) return end(true);
    if (iterations === maxIterations) return end(false);

    let [low, high] = [0, Number.POSITIVE_INFINITY];
    let length = 1;
    let next: readonly [number, Vector] | undefined;
    for (let trial = 0; trial < 60; trial++) {
      const tried = valueAndGradient(plus(at, direction, length));
      if (!(Number.isFinite(tried[0]) && tried[0] <= value + 1e-4 * length * slope)) high = length;
      else {
        next = tried;
        low = length;
        if (dot(tried[1], direction) >= 0.9 * slope) break;
      }
      length = high < Number.POSITIVE_INFINITY ? (low + high) / 2 : 2 * low;
    }
    // Rounding hides any further decrease: an end as good as the promise was small.
    if (!next) return end(-slope / 2 <= 1e-9 * Math.abs(value) + floor);
    const s = scaled(direction, low);
    const y = plus(next[1], gradient, -1);
    const sy = dot(s, y);
    at = plus(at, s);
    [value, gradient] = next;
    if (sy > 1e-14 * norm(s) * norm(y)) steps.push({ s, y, sy });
    if (steps.length > memory) steps.shift();
  }
}

/** −H·gradient by the two loops over the remembered steps; the first step has length 1. */
function descent(gradient: Vector, steps: readonly { s: Vector; y: Vector; sy: number }[]): Vector {
  const last = steps.at(-1);
  if (!last) return scaled(gradient, -1 / norm(gradient));
  let q: Vector = gradient;
  const weights: number[] = [];
  for (let i = steps.length - 1; i >= 0; i--) {
    const { s, y, sy } = steps[i] as (typeof steps)[number];
    const weight = dot(s, q) / sy;
    weights[i] = weight;
    q = plus(q, y, -weight);
  }
  q = scaled(q, last.sy / dot(last.y, last.y));
  for (const [i, { s, y, sy }] of steps.entries()) q = plus(q, s, (weights[i] as number) - dot(y, q) / sy);
  return scaled(q, -1);
}
