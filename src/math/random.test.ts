import { describe, expect, test } from "vitest";
import { chiSquareP } from "../../test/helpers/chi-square.ts";
import { key } from "../key.ts";
import { random } from "./random.ts";

// Seeds are fixed, so a test that passes once passes always; p > 0.001 says that the fixed draw is no freak.
const draws = 20_000;

test("uniform: equal shares of [0, 1), and 53 bits of them", () => {
  const stream = random(1);
  const cells = new Array<number>(50).fill(0);
  let finest = 0;
  for (let i = 0; i < draws; i++) {
    const u = stream.uniform();
    expect(u >= 0 && u < 1).toBe(true);
    (cells[Math.floor(u * 50)] as number)++;
    if ((u * 2 ** 52) % 1 !== 0) finest++;
  }
  expect(chiSquareP(cells, new Array(50).fill(1 / 50))).toBeGreaterThan(0.001);
  expect(Math.abs(finest - draws / 2)).toBeLessThan(5 * Math.sqrt(draws / 4)); // the 53rd bit is a fair coin
});

test("uniform: successive draws are independent", () => {
  const stream = random(2);
  const cells = new Array<number>(36).fill(0);
  for (let i = 0; i < draws; i++)
    (cells[Math.floor(stream.uniform() * 6) * 6 + Math.floor(stream.uniform() * 6)] as number)++;
  expect(chiSquareP(cells, new Array(36).fill(1 / 36))).toBeGreaterThan(0.001);
});

describe("integer", () => {
  test("is unbiased where 2^32 is far from a multiple of n", () => {
    // Without rejection the lower half of n = 3 * 2^30 would come twice as often as the rest: 2/4, 1/4, 1/4 by thirds.
    const stream = random(3);
    const n = 3 * 2 ** 30;
    const thirds = [0, 0, 0];
    for (let i = 0; i < draws; i++) (thirds[Math.floor(stream.integer(n) / 2 ** 30)] as number)++;
    expect(chiSquareP(thirds, [1 / 3, 1 / 3, 1 / 3])).toBeGreaterThan(0.001);
  });

  test.each([1, 2, 7, 10])("below %d: every value as often", (n) => {
    const stream = random(4);
    const counts = new Array<number>(n).fill(0);
    for (let i = 0; i < draws; i++) (counts[stream.integer(n)] as number)++;
    if (n === 1) expect(counts).toEqual([draws]);
    else expect(chiSquareP(counts, new Array(n).fill(1 / n))).toBeGreaterThan(0.001);
  });

  test("reaches up to 2^32 and refuses what is beyond", () => {
    const stream = random(5);
    const large = Array.from({ length: 100 }, () => stream.integer(2 ** 32));
    expect(Math.max(...large)).toBeGreaterThan(2 ** 31); // by chance never: 2^-100
    for (const n of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1])
      expect(() => stream.integer(n)).toThrow(/'n' must be an integer in \[1, 2\^32\]/);
  });
});

test("normal: mean, variance, skewness and kurtosis of a standard normal, each within five standard errors", () => {
  const stream = random(6);
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < draws; i++) {
    const x = stream.normal();
    for (let power = 1; power <= 4; power++) (sums[power - 1] as number) += x ** power / draws;
  }
  // Var(x^k) = E x^2k - (E x^k)^2: 1, 3 - 1, 15, 105 - 9.
  for (const [i, [moment, variance]] of (
    [
      [0, 1],
      [1, 2],
      [0, 15],
      [3, 96],
    ] as const
  ).entries())
    expect(Math.abs((sums[i] as number) - moment)).toBeLessThan(5 * Math.sqrt(variance / draws));
});

describe("weighted", () => {
  test("draws in proportion; what weighs nothing is never drawn", () => {
    const weights = [0, 4, 0, 3, 2, 1, 0];
    const stream = random(7);
    const counts = new Array<number>(weights.length).fill(0);
    for (let i = 0; i < draws; i++) (counts[stream.weighted(weights)] as number)++;
    expect([counts[0], counts[2], counts[6]]).toEqual([0, 0, 0]);
    expect(
      chiSquareP(
        [1, 3, 4, 5].map((i) => counts[i] as number),
        [0.4, 0.3, 0.2, 0.1],
      ),
    ).toBeGreaterThan(0.001);
  });

  test("scale does not matter, even at the edges of double precision", () => {
    for (const scale of [Number.MIN_VALUE * 8, 1e300])
      expect(random(8).weighted([scale, 0, scale])).toBe(random(8).weighted([1, 0, 1]));
  });

  test.each([[[]], [[0, 0]], [[Number.NaN, 1]], [[Infinity, 1]], [[-1, 1]], [[-1, 3]]])("refuses %o", (weights) => {
    expect(() => random(9).weighted(weights)).toThrow(RangeError);
  });
});

describe("shuffled", () => {
  test("every order as often; the given list stays as it is", () => {
    const stream = random(10);
    const given = ["a", "b", "c", "d"] as const;
    const counts = new Map<string, number>();
    for (let i = 0; i < draws; i++) {
      const order = stream.shuffled(given).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(given).toEqual(["a", "b", "c", "d"]);
    expect(counts.size).toBe(24); // 4!
    expect(chiSquareP([...counts.values()], new Array(24).fill(1 / 24))).toBeGreaterThan(0.001);
  });
});

test("pick: every item as often, nothing from nothing", () => {
  const stream = random(11);
  const counts = { x: 0, y: 0, z: 0 };
  for (let i = 0; i < draws; i++) counts[stream.pick(["x", "y", "z"] as const)]++;
  expect(chiSquareP(Object.values(counts), [1 / 3, 1 / 3, 1 / 3])).toBeGreaterThan(0.001);
  expect(() => stream.pick([])).toThrow(RangeError);
});

test("a stream is its key's: the same again, another for another", () => {
  const first = (from: Parameters<typeof random>[0]) => Array.from({ length: 5 }, random(from).uniform);
  expect(first(12)).toEqual(first(key(12)));
  expect(first(12)).not.toEqual(first(13));
});
