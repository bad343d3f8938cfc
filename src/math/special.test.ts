import { expect, test } from "vitest";
import { random } from "./random.ts";
import { drawBeta, drawGamma, drawLogGamma, drawStudent } from "./distributions.ts";
import { logGamma, regularisedBeta } from "./special.ts";
import { studentCdf, studentQuantile } from "./student.ts";

test("log Γ at factorials, a half, and by its recurrence", () => {
  expect(logGamma(1)).toBeCloseTo(0, 14);
  expect(logGamma(10)).toBeCloseTo(Math.log(362_880), 13);
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 14);
  for (const x of [0.01, 0.3, 2.7, 31.4, 500.5]) expect(logGamma(x + 1) - logGamma(x)).toBeCloseTo(Math.log(x), 11);
  expect([0, -1, Number.NaN].map(logGamma)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});

test("the incomplete beta function: binomial tails, and its symmetry", () => {
  // P(at least 2 of 4) at p = 0.3 is I_0.3(2, 3)
  expect(regularisedBeta(0.3, 2, 3)).toBeCloseTo(1 - 0.7 ** 4 - 4 * 0.3 * 0.7 ** 3, 13);
  expect(regularisedBeta(0.25, 1, 1)).toBeCloseTo(0.25, 14);
  for (const [x, a, b] of [
    [0.1, 0.5, 40],
    [0.9, 12, 0.7],
    [0.5, 300, 300],
  ] as const)
    expect(regularisedBeta(x, a, b)).toBeCloseTo(1 - regularisedBeta(1 - x, b, a), 12);
  expect(regularisedBeta(0, 2, 3)).toBe(0);
  expect(regularisedBeta(1.2, 2, 3)).toBeNaN();
});

test("Student's quantiles: the printed table, and the inverse of the distribution far into the tails", () => {
  // Columns 0.95 and 0.995 of the table of percentage points, as in Fisher & Yates 1938.
  const table = [
    [1, 6.314, 63.657],
    [2, 2.92, 9.925],
    [5, 2.015, 4.032],
    [30, 1.697, 2.75],
    [120, 1.658, 2.617],
  ] as const;
  for (const [degrees, at95, at995] of table) {
    expect(studentQuantile(0.95, degrees)).toBeCloseTo(at95, 3);
    expect(studentQuantile(0.995, degrees)).toBeCloseTo(at995, 3);
  }
  for (const degrees of [2, 3, 7, 40, 900])
    for (const u of [1e-9, 0.001, 0.2, 0.5001, 0.8, 0.9999])
      expect(studentCdf(studentQuantile(u, degrees), degrees) / u).toBeCloseTo(1, 9);
  expect(() => studentQuantile(1, 3)).toThrow(RangeError);
});

test("draws have the moments of their laws", () => {
  const stream = random(11);
  const draws = 20_000;
  const meanOf = (draw: () => number) => {
    let sum = 0;
    for (let i = 0; i < draws; i++) sum += draw();
    return sum / draws;
  };
  const within = (mean: number, expected: number, variance: number) =>
    expect(Math.abs(mean - expected)).toBeLessThan(4.5 * Math.sqrt(variance / draws)); // false alarm: 7e-6 each
  within(
    meanOf(() => drawGamma(0.5, stream)),
    0.5,
    0.5,
  );
  within(
    meanOf(() => drawGamma(7.3, stream)),
    7.3,
    7.3,
  );
  within(
    meanOf(() => drawBeta(0.5, 1.5, stream)),
    0.25,
    (0.5 * 1.5) / (4 * 3),
  );
  within(
    meanOf(() => drawStudent(8, stream)),
    0,
    8 / 6,
  );
  within(
    meanOf(() => Number(drawStudent(2, stream) > 2.92)),
    0.05,
    0.05 * 0.95,
  );
});

test("a gamma draw and its logarithm are of one stream; the logarithm is finite where the draw is too small for a number", () => {
  for (const shape of [0.3, 1, 4.2])
    for (let seed = 0; seed < 20; seed++)
      expect(drawLogGamma(shape, random(seed))).toBeCloseTo(Math.log(drawGamma(shape, random(seed))), 12);
  const small = Array.from({ length: 50 }, (_, seed) => [
    drawGamma(1e-4, random(seed)),
    drawLogGamma(1e-4, random(seed)),
  ]);
  expect(small.some(([draw]) => draw === 0)).toBe(true);
  expect(small.every(([, log]) => Number.isFinite(log))).toBe(true);
});

test("the incomplete beta function of large counts: one half in the middle, the normal law a deviation from it", () => {
  for (const n of [1e4, 1e6]) {
    expect(Math.abs(regularisedBeta(0.5, n, n) - 0.5)).toBeLessThan(n > 1e5 ? 1e-8 : 1e-12);
    // Beta(n, n) has deviation 1 / sqrt(8n + 4), and differs from the normal law by terms of order 1/n.
    expect(regularisedBeta(0.5 + 1 / Math.sqrt(8 * n + 4), n, n)).toBeCloseTo(0.841344746068543, n > 1e5 ? 6 : 4);
  }
});
