import { expect, test } from "vitest";
import { dot, type Vector } from "./linear.ts";
import { lbfgs } from "./optimise.ts";

/** Rosenbrock 1960: a bent valley, least at (1, …, 1) with value 0. */
function rosenbrock(x: Vector): [number, number[]] {
  let value = 0;
  const gradient = x.map(() => 0);
  for (let i = 0; i + 1 < x.length; i++) {
    const [a, b] = [x[i] as number, x[i + 1] as number];
    value += 100 * (b - a * a) ** 2 + (1 - a) ** 2;
    gradient[i] = (gradient[i] as number) - 400 * a * (b - a * a) - 2 * (1 - a);
    gradient[i + 1] = 200 * (b - a * a);
  }
  return [value, gradient];
}

/** Beale 1958: least at (3, 0.5) with value 0. */
function beale([x = 0, y = 0]: Vector): [number, number[]] {
  const parts = [1.5, 2.25, 2.625].map((c, i) => c - x + x * y ** (i + 1));
  return [
    parts.reduce((sum, part) => sum + part * part, 0),
    [
      parts.reduce((sum, part, i) => sum + 2 * part * (y ** (i + 1) - 1), 0),
      parts.reduce((sum, part, i) => sum + 2 * part * x * (i + 1) * y ** i, 0),
    ],
  ];
}

test("the known minima of test functions", () => {
  for (const start of [
    [-1.2, 1],
    [-1.2, 1, -1.2, 1, 2],
  ]) {
    const { at, value, converged, gradientNorm } = lbfgs(rosenbrock, start);
    for (const x of at) expect(x).toBeCloseTo(1, 8);
    expect(value).toBeLessThan(1e-16);
    expect(gradientNorm).toBeLessThan(1e-6);
    expect(converged).toBe(true);
  }
  const { at, converged } = lbfgs(beale, [1, 1]);
  expect(at[0]).toBeCloseTo(3, 7);
  expect(at[1]).toBeCloseTo(0.5, 7);
  expect(converged).toBe(true);
});

test("a quadratic with curvatures from 1 to 1e6: (A⁻¹ b)", () => {
  const curvatures = [1, 1e2, 1e4, 1e6];
  const { at, iterations } = lbfgs(
    (x) => [
      x.reduce((sum, v, i) => sum + ((curvatures[i] as number) * v * v) / 2 - v, 10),
      x.map((v, i) => (curvatures[i] as number) * v - 1),
    ],
    [5, 5, 5, 5],
  );
  for (const [i, x] of at.entries()) expect(x * (curvatures[i] as number)).toBeCloseTo(1, 3);
  expect(iterations).toBeLessThan(60);
});

test("a sum and a mean have the same minimum, in the same number of steps", () => {
  const shifted = (x: Vector): [number, number[]] => {
    const [value, gradient] = rosenbrock(x);
    return [value + 3, gradient];
  };
  const sum = lbfgs(shifted, [-1.2, 1]);
  for (const scale of [2 ** -40, 2 ** 30]) {
    const mean = lbfgs(
      (x) => {
        const [value, gradient] = shifted(x);
        return [scale * value, gradient.map((g) => scale * g)];
      },
      [-1.2, 1],
    );
    expect(mean.at).toEqual(sum.at);
    expect(mean.iterations).toBe(sum.iterations);
  }
  expect(sum.at[0]).toBeCloseTo(1, 5);
});

test("a small gradient is no end: far from the minimum of a mean it may be below any constant", () => {
  const start = [-1.2, 1];
  const ended = lbfgs((x) => [2 ** -40 * rosenbrock(x)[0], rosenbrock(x)[1].map((g) => 2 ** -40 * g)], start, {
    maxIterations: 3,
  });
  expect(ended.gradientNorm).toBeLessThan(1e-9);
  expect(Math.abs((ended.at[0] as number) - 1)).toBeGreaterThan(1);
  expect(ended.converged).toBe(false);
});

test("it steps back from where the function is not finite", () => {
  // x − log x, least at 1.
  const { at, converged } = lbfgs(([x = 0]) => [x - Math.log(x), [1 - 1 / x]], [1e-3]);
  expect(at[0]).toBeCloseTo(1, 5);
  expect(converged).toBe(true);
  expect(() => lbfgs(([x = 0]) => [Math.log(x), [1 / x]], [-1])).toThrow(/not finite at 'start'/);
});

test("a value that is low enough ends it", () => {
  const ended = lbfgs(rosenbrock, [-1.2, 1], { enough: 1 });
  expect(ended.converged).toBe(true);
  expect(ended.value).toBeLessThanOrEqual(1);
  expect(ended.value).toBeGreaterThan(1e-3);
});

test("out of iterations, it says so", () => {
  const ended = lbfgs(rosenbrock, [-1.2, 1], { maxIterations: 5 });
  expect(ended.converged).toBe(false);
  expect(ended.iterations).toBe(5);
  expect(ended.gradientNorm).toBeCloseTo(Math.sqrt(dot(rosenbrock(ended.at)[1], rosenbrock(ended.at)[1])), 12);
});
