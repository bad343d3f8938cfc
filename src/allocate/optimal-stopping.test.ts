import { expect, test } from "vitest";
import { type Chain, play } from "../../test/helpers/chain.ts";
import { studentCdf } from "../math/student.ts";
import { random } from "../math/random.ts";
import type { Scorer } from "../scorer.ts";
import { knownScores, normalScores, optimalStopping, reservationValue } from "./optimal-stopping.ts";

const law = [0.5, 0.3, 0.15, 0.05];
const values: Readonly<Record<string, number>> = { a: 0, b: 1, c: 2, d: 4 };
/** The law as a sample: each value as often as its share of 20. */
const recorded = law.flatMap((share, i) =>
  Array.from({ length: Math.round(share * 20) }, () => Object.values(values)[i] as number),
);
const chain: Chain = {
  letters: "abcd.",
  maxLength: 1,
  law: (word) => (word === "" ? [...law, 0] : [0, 0, 0, 0, 1]),
};
const scorer: Scorer<string> = {
  name: "value",
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: values[state[0] as string] as number }),
};
const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
function agrees(numbers: readonly number[], expected: number): void {
  const middle = mean(numbers);
  const error = Math.sqrt(mean(numbers.map((one) => (one - middle) ** 2)) / (numbers.length - 1));
  expect(Math.abs(middle - expected)).toBeLessThanOrEqual(4.5 * error); // false alarm: 7e-6
}

test("the reservation value is where the expected gain is the cost", () => {
  // Between 1 and 2: 0.15 (2 − r) + 0.05 (4 − r) = 0.5 − 0.2 r = 0.25 at r = 1.25.
  expect(reservationValue(recorded, 0.25)).toBeCloseTo(1.25, 12);
  expect(reservationValue([3], 0.5)).toBe(2.5);
  const stream = random(3);
  for (let i = 0; i < 50; i++) {
    const sample = Array.from({ length: 1 + stream.integer(20) }, () => Math.round(4 * stream.normal()) / 2);
    const cost = 0.01 + 3 * stream.uniform();
    expect(knownScores(sample).gain([], reservationValue(sample, cost))).toBeCloseTo(cost, 10);
  }
});

test.each([0.25, 0.12, 0.6])(
  "with a known law and cost %d: draws are geometric, and the value is the reservation value",
  (cost) => {
    const r = reservationValue(recorded, cost);
    const chance = law.reduce((sum, share, i) => sum + ((Object.values(values)[i] as number) >= r ? share : 0), 0);
    const search = optimalStopping<string>({ cost, law: knownScores(recorded), scorer, most: 1000 });
    const outcomes = Array.from({ length: 3000 }, (_, seed) => play(chain, search, seed));
    agrees(
      outcomes.map(({ draws }) => draws),
      1 / chance,
    );
    agrees(
      outcomes.map(({ answer, draws }) => (values[answer?.state[0] as string] as number) - cost * draws),
      r,
    );
    expect(outcomes.every(({ ended }) => ended === "criterion")).toBe(true);
  },
);

test("no number of draws fixed beforehand is worth as much", () => {
  const cost = 0.12;
  const sorted = Object.values(values);
  const upTo = sorted.map((_, i) => law.slice(0, i + 1).reduce((sum, share) => sum + share, 0));
  const worth = (n: number) =>
    sorted.reduce((sum, value, i) => sum + value * ((upTo[i] as number) ** n - (upTo[i - 1] ?? 0) ** n), 0) - cost * n;
  const best = Math.max(...Array.from({ length: 60 }, (_, i) => worth(i + 1)));
  expect(reservationValue(recorded, cost)).toBeGreaterThan(best + 0.1);
});

test("under normal scores the gain is the integral of Student's tail", () => {
  const scores = [1, 2, 2.5, 4, 0.5];
  const middle = 2;
  const scale = Math.sqrt(((1 + 0 + 0.25 + 4 + 2.25) / 4) * (1 + 1 / 5));
  for (const value of [1, 2, 4, 7]) {
    // ∫ P(X > x) dx from value on, by Simpson's rule over u = (x − value) / (1 + x − value).
    const [steps, at] = [
      4000,
      (u: number) => (u === 1 ? 0 : studentCdf(-(value + u / (1 - u) - middle) / scale, 4) / (1 - u) ** 2),
    ];
    let integral = 0;
    for (let i = 0; i <= steps; i++) integral += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * at(i / steps);
    expect(normalScores().gain(scores, value)).toBeCloseTo(integral / (3 * steps), 8);
  }
  expect(normalScores().gain([1, 2], 2)).toBeUndefined();
  expect(normalScores().gain([3, 3, 3], 3)).toBe(0);
});

test("a higher cost stops earlier, on every path; three scores at least", () => {
  for (let seed = 0; seed < 30; seed++) {
    const draws = [2, 0.5, 0.1, 0.01].map((cost) => play(chain, optimalStopping<string>({ cost, scorer }), seed).draws);
    expect(draws).toEqual(draws.toSorted((a, b) => a - b));
    expect(draws[0]).toBeGreaterThanOrEqual(3);
  }
});

test("the earliest of the best wins, the unscored come last, and rounds overshoot", () => {
  const picky: Scorer<string> = {
    ...scorer,
    score: ({ state }) => ({ kind: "reward", value: state[0] === "a" ? Number.NaN : 1 }),
  };
  const { answer, candidates, draws } = play(
    chain,
    optimalStopping<string>({ cost: 0.1, scorer: picky, most: 9, batch: 3 }),
    6,
  );
  expect(draws % 3).toBe(0);
  const firstScored = candidates.filter(({ state }) => state[0] !== "a");
  expect(answer?.id).toBe(firstScored[0]?.id);
  expect(candidates.slice(0, firstScored.length)).toEqual(firstScored);
});

test.each([
  ["cost", () => optimalStopping({ cost: 0 })],
  ["cost", () => reservationValue([1], Number.NaN)],
  ["most", () => optimalStopping({ cost: 1, most: 0 })],
  ["least", () => normalScores({ least: 2 })],
  ["sample", () => knownScores([])],
])("refuses a wrong '%s' by name", (name, make) => {
  expect(make).toThrow(`'${name}'`);
});
