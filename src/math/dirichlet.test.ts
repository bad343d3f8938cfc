import { expect, test } from "vitest";
import { chanceOfMost } from "./dirichlet.ts";

/** P(G > max Gᵢ) of whole shapes a, b, c by hand: a sum over negative multinomials, who is first to a given count of arrivals. */
function byArrivals(a: number, b: number, c: number): number {
  // Three Poisson processes of one rate: Gamma(a) is the time of the a-th arrival. The first is last if the others are full before.
  let chance = 0;
  const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
  for (let j = b; j < 200; j++)
    for (let k = c; k < 200; k++) {
      const n = a - 1 + j + k;
      chance += (choose(n, a - 1) * choose(j + k, j)) / 3 ** (n + 1);
    }
  return chance;
}

test("three parts of whole shapes: the chance that one of three races ends last", () => {
  for (const [a, b, c] of [
    [1, 1, 1],
    [4, 2, 1],
    [3, 5, 2],
    [6, 6, 6],
  ] as const)
    expect(chanceOfMost(a, [b, c])).toBeCloseTo(byArrivals(a, b, c), 10);
});

test("one part is all, two are a Beta variable above 1/2", () => {
  expect(chanceOfMost(3, [])).toBe(1);
  expect(chanceOfMost(4, [2])).toBeCloseTo(13 / 16, 12);
});

test("the chances of all parts sum to 1, small and large shapes together", () => {
  for (const shapes of [
    [0.1, 0.1, 0.2],
    [0.5, 3, 40],
    [1000, 1010, 990, 1],
    [2, 2, 2, 2, 2, 2, 2, 2],
  ]) {
    const chances = shapes.map((shape, i) => chanceOfMost(shape, shapes.toSpliced(i, 1)));
    expect(chances.reduce((sum, chance) => sum + chance)).toBeCloseTo(1, 9);
  }
});
