import { expect, test } from "vitest";
import { random } from "./random.ts";
import { weibullMixture } from "./weibull-mixture.ts";

/** Logarithms of draws: λ (-log u)^(1/k). */
function logs(n: number, share: number, seed: number): number[] {
  const stream = random(seed);
  return Array.from({ length: n }, () => {
    const [shape, scale] = stream.uniform() < share ? [5, 10] : [2, 1];
    return Math.log(scale) + Math.log(-Math.log(1 - stream.uniform())) / shape;
  });
}

test("finds the two parts that a sample was drawn from", () => {
  const n = 4000;
  const { high, low, share } = weibullMixture(logs(n, 0.4, 1));
  // The parts hardly overlap, so the standard errors are those of single ones: 0.78 k / √n for the shape, 1.05 / (k √n) for log λ.
  const close = (found: number, truth: number, error: number) =>
    expect(Math.abs(found - truth)).toBeLessThan(5 * error);
  close(share, 0.4, Math.sqrt(0.24 / n));
  for (const [part, k, scale, size] of [
    [high, 5, 10, 0.4 * n],
    [low, 2, 1, 0.6 * n],
  ] as const) {
    close(part.shape, k, (0.78 * k) / Math.sqrt(size));
    close(part.logScale, Math.log(scale), 1.05 / (k * Math.sqrt(size)));
  }
});

test("the likelihood never falls, in samples of any size", () => {
  for (const n of [1, 2, 3, 5, 16, 60]) {
    const { logLikelihoods, share } = weibullMixture(logs(n, 0.5, n));
    for (const [i, now] of logLikelihoods.entries())
      if (i > 0) expect(now).toBeGreaterThanOrEqual((logLikelihoods[i - 1] as number) - 1e-6);
    expect(share).toBeGreaterThanOrEqual(0.2);
    expect(share).toBeLessThanOrEqual(0.8);
  }
});

test("the unit does not matter, nor numbers too small to be written", () => {
  const sample = logs(50, 0.5, 7);
  const [here, far] = [weibullMixture(sample), weibullMixture(sample.map((log) => log - 5000))];
  for (const log of sample) expect(far.posterior(log - 5000)).toBeCloseTo(here.posterior(log), 5);
});

test("equal numbers are in both parts alike; nothing cannot be fitted", () => {
  expect(weibullMixture([-2, -2, -2]).posterior(-2)).toBe(0.5);
  expect(() => weibullMixture([])).toThrow("one or more finite numbers");
});
