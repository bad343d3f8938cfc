import { describe, expect, test } from "vitest";
import { type Choice, multipleChoiceKnapsack } from "./knapsack.ts";
import { random } from "./random.ts";

/** Every selection. */
function bruteForce(groups: readonly (readonly Choice[])[], budget: number): number {
  let best = Number.NEGATIVE_INFINITY;
  const descend = (group: number, cost: number, value: number): void => {
    if (cost > budget + 1e-9) return;
    const choices = groups[group];
    if (!choices) best = Math.max(best, value);
    else for (const one of choices) descend(group + 1, cost + one.cost, value + one.value);
  };
  descend(0, 0, 0);
  return best;
}

const stream = random(1);
const groupsOf = (make: (k: number) => Choice): Choice[][] =>
  Array.from({ length: 1 + stream.integer(4) }, () => Array.from({ length: 1 + stream.integer(5) }, (_, k) => make(k)));

test("with concave values and equal costs it is the optimum", () => {
  for (let i = 0; i < 200; i++) {
    const groups = groupsOf(() => ({ cost: 0, value: 0 })).map((group) => {
      const p = stream.uniform();
      return group.map((_, k) => ({ cost: k, value: 1 - (1 - p) ** k }));
    });
    const budget = stream.integer(12);
    const packed = multipleChoiceKnapsack(groups, budget);
    expect(packed?.value).toBeCloseTo(bruteForce(groups, budget), 12);
    expect(packed?.bound).toBeCloseTo(packed?.value ?? Number.NaN, 12);
  }
});

test("values that rise in a line are taken as far as the budget goes, whatever they round to", () => {
  for (const by of [0.1, 1 / 3, 1e-9, 7]) {
    const group = Array.from({ length: 30 }, (_, k) => ({ cost: k, value: k * by }));
    const summed = group.reduce<Choice[]>(
      (all, { cost }) => [...all, { cost, value: (all.at(-1)?.value ?? -by) + by }],
      [],
    );
    expect(multipleChoiceKnapsack([group, summed], 17)?.cost).toBe(17);
    expect(multipleChoiceKnapsack([summed, group], 41)?.value).toBeCloseTo(41 * by, 9);
  }
});

test("in general it is between the optimum and its own distance to the bound", () => {
  let exact = 0;
  for (let i = 0; i < 500; i++) {
    const groups = groupsOf((k) => ({ cost: k === 0 ? 0 : 5 * stream.uniform(), value: stream.normal() }));
    const budget = 10 * stream.uniform();
    const packed = multipleChoiceKnapsack(groups, budget);
    if (!packed) throw new Error("the cheapest choices cost nothing");
    const best = bruteForce(groups, budget);
    expect(packed.cost).toBeLessThanOrEqual(budget + 1e-6);
    expect(packed.value).toBeLessThanOrEqual(best + 1e-9);
    expect(packed.bound).toBeGreaterThanOrEqual(best - 1e-9);
    const sums = packed.chosen.reduce((sum, place, group) => sum + (groups[group]?.[place]?.value ?? Number.NaN), 0);
    expect(packed.value).toBeCloseTo(sums, 9);
    exact += Number(packed.value > best - 1e-9);
  }
  expect(exact).toBeGreaterThan(350);
});

describe("at its ends", () => {
  test("no budget for the cheapest", () =>
    expect(multipleChoiceKnapsack([[{ cost: 2, value: 1 }]], 1)).toBeUndefined());
  test("no groups", () => expect(multipleChoiceKnapsack([], 1)).toEqual({ chosen: [], value: 0, cost: 0, bound: 0 }));
  test("a group without choices is refused", () =>
    expect(() => multipleChoiceKnapsack([[]], 1)).toThrow("every group must have a choice"));
  test("a choice under the hull is passed over, one that costs nothing is taken", () => {
    const group = [
      { cost: 0, value: 0 },
      { cost: 1, value: 0.1 },
      { cost: 2, value: 1 },
      { cost: 0, value: 0.05 },
    ];
    expect(multipleChoiceKnapsack([group], 1)).toEqual({ chosen: [3], value: 0.05, cost: 0, bound: 0.05 + 0.95 / 2 });
    expect(multipleChoiceKnapsack([group], 2)?.chosen).toEqual([2]);
  });
});
