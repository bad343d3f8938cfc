import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clopperPearson, credible, jeffreys, wilson } from "./intervals.ts";
import { logGamma } from "./special.ts";

// Newcombe 1998, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, table I, method 3.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])("wilson(%i, %i) is [%f, %f]", (successes, trials, low, high) => {
  const interval = wilson(successes, trials);
  expect(interval.low).toBeCloseTo(low, 4);
  expect(interval.high).toBeCloseTo(high, 4);
});

test("the ends solve |p - phat| = z sqrt(p(1-p)/n), stay in [0, 1] and mirror", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, share) => {
      const successes = Math.round(share * trials);
      const { low, high } = wilson(successes, trials);
      const mirrored = wilson(trials - successes, trials);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(mirrored.low).toBeCloseTo(1 - high, 12);
      for (const p of [low, high])
        expect(Math.abs(p - successes / trials)).toBeCloseTo(1.959963984540054 * Math.sqrt((p * (1 - p)) / trials), 9);
    }),
  );
});

test.each([
  // The rule of three made exact: (1 - p)^10 = 0.025 where none of 10 succeeded.
  [0, 10, 0, 1 - 0.025 ** 0.1],
  [10, 10, 0.025 ** 0.1, 1],
  // Newcombe 1998, table I, method 5.
  [81, 263, 0.2527, 0.3676],
  [15, 148, 0.0578, 0.1617],
  [1, 29, 0.0009, 0.1776],
])("clopperPearson(%i, %i) is [%f, %f]", (successes, trials, low, high) => {
  const interval = clopperPearson(successes, trials);
  expect(interval.low).toBeCloseTo(low, 4);
  expect(interval.high).toBeCloseTo(high, 4);
});

test("posterior intervals: of a uniform prior and one success the quantiles of p²; Jeffreys reaches the ends", () => {
  const { low, high } = credible(1, 1, { prior: [1, 1] });
  expect(low).toBeCloseTo(Math.sqrt(0.025), 12);
  expect(high).toBeCloseTo(Math.sqrt(0.975), 12);
  expect(jeffreys(0, 12).low).toBe(0);
  expect(jeffreys(12, 12).high).toBe(1);
  expect(jeffreys(5, 12)).toEqual(credible(5, 12));
});

/** Exact: the probability of all counts whose interval holds p. */
function coverage(p: number, n: number, holds: (successes: number) => boolean): number {
  let sum = 0;
  for (let x = 0; x <= n; x++)
    if (holds(x))
      sum += Math.exp(
        logGamma(n + 1) - logGamma(x + 1) - logGamma(n - x + 1) + x * Math.log(p) + (n - x) * Math.log1p(-p),
      );
  return sum;
}

describe.each([3, 10, 30, 100, 300, 1000])("coverage with %i trials", (n) => {
  const places = [0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.98, 0.999];
  const grid = Array.from({ length: 200 }, (_, i) => (i + 0.5) / 200);
  const covered = (interval: (successes: number, trials: number) => { low: number; high: number }, at: number[]) => {
    const table = Array.from({ length: n + 1 }, (_, x) => interval(x, n));
    return at.map((p) => coverage(p, n, (x) => (table[x]?.low as number) <= p && p <= (table[x]?.high as number)));
  };
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

  test("Clopper-Pearson never covers less than it says", () => {
    expect(Math.min(...covered(clopperPearson, [...places, ...grid]))).toBeGreaterThanOrEqual(0.95);
  });

  test("Wilson and Jeffreys cover as they say on average over p, a little less at the worst p", () => {
    for (const interval of [wilson, jeffreys]) {
      expect(Math.abs(mean(covered(interval, grid)) - 0.95)).toBeLessThan(n < 10 ? 0.02 : 0.01);
      expect(Math.min(...covered(interval, places))).toBeGreaterThan(n < 10 ? 0.85 : 0.88);
    }
  });

  test("under the uniform prior the average over all p is the level itself", () => {
    const uniform = (successes: number, trials: number) => credible(successes, trials, { prior: [1, 1] });
    // Σ over x of the prior's mass that fits: each count is equally likely, and each posterior holds its level.
    expect(
      mean(
        covered(
          uniform,
          Array.from({ length: 2000 }, (_, i) => (i + 0.5) / 2000),
        ),
      ),
    ).toBeCloseTo(0.95, 2);
  });

  test("the normal interval does not", () => {
    const normal = (x: number) => {
      const half = 1.96 * Math.sqrt((x * (n - x)) / n ** 3);
      return { low: x / n - half, high: x / n + half };
    };
    expect(Math.min(...covered(normal, places))).toBeLessThan(0.7);
    if (n <= 100) expect(mean(covered(normal, grid))).toBeLessThan(0.945);
  });
});

test("what is no count is refused", () => {
  expect(() => wilson(1, 2, { level: 95 })).toThrow("'level' must be in (0, 1): current value is 95");
  expect(() => wilson(1, 0)).toThrow("'trials' must be a positive integer: current value is 0");
  expect(() => wilson(5, 4)).toThrow("'successes' must be an integer in [0, 4]: current value is 5");
});
