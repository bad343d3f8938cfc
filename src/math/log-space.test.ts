import { expect, test } from "vitest";
import { logSumExp, softmax } from "./log-space.ts";

test("log-sum-exp of known sums, at any scale", () => {
  expect(logSumExp([])).toBe(-Infinity);
  expect(logSumExp([-Infinity, -Infinity])).toBe(-Infinity);
  expect(logSumExp([Math.log(2), Math.log(3)])).toBeCloseTo(Math.log(5), 14);
  expect(logSumExp([-1000, -1000])).toBeCloseTo(-1000 + Math.log(2), 12);
  expect(logSumExp([1000, -Infinity, 1000])).toBeCloseTo(1000 + Math.log(2), 12);
  expect(logSumExp([0, Number.NaN])).toBeNaN();
});

test("softmax sums to 1, and is undefined where nothing has weight", () => {
  expect(softmax([Math.log(1), Math.log(3)])).toEqual([expect.closeTo(0.25, 14), expect.closeTo(0.75, 14)]);
  expect(softmax([-5000, -5000])).toEqual([0.5, 0.5]);
  expect(softmax([-Infinity, -Infinity])).toBeUndefined();
  expect(softmax([0, Number.NaN])).toBeUndefined();
});
