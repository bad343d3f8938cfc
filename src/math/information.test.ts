import { expect, test } from "vitest";
import { key, split } from "../key.ts";
import { chainedInformation, entropy } from "./information.ts";
import { random } from "./random.ts";

test("entropy of weights", () => {
  expect(entropy([5])).toBe(0);
  expect(entropy([2, 2, 0, 2, 2])).toBeCloseTo(Math.log(4), 14);
  expect(entropy([0.5, 0.25, 0.25])).toBeCloseTo(1.5 * Math.log(2), 14);
  expect(entropy([0])).toBeNaN();
});

test("the information is H(second) − H(second | first), for any law", () => {
  for (const place of split(key(3), 50)) {
    const stream = random(place);
    const draw = () => Array.from({ length: 4 }, () => stream.uniform());
    const [first, given] = [draw(), [draw(), draw(), draw(), draw()]];
    const { information, second } = chainedInformation(first, given);
    const total = first.reduce((sum, one) => sum + one, 0);
    const conditional = given.reduce((sum, row, i) => sum + ((first[i] as number) / total) * entropy(row), 0);
    expect(information).toBeCloseTo(entropy(second) - conditional, 12);
    expect(information).toBeGreaterThanOrEqual(0);
  }
});

test("0 where the next answer does not care, the whole entropy where it repeats", () => {
  const law = [0.5, 0.3, 0.2];
  expect(chainedInformation(law, [law, law, law]).information).toBeCloseTo(0, 14);
  const copied = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // biome-ignore format: a matrix
  expect(chainedInformation(law, copied).information).toBeCloseTo(entropy(law), 14);
});

test("refuses what is no law", () => {
  expect(() => chainedInformation([], [])).toThrow("'given'");
  expect(() => chainedInformation([1], [[-1]])).toThrow("weights");
});
