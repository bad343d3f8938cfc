import { expect, test } from "vitest";
import { answerOf, drawnAt, drawnFrom } from "../../test/helpers/pool.ts";
import { drawBeta } from "../math/distributions.ts";
import { random } from "../math/random.ts";
import { rankOf, type Score } from "../scorer.ts";
import {
  likelihoodWeight,
  oddsWeight,
  probabilityWeight,
  rewardWeight,
  verdictWeight,
} from "../search/particles/potential.ts";
import { type SimulatedState, successLaw } from "../testing/simulated-solver.ts";
import { majority } from "./majority.ts";
import { weightedVote } from "./weighted-vote.ts";

const canonical = ({ state }: { state: string }) => (state.startsWith("?") ? undefined : state.trim());
const probability = (value: number): Score => ({ kind: "probability", value });
const pool = (...votes: readonly (readonly [string, Score?])[]) =>
  votes.map(([state, score], place) => drawnAt(place, state, score && { score }));
const shares = (tally: readonly { answer: string; weight: number }[]) =>
  Object.fromEntries(tally.map(({ answer, weight }) => [answer, Number(weight.toFixed(12))]));

test("three fair answers outweigh one that is scored best; the heaviest voter stands for the answer", () => {
  const votes = pool(
    ["a", probability(0.9)],
    ["b", probability(0.3)],
    ["b ", probability(0.5)],
    ["b", probability(0.4)],
  );
  const { answer, confidence, tally } = weightedVote({ canonical, map: probabilityWeight }).aggregate(votes);
  expect([answer?.id, tally.map(({ answer }) => answer)]).toEqual(["0.2.0#0", ["b", "a"]]);
  expect(confidence).toBeCloseTo(1.2 / 2.1, 12);
});

test("the map decides: by odds, 0.9 outweighs 0.3, 0.5 and 0.4", () => {
  const votes = pool(
    ["a", probability(0.9)],
    ["b", probability(0.3)],
    ["b", probability(0.5)],
    ["b", probability(0.4)],
  );
  const { tally } = weightedVote({ canonical, map: oddsWeight }).aggregate(votes);
  const [a, b] = [9, 3 / 7 + 1 + 2 / 3];
  expect(tally.map(({ answer }) => answer)).toEqual(["a", "b"]);
  expect(tally[0]?.weight).toBeCloseTo(a / (a + b), 12);
});

test("equal weights are a majority vote, ties too, in whatever order they come", () => {
  const stream = random(2);
  const plain = majority({ canonical });
  const weighted = weightedVote({ canonical, map: rewardWeight(3) });
  for (let i = 0; i < 200; i++) {
    const votes = stream.shuffled(
      pool(
        ...Array.from(
          { length: 1 + stream.integer(12) },
          () => [stream.pick(["a", "b", "c", "?"]), { kind: "reward", value: 2 }] as const,
        ),
      ),
    );
    const [one, other] = [plain.aggregate(votes), weighted.aggregate(votes)];
    expect(other.answer).toBe(one.answer);
    expect(other.tally.map(({ answer }) => answer)).toEqual(one.tally.map(({ answer }) => answer));
    if (one.confidence !== undefined) expect(other.confidence).toBeCloseTo(one.confidence, 12);
  }
});

test("what has no score does not vote, what cannot be read neither; where nothing weighs anything there is no answer", () => {
  const { aggregate } = weightedVote({ canonical, map: verdictWeight });
  const verdict = (correct: boolean): Score => ({ kind: "verdict", correct });
  const { tally } = aggregate(pool(["a"], ["a"], ["b", verdict(true)], ["?", verdict(true)], ["c", verdict(false)]));
  expect(shares(tally)).toEqual({ b: 1 });
  for (const votes of [[], pool(["a"], ["b"]), pool(["a", verdict(false)])])
    expect(aggregate(votes)).toEqual({ answer: undefined, confidence: undefined, tally: [] });
});

test("weights too small to be written still compare", () => {
  const likely = (value: number): Score => ({ kind: "log-likelihood", value });
  const votes = pool(["a", likely(-2000)], ["b", likely(-2000 + Math.log(3))]);
  const { tally } = weightedVote({ canonical, map: likelihoodWeight() }).aggregate(votes);
  expect(shares(tally)).toEqual({ b: 0.75, a: 0.25 });
});

test("a scale is never guessed", () => {
  const { aggregate } = weightedVote({ canonical, map: probabilityWeight });
  expect(() => aggregate(pool(["a", { kind: "reward", value: 0.5 }]))).toThrow(
    "Cannot weigh a vote by a reward as the map 'log' takes a probability",
  );
});

test("with a scorer that knows a little, but is sometimes sure of a mistake, it beats both the vote and the best by score", () => {
  // A mistake is as frequent as the right answer. Right ones score about 0.6; wrong ones about 0.3, and one in ten 0.97.
  const law = successLaw(0.4, { wrong: { mistake: 0.65, slip: 0.35 } });
  const [stream, runs] = [random(9), 500];
  const right = { weighted: 0, vote: 0, best: 0 };
  const byProbability = weightedVote<SimulatedState>({ canonical: answerOf, map: probabilityWeight });
  const byCount = majority<SimulatedState>({ canonical: answerOf });
  for (let seed = 0; seed < runs; seed++) {
    const pool = drawnFrom(law, 16, seed).map((node) => {
      const wrong = stream.uniform() < 0.1 ? 0.97 : drawBeta(3, 7, stream);
      return { ...node, score: probability(answerOf(node) === "right" ? drawBeta(6, 4, stream) : wrong) };
    });
    const best = pool.reduce((one, other) => (rankOf(other.score) > rankOf(one.score) ? other : one));
    if (byProbability.aggregate(pool).answer?.state.answer === "right") right.weighted++;
    if (byCount.aggregate(pool).answer?.state.answer === "right") right.vote++;
    if (answerOf(best) === "right") right.best++;
  }
  for (const other of [right.vote, right.best])
    expect((right.weighted - other) / runs).toBeGreaterThan(5 * Math.sqrt(0.5 / runs)); // 5 standard errors at most
});
