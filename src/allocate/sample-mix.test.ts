import { expect, test } from "vitest";
import { random } from "../math/random.ts";
import { fitMix, mixSuccess } from "./sample-mix.ts";

/** Every mix within the budget. */
function bruteForce(rates: readonly (readonly number[])[], budget: number, costs: readonly number[]): number {
  let best = 0;
  const descend = (samples: readonly number[], left: number): void => {
    if (samples.length === costs.length) {
      best = Math.max(best, mixSuccess(rates, samples));
      return;
    }
    const cost = costs[samples.length] as number;
    for (let count = 0; count * cost <= left + 1e-9; count++) descend([...samples, count], left - count * cost);
  };
  descend([], budget);
  return best;
}

test("the success of a mix: closed form", () => {
  expect(
    mixSuccess(
      [
        [0.5, 0],
        [0, 0.5],
      ],
      [2, 1],
    ),
  ).toBeCloseTo((0.75 + 0.5) / 2, 14);
});

test("equal costs: the best of all mixes, or very near, and never below 1 − 1/e of it; the bound holds", () => {
  const stream = random(4);
  let exact = 0;
  for (let i = 0; i < 150; i++) {
    const rates = Array.from({ length: 1 + stream.integer(8) }, () =>
      Array.from({ length: 3 }, () => (stream.uniform() < 0.4 ? 0 : stream.uniform() ** 2)),
    );
    const budget = 1 + stream.integer(8);
    const best = bruteForce(rates, budget, [1, 1, 1]);
    const { success, samples, bound } = fitMix(rates, { budget });
    expect(samples.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(budget);
    expect(success).toBeCloseTo(mixSuccess(rates, samples), 14);
    expect(success).toBeGreaterThan(0.99 * best - 1e-12);
    expect(bound).toBeGreaterThanOrEqual(best - 1e-12);
    exact += Number(success > best - 1e-12);
  }
  expect(exact).toBeGreaterThanOrEqual(145);
});

test("costs that differ: within the budget, near the best, and the bound holds", () => {
  const stream = random(6);
  for (let i = 0; i < 100; i++) {
    const costs = [1, 2.5, 7];
    const rates = Array.from({ length: 6 }, () => costs.map(() => stream.uniform() ** 2));
    const budget = 20 * stream.uniform();
    const best = bruteForce(rates, budget, costs);
    const { success, cost, bound } = fitMix(rates, { budget, costs });
    expect(cost).toBeLessThanOrEqual(budget + 1e-6);
    expect(success).toBeGreaterThanOrEqual(0.9 * best);
    expect(bound).toBeGreaterThanOrEqual(best - 1e-12);
  }
});

test("configurations that complement one another: the best single one's success for a fraction of its samples", () => {
  const stream = random(8);
  // Each of four kinds of problems is solved well by one configuration alone; half of the problems fit, half judge.
  const rates = Array.from({ length: 400 }, (_, i) =>
    Array.from({ length: 4 }, (_, one) => (i % 4 === one ? 0.6 : 0.01) * (0.5 + stream.uniform())),
  );
  const [fitted, judged] = [rates.slice(0, 200), rates.slice(200)];
  const single = Math.max(
    ...[0, 1, 2, 3].map((one) =>
      mixSuccess(
        judged,
        [0, 1, 2, 3].map((i) => (i === one ? 128 : 0)),
      ),
    ),
  );
  const { samples } = fitMix(fitted, { budget: 16 });
  expect(samples).toEqual([4, 4, 4, 4]);
  expect(mixSuccess(judged, samples)).toBeGreaterThan(single);
});

test("one configuration that is best everywhere is taken alone; wrong uses are refused", () => {
  expect(
    fitMix(
      [
        [0.2, 0.5],
        [0.1, 0.3],
      ],
      { budget: 5 },
    ).samples,
  ).toEqual([0, 5]);
  expect(fitMix([[0, 0]], { budget: 5 })).toEqual({ samples: [0, 0], success: 0, cost: 0, bound: 0 });
  expect(() => fitMix([], { budget: 1 })).toThrow("a row for each problem");
  expect(() => fitMix([[1.2]], { budget: 1 })).toThrow("rates");
});
