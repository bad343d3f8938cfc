import { expect, test } from "vitest";
import { signFlipTest } from "./sign-flip.ts";

// All sign patterns counted by hand: as far as the observed sum, of 2^n.
test.each([
  [[1, 1, 1, 1, 1], 2 / 32],
  [[1, 1, 1, -1], 10 / 16],
  [[0.5, 0.5, 1], 2 / 8],
  [[1 / 3, 2 / 3, -1], 1],
  [[0, 0, 1], 1],
])("of %o the p-value is %d", (differences, exact) => {
  const draws = 9999;
  const { value = Number.NaN } = signFlipTest(differences, { draws, seed: 3 });
  const standardError = Math.sqrt((exact * (1 - exact)) / draws);
  expect(Math.abs(value - exact)).toBeLessThanOrEqual(5 * standardError + 1 / draws);
});

test("is never 0, the same for the same seed, and undefined for nothing", () => {
  const all = Array<number>(60).fill(1);
  expect(signFlipTest(all, { draws: 99 })).toEqual({ value: 0.01 });
  expect(signFlipTest([1, 1, 0.3, -1], { seed: 5 })).toEqual(signFlipTest([1, 1, 0.3, -1], { seed: 5 }));
  expect(signFlipTest([]).why).toBe("there are no differences");
  expect(() => signFlipTest([1], { draws: 0 })).toThrow(RangeError);
  expect(() => signFlipTest([Number.NaN])).toThrow("number 0 is NaN");
});

test("more than 32 differences have signs of their own", () => {
  // 64 halves of ±1: the standard deviation of the sum is 8, so that 16 is two of them; exactly 0.0464 by the binomial law.
  const differences = Array.from({ length: 64 }, (_, i) => (i < 40 ? 1 : -1));
  const { value = Number.NaN } = signFlipTest(differences);
  expect(Math.abs(value - exactBinomialTail(64, 40) * 2)).toBeLessThan(5 * Math.sqrt((0.06 * 0.94) / 9999));
});

/** P(at least `least` of `n` coins). */
function exactBinomialTail(n: number, least: number): number {
  let [term, tail] = [2 ** -n, 0];
  for (let k = 0; k <= n; k++) {
    if (k >= least) tail += term;
    term *= (n - k) / (k + 1);
  }
  return tail;
}
