import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "./random.ts";
import { type ResampleName, resamplers, withoutReplacement } from "./resampling.ts";

const names = Object.keys(resamplers) as ResampleName[];
const weights = [0.5, 0, 2.1, 0.03, 1.2, 0.9, 0.27];
const total = weights.reduce((sum, weight) => sum + weight, 0);

const copiesOf = (indices: ArrayLike<number>, size: number): number[] => {
  const copies = new Array<number>(size).fill(0);
  for (let i = 0; i < indices.length; i++) copies[indices[i] as number] = (copies[indices[i] as number] as number) + 1;
  return copies;
};

/** Means of `draw(i)` over draws, each within `limit` standard errors of the expected one. */
function expectMeans(
  expected: readonly number[],
  draws: number,
  draw: (i: number) => readonly number[],
  limit = 4,
): void {
  const sums = expected.map(() => 0);
  const squares = expected.map(() => 0);
  for (let i = 0; i < draws; i++)
    for (const [j, value] of draw(i).entries()) {
      sums[j] = (sums[j] as number) + value;
      squares[j] = (squares[j] as number) + value * value;
    }
  for (const [j, mean] of expected.entries()) {
    const found = (sums[j] as number) / draws;
    const error = Math.sqrt(Math.max(0, (squares[j] as number) / draws - found ** 2) / draws);
    expect(Math.abs(found - mean), `mean of ${j}`).toBeLessThanOrEqual(limit * error + 1e-9);
  }
}

describe.each(names)("%s", (name) => {
  const resample = resamplers[name];

  // 7 means for 3 sizes: a false alarm at 4 standard errors has probability 21 × 6e-5 = 0.1%; the seed is fixed.
  test.each([1, 5, 20])("copies are right on average, for %d particles", (count) => {
    expectMeans(
      weights.map((weight) => (count * weight) / total),
      4000,
      (i) => copiesOf(resample(weights, count, random(fold(key(count), i))), weights.length),
    );
  });

  test("indices ascend; weight 0 never survives; the scale of the weights is nothing", () => {
    for (let i = 0; i < 200; i++) {
      const drawn = resample(weights, 11, random(i));
      expect([...drawn]).toEqual([...drawn].sort((a, b) => a - b));
      expect(drawn).not.toContain(1);
      expect(
        resample(
          weights.map((weight) => weight * 1024),
          11,
          random(i),
        ),
      ).toEqual(drawn);
    }
  });

  test("numbers of copies stay as near to the expected ones as the scheme promises", () => {
    for (let i = 0; i < 500; i++) {
      const copies = copiesOf(resample(weights, 11, random(i)), weights.length);
      for (const [j, weight] of weights.entries()) {
        const expected = (11 * weight) / total;
        const most = { systematic: 1, ssp: 1, stratified: 2, residual: Infinity, multinomial: Infinity }[name];
        const below = { systematic: 1, ssp: 1, residual: 1, stratified: 2, multinomial: Infinity }[name];
        expect((copies[j] as number) - expected).toBeLessThan(most);
        expect(expected - (copies[j] as number)).toBeLessThan(below);
      }
    }
  });

  test("one particle is itself; one that has all the weight is everywhere", () => {
    expect([...resample([3], 1, random(1))]).toEqual([0]);
    expect([...resample([0, 1e-300, 0], 4, random(1))]).toEqual([1, 1, 1, 1]);
  });

  test.each([[[0, 0]], [[1, -1]], [[Number.NaN, 1]], [[Infinity, 1]], [[]]])("refuses the weights %o", (bad) => {
    expect(() => resample(bad, 2, random(1))).toThrow("Cannot resample");
  });
});

test.each(["systematic", "residual", "ssp", "stratified"] as const)("%s leaves equal weights as they are", (name) => {
  for (const size of [1, 3, 7, 49, 100, 1000])
    for (let seed = 0; seed < 20; seed++)
      expect([...resamplers[name](new Array(size).fill(1 / size), size, random(seed))]).toEqual([
        ...Array(size).keys(),
      ]);
});

test("multinomial copies have the variance of independent draws, the others less", () => {
  const variance = (name: ResampleName): number => {
    let squares = 0;
    for (let i = 0; i < 4000; i++)
      squares += ((copiesOf(resamplers[name](weights, 20, random(i)), 7)[2] as number) - (20 * 2.1) / total) ** 2;
    return squares / 4000;
  };
  const exact = 20 * (2.1 / total) * (1 - 2.1 / total); // 4.87; its estimate has a standard error of about 2.2%
  expect(variance("multinomial")).toBeGreaterThan(0.9 * exact);
  expect(variance("multinomial")).toBeLessThan(1.1 * exact);
  for (const name of ["stratified", "systematic", "residual", "ssp"] as const)
    expect(variance(name)).toBeLessThan(0.8 * exact);
});

describe("without replacement", () => {
  test("by hand: of weights 8, 4, 1, 1, 1, 1 three places keep 8 and 4, and one of the ones weighs 4", () => {
    const { indices, weights: kept } = withoutReplacement([8, 4, 1, 1, 1, 1], 3, random(3));
    expect([...indices].slice(0, 2)).toEqual([0, 1]);
    expect([...kept]).toEqual([8, 4, 4]); // c = 4: min(1, 8/4) + min(1, 4/4) + 4 × 1/4 = 3
  });

  test("few enough are all kept, as they are", () => {
    const { indices, weights: kept } = withoutReplacement([0, 3, 0, 1], 2, random(1));
    expect([[...indices], [...kept]]).toEqual([
      [1, 3],
      [3, 1],
    ]);
  });

  // 7 means for 6 sizes: false alarms 42 × 6e-5 = 0.3%; the seeds are fixed.
  test.each([1, 2, 3, 4, 5, 6])("weights are right on average, for %d places", (count) => {
    expectMeans(weights, 4000, (i) => {
      const { indices, weights: kept } = withoutReplacement(weights, count, random(fold(key(7), i)));
      const found = weights.map(() => 0);
      for (const [j, index] of indices.entries()) found[index] = kept[j] as number;
      expect(new Set(indices).size).toBe(count);
      expect(kept.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(total, 9);
      return found;
    });
  });

  test("the threshold solves its equation, on 300 random weightings", () => {
    for (let seed = 0; seed < 300; seed++) {
      const stream = random(seed);
      const many = Array.from({ length: 2 + stream.integer(30) }, () => Math.exp(3 * stream.normal()));
      const count = 1 + stream.integer(many.length - 1);
      const { indices, weights: kept } = withoutReplacement(many, count, stream);
      expect([...indices]).toEqual([...new Set(indices)].sort((a, b) => a - b));
      const changed = [...indices].flatMap((index, i) => (kept[i] === many[index] ? [] : [kept[i] as number]));
      const threshold = changed[0] as number;
      for (const one of changed) expect(one).toBe(threshold);
      expect(many.reduce((sum, weight) => sum + Math.min(1, weight / threshold), 0)).toBeCloseTo(count, 6);
    }
  });
});
