import { expect, test } from "vitest";
import { regularisedGamma } from "./incomplete-gamma.ts";
import { normalCdf } from "./normal.ts";

test("whole shapes: 1 - P(fewer than a arrivals of a Poisson process)", () => {
  for (const a of [1, 2, 5, 40])
    for (const x of [0.01, 0.7, a - 0.5, a, a + 1, 2 * a + 3, 200]) {
      let [term, fewer] = [Math.exp(-x), 0];
      for (let k = 0; k < a; k++) {
        fewer += term;
        term *= x / (k + 1);
      }
      expect(Math.abs(regularisedGamma(a, x) - (1 - fewer))).toBeLessThan(1e-12);
    }
});

test("shape 1/2: half a chi-squared variable with one degree of freedom", () => {
  for (const x of [0.001, 0.3, 1.4, 1.6, 9])
    expect(regularisedGamma(0.5, x)).toBeCloseTo(2 * normalCdf(Math.sqrt(2 * x)) - 1, 12);
});

test("ends, large shapes, and what it is not defined for", () => {
  expect([regularisedGamma(3, 0), regularisedGamma(3, Infinity), regularisedGamma(2, 800)]).toEqual([0, 1, 1]);
  // The median of Gamma(a) is a - 1/3 + O(1/a).
  expect(regularisedGamma(1e4, 1e4 - 1 / 3)).toBeCloseTo(0.5, 6);
  expect([regularisedGamma(0, 1), regularisedGamma(1, -1)]).toEqual([Number.NaN, Number.NaN]);
});
