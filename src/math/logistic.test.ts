import { expect, test } from "vitest";
import { key } from "../key.ts";
import { logisticRegression } from "./logistic.ts";
import { random } from "./random.ts";

test("one feature that is always 1: the log-odds of the labels", () => {
  const labels = [1, 1, 1, 0];
  const { weights, loss } = logisticRegression(
    labels.map(() => [1]),
    labels,
    { l2: 1e-9 },
  );
  expect(weights[0]).toBeCloseTo(Math.log(3), 6);
  expect(loss).toBeCloseTo(-3 * Math.log(0.75) - Math.log(0.25), 9);
});

test("the gradient of loss and penalty is 0 at the fit, for any data", () => {
  const stream = random(key(8));
  for (let trial = 0; trial < 20; trial++) {
    const size = 1 + stream.integer(5);
    const rows = Array.from({ length: 3 + stream.integer(40) }, () =>
      Array.from({ length: size }, () => 10 ** (2 * stream.uniform()) * stream.normal()),
    );
    const labels = rows.map(() => stream.integer(2));
    const l2 = 10 ** (3 * stream.uniform() - 2);
    const { weights, iterations } = logisticRegression(rows, labels, { l2 });
    for (let a = 0; a < size; a++) {
      const gradient = rows.reduce(
        (sum, row, i) => {
          const margin = row.reduce((total, x, b) => total + x * (weights[b] as number), 0);
          return sum + (1 / (1 + Math.exp(-margin)) - (labels[i] as number)) * (row[a] as number);
        },
        l2 * (weights[a] as number),
      );
      const scale = rows.reduce((sum, row) => sum + Math.abs(row[a] as number), 1);
      expect(Math.abs(gradient) / scale).toBeLessThan(1e-5);
    }
    expect(iterations).toBeLessThan(60);
  }
});

test("data that can be separated have a finite fit", () => {
  const { weights, loss } = logisticRegression([[100], [50], [-80]], [1, 1, 0], { l2: 0.1 });
  expect(weights[0]).toBeGreaterThan(0);
  expect(Number.isFinite(weights[0]) && loss < 0.5).toBe(true);
});

test.each([
  [[[1], [1, 2]], [1, 0], 1],
  [[[Number.NaN]], [1], 1],
  [[[1]], [1, 0], 1],
  [[], [], 1],
  [[[1]], [1], 0],
])("refuses %j, %j, l2 %d", (rows, labels, l2) => {
  expect(() => logisticRegression(rows, labels, { l2 })).toThrow(RangeError);
});
