import { expect, test } from "vitest";
import { answerOf, drawnAt, drawnFrom } from "../../test/helpers/pool.ts";
import { type SimulatedState, successLaw } from "../testing/simulated-solver.ts";
import { majority } from "./majority.ts";
import { surprisinglyLikely } from "./surprisingly-likely.ts";

// Everybody says "myth", asked or not; the right answer comes up only when the question is asked.
const asked = successLaw(0.35, { wrong: { myth: 0.7, "don't know": 0.3 } });
const unasked = successLaw(0.05, { wrong: { myth: 0.7, "don't know": 0.3 } });
const knowing = successLaw(0.6, { wrong: { myth: 0.7, "don't know": 0.3 } });
const canonical = answerOf;

test("where most share a misconception it is right and the vote is wrong, and it says that they disagree", () => {
  const runs = 200;
  let [right, voted, told] = [0, 0, 0];
  for (let seed = 0; seed < runs; seed++) {
    const pool = drawnFrom(asked, 40, seed);
    const prior = drawnFrom(unasked, 40, 10_000 + seed);
    const { answer, mostLikely, disagrees } = surprisinglyLikely<SimulatedState>({ canonical, prior }).aggregate(pool);
    const vote = majority<SimulatedState>({ canonical }).aggregate(pool).answer;
    expect(mostLikely).toBe(vote);
    expect(disagrees).toBe(answer?.state.answer !== vote?.state.answer);
    if (answer?.state.answer === "right") right++;
    if (vote?.state.answer === "right") voted++;
    if (disagrees) told++;
  }
  expect(right).toBeGreaterThan(0.95 * runs);
  expect(voted).toBeLessThan(0.3 * runs);
  expect(told).toBeGreaterThan(0.7 * runs);
});

test("where the model knows, both agree", () => {
  const { answer, disagrees } = surprisinglyLikely<SimulatedState>({
    canonical,
    prior: drawnFrom(unasked, 100, 2),
  }).aggregate(drawnFrom(knowing, 100, 1));
  expect([answer?.state.answer, disagrees]).toEqual(["right", false]);
});

const pool = (...answers: string[]) => answers.map((answer, place) => drawnAt(place, answer));
const itself = ({ state }: { state: string }) => (state === "?" ? undefined : state);

test("two pools, by hand: the ratio of smoothed shares", () => {
  const { answer, tally } = surprisinglyLikely<string>({
    canonical: itself,
    prior: pool("a", "a", "a", "c", "?"),
    smoothing: 1,
  }).aggregate(pool("a", "b", "a", "b", "a", "?"));
  // Three kinds in all: asked (3+1)/8 and (2+1)/8; unasked (3+1)/7 and (0+1)/7.
  expect(tally.map(({ answer }) => answer)).toEqual(["b", "a"]);
  expect(tally[0]?.weight).toBeCloseTo(Math.log(3 / 8 / (1 / 7)), 12);
  expect(tally[1]?.weight).toBeCloseTo(Math.log(4 / 8 / (4 / 7)), 12);
  expect(answer?.id).toBe("0.1.0#0");
});

test("a fluke is left out where an answer needs more votes than one", () => {
  const votes = pool("myth", "myth", "right", "right", "fluke");
  const options = { canonical: itself, prior: pool("myth", "myth", "right", "myth"), smoothing: 0.1 };
  expect(surprisinglyLikely<string>(options).aggregate(votes).answer?.state).toBe("fluke");
  expect(surprisinglyLikely<string>({ ...options, atLeast: 2 }).aggregate(votes).answer?.state).toBe("right");
});

test("by log-probabilities that are read: of two texts with one answer the likelier, those not known take no part", () => {
  const logs: Record<string, readonly [number, number]> = {
    a1: [-1, -1],
    a2: [-0.5, -0.2],
    b1: [-2, -4],
    c1: [Number.NaN, -1],
  };
  const { answer, mostLikely, disagrees, tally } = surprisinglyLikely<string>({
    canonical: ({ state }) => state.slice(0, 1),
    logProbs: ({ state }) => ({ asked: logs[state]?.[0] as number, unasked: logs[state]?.[1] as number }),
  }).aggregate(pool("a1", "b1", "c1", "a2"));
  expect([answer?.state, mostLikely?.state, disagrees]).toEqual(["b1", "a2", true]);
  expect(tally.map(({ answer, weight }) => [answer, weight])).toEqual([
    ["b", 2],
    ["a", -0.3],
  ]);
});

test("nothing readable is no answer; smoothing by nothing is refused", () => {
  expect(surprisinglyLikely<string>({ canonical: itself, prior: [] }).aggregate(pool("?"))).toEqual({
    answer: undefined,
    confidence: undefined,
    tally: [],
    mostLikely: undefined,
    disagrees: false,
  });
  expect(() => surprisinglyLikely<string>({ canonical: itself, prior: [], smoothing: 0 })).toThrow("'smoothing'");
});
