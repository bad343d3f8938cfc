import { expect, test } from "vitest";
import { drawnAt } from "../../test/helpers/pool.ts";
import { drawGamma } from "../math/distributions.ts";
import { random } from "../math/random.ts";
import { regularisedBeta } from "../math/special.ts";
import { majority } from "./majority.ts";
import { leaderProbability, votePosterior } from "./vote-posterior.ts";

test("two answers, by hand: P(p > 1/2) given 3 votes to 1 under the uniform prior is 13/16", () => {
  const { mean, mode } = votePosterior([3, 1], { unseen: 0 });
  expect(mean).toEqual([4 / 6, 2 / 6]);
  expect(mode[0]).toBeCloseTo(13 / 16, 12); // ∫ 20 p³ (1 - p) dp from 1/2 to 1
  expect(mode[1]).toBeCloseTo(3 / 16, 12);
});

test("two answers: the Beta distribution function, whatever the prior", () => {
  for (const [a, b, prior] of [
    [9, 7, 1],
    [1, 0, 0.5],
    [60, 40, 2],
  ] as const)
    expect(votePosterior([a, b], { unseen: 0, prior }).mode[0]).toBeCloseTo(
      1 - regularisedBeta(0.5, a + prior, b + prior),
      12,
    );
});

test("one vote and something unseen: 3/4; nothing unseen: certain", () => {
  expect(leaderProbability()([1])).toBeCloseTo(0.75, 12); // Beta(2, 1) above 1/2
  expect(leaderProbability({ unseen: 0 })([1])).toBe(1);
});

test("three answers, by hand: no votes is a third each, one vote for one of them is 11/18", () => {
  for (const chance of votePosterior([0, 0, 0], { unseen: 0 }).mode) expect(chance).toBeCloseTo(1 / 3, 10);
  // ∫ g e^-g (1 - e^-g)² dg = 1 - 2/4 + 1/9
  expect(votePosterior([1, 0, 0], { unseen: 0 }).mode[0]).toBeCloseTo(1 - 1 / 2 + 1 / 9, 10);
});

test.each([[[5, 3, 2]], [[400, 380, 20, 20]], [[1, 1, 1, 1, 1, 1]], [[2.5, 0.25]]])(
  "votes %j: the chances sum to 1 with those of the unseen, and draws from the posterior agree",
  (votes) => {
    const { mode } = votePosterior(votes, { unseen: 1, prior: 0.5 });
    const all = votePosterior([...votes, 0], { unseen: 0, prior: 0.5 }).mode;
    expect(all.reduce((sum, chance) => sum + chance)).toBeCloseTo(1, 8);
    expect(all.slice(0, -1)).toEqual(mode);
    const [stream, draws] = [random(votes.length), 4000];
    let wins = 0;
    for (let i = 0; i < draws; i++) {
      const [first, ...rest] = [...votes, 0].map((count) => drawGamma(count + 0.5, stream));
      if (rest.every((other) => (first as number) > other)) wins++;
    }
    const p = mode[0] as number;
    expect(Math.abs(wins / draws - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / draws)); // false alarm: 6e-7
  },
);

test("calibrated where the prior is true: of laws drawn from it, the leader is the mode as often as it says", () => {
  const [stream, runs] = [random(11), 1500];
  let [said, was, variance] = [0, 0, 0];
  for (let run = 0; run < runs; run++) {
    const law = [0, 1, 2].map(() => drawGamma(1, stream));
    const votes = [0, 0, 0];
    for (let i = 0; i < 7; i++) (votes[stream.weighted(law)] as number)++;
    const leader = votes.indexOf(Math.max(...votes));
    const chance = votePosterior(votes, { unseen: 0 }).mode[leader] as number;
    said += chance;
    variance += chance * (1 - chance);
    if (law.indexOf(Math.max(...law)) === leader) was++;
  }
  expect(Math.abs(said - was)).toBeLessThan(5 * Math.sqrt(variance));
});

test("as the confidence of a vote", () => {
  const votes = ["a", "b", "a", "a"].map((state, place) => drawnAt(place, state));
  const { confidence } = majority<string>({
    canonical: ({ state }) => state,
    confidence: leaderProbability({ unseen: 0 }),
  }).aggregate(votes);
  expect(confidence).toBeCloseTo(13 / 16, 12);
});

test("refuses by name", () => {
  expect(() => votePosterior([1], { prior: 0 })).toThrow("'prior' must be a positive number");
  expect(() => votePosterior([1], { unseen: 0.5 })).toThrow("'unseen' must be a whole number");
  expect(() => votePosterior([-1])).toThrow("numbers >= 0");
});
