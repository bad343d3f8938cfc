import { expect, test } from "vitest";
import { betaQuantile } from "./beta.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { regularisedBeta } from "./special.ts";

test("the normal distribution: table values, tails, and its inverse", () => {
  // Abramowitz & Stegun 1964, table 26.1 and 26.2: Φ(1), Φ(2), and -log10 of the tail at 5 and 10.
  expect(normalCdf(1)).toBeCloseTo(0.841344746068543, 14);
  expect(normalCdf(2)).toBeCloseTo(0.977249868051821, 14);
  expect(-Math.log10(normalCdf(-5))).toBeCloseTo(6.54265, 5);
  expect(-Math.log10(normalCdf(-10))).toBeCloseTo(23.11805, 5);
  expect(normalCdf(-3.0000001) / normalCdf(-2.9999999)).toBeCloseTo(1 - 2e-7 * 3.283, 8); // the two ways meet
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 13);
  for (const u of [1e-300, 1e-12, 0.001, 0.2, 0.5001, 0.9, 0.999999])
    expect(normalCdf(normalQuantile(u)) / u).toBeCloseTo(1, 11);
  expect(() => normalQuantile(1)).toThrow(RangeError);
});

test("quantiles of the beta distribution invert it, in the tails as well", () => {
  expect(betaQuantile(0.3, 1, 1)).toBeCloseTo(0.3, 14);
  expect(betaQuantile(0.04, 2, 1)).toBeCloseTo(0.2, 13); // x² = u
  for (const [a, b] of [[0.5, 0.5], [0.5, 1e6], [3, 900], [400, 400], [12, 0.7]] as const) // biome-ignore format: pairs
    for (const u of [1e-9, 0.025, 0.5, 0.9]) expect(regularisedBeta(betaQuantile(u, a, b), a, b) / u).toBeCloseTo(1, 9);
  expect(() => betaQuantile(0.5, 0, 1)).toThrow(RangeError);
});
