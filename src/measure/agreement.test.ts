import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { cohenKappa, krippendorffAlpha, type Label } from "./agreement.ts";

/** Two raters out of a table of counts. */
function fromTable(table: readonly (readonly number[])[]): [number[], number[]] {
  const first: number[] = [];
  const second: number[] = [];
  for (const [i, row] of table.entries())
    for (const [j, count] of row.entries())
      for (let k = 0; k < count; k++) {
        first.push(i);
        second.push(j);
      }
  return [first, second];
}

describe("Cohen's kappa", () => {
  test("by hand: 35 of 50 equal, 25 by chance", () => {
    expect(cohenKappa(...fromTable([[20, 5], [10, 15]])).value).toBeCloseTo(0.4, 14); // biome-ignore format: a table
  });
  test("Cohen 1968, Psychological Bulletin 70(4), table 1: 200 cases, unweighted 0.492", () => {
    const table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]; // biome-ignore format: a table
    // p_o = 0.70, p_e = 0.6 · 0.5 + 0.3 · 0.3 + 0.1 · 0.2 = 0.41
    expect(cohenKappa(...fromTable(table)).value).toBeCloseTo(0.29 / 0.59, 14);
  });
  test("below chance it is negative; with one label only it is undefined, and says so", () => {
    expect(cohenKappa(["a", "b"], ["b", "a"]).value).toBe(-1);
    expect(cohenKappa(["a", "a"], ["a", "a"])).toMatchObject({
      value: undefined,
      why: "both raters gave one and the same label to every item",
    });
    expect(cohenKappa(["a", "b"], ["b", "a"])).toMatchObject({
      low: undefined,
      why: "a bootstrap of 2 items is too short",
    });
    expect(cohenKappa([], []).why).toBe("there are no items");
    expect(() => cohenKappa(["a"], [])).toThrow("1 and 0");
  });
});

describe("Krippendorff's alpha", () => {
  // Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability": 4 observers, 12 units, missing data.
  const _ = undefined;
  const ratings = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
  ];
  test.each([
    ["nominal", 0.743],
    ["ordinal", 0.815],
    ["interval", 0.849],
  ] as const)("%s: %f, as published", (metric, published) => {
    expect(krippendorffAlpha(ratings, { metric }).value).toBeCloseTo(published, 3);
  });
  test("by hand: two raters, one disagreement of two items", () => {
    // values a a a b: D_o = 2/4 pairs, D_e = 2 · 3 · 1 / (4 · 3) = 1/2
    expect(krippendorffAlpha([["a", "a"], ["a", "b"]]).value).toBeCloseTo(0, 14); // biome-ignore format: a table
  });
  test("undefined without two ratings of an item, or without two labels; words have no order", () => {
    expect(krippendorffAlpha([[1, _], [_, 2]])).toMatchObject({ value: undefined, why: "no item has two ratings" }); // biome-ignore format: a table
    expect(krippendorffAlpha([[1, 1], [1, 1]]).why).toBe("every rating is the same"); // biome-ignore format: a table
    expect(() => krippendorffAlpha([["a"], ["b"]], { metric: "ordinal" })).toThrow('one is "a"');
  });
});

test.each([30, 100, 1000])("with %i items the intervals hold the truth in 95%", (items) => {
  // Both give the true label with probability 0.8, else the other; labels are fair. p_o = 0.68, p_e = 0.5: κ = α = 0.36.
  const runs = items > 500 ? 50 : 150;
  let [kappas, alphas] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const stream = random(fold(key(70 + items), run));
    const [first, second]: [Label[], Label[]] = [[], []];
    for (let i = 0; i < items; i++) {
      const truth = stream.integer(2);
      first.push(stream.uniform() < 0.8 ? truth : 1 - truth);
      second.push(stream.uniform() < 0.8 ? truth : 1 - truth);
    }
    const holds = ({ low, high }: { low: number | undefined; high: number | undefined }) =>
      Number((low as number) <= 0.36 && 0.36 <= (high as number));
    kappas += holds(cohenKappa(first, second, { resamples: 200, seed: run }));
    alphas += holds(krippendorffAlpha([first, second], { resamples: 200, seed: run }));
  }
  const least = 0.95 - 3 * Math.sqrt((0.95 * 0.05) / runs); // false alarm: 0.1% each
  expect(kappas / runs).toBeGreaterThan(least);
  expect(alphas / runs).toBeGreaterThan(least);
});
