import fc from "fast-check";
import { expect, test } from "vitest";
import { wilson } from "./intervals.ts";

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
        expect(Math.abs(p - successes / trials)).toBeCloseTo(1.959964 * Math.sqrt((p * (1 - p)) / trials), 9);
    }),
  );
});

test("what is no count is refused", () => {
  expect(() => wilson(1, 0)).toThrow("'trials' must be a positive integer: current value is 0");
  expect(() => wilson(5, 4)).toThrow("'successes' must be an integer in [0, 4]: current value is 5");
});
