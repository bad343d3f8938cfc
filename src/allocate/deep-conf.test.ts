import { expect, test } from "vitest";
import { cost } from "../budget.ts";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { replay, type ReplayState } from "../policies/replay.ts";
import type { PoolProblem, PoolSample } from "../pool.ts";
import { run } from "../run.ts";
import { deepConf } from "./deep-conf.ts";

const problem = { id: "confidence", prompt: "" };
/** One token a step, with these log-probabilities. */
const written = (answer: string, logProbs: readonly number[]): PoolSample => ({
  text: answer,
  finish: "end",
  length: logProbs.length,
  logProb: logProbs.reduce((sum, one) => sum + one, 0),
  cost: cost({ tokens: logProbs.length, calls: 1 }),
  steps: logProbs.map((logProb, i) => ({
    end: i === logProbs.length - 1 ? answer.length : 0,
    length: 1,
    logProb,
    scores: {},
  })),
  scores: {},
  canonical: answer,
  correct: null,
});
const voted = (
  samples: readonly PoolSample[],
  options: Omit<Parameters<typeof deepConf<ReplayState>>[0], "canonical">,
) => {
  const pool: PoolProblem = { problem, level: null, samples };
  const canonical = ({ state }: { readonly state: ReplayState }) => state.text || undefined;
  return run(deepConf<ReplayState>({ canonical, ...options }), problem, { policy: replay(pool, { step: "step" }) });
};

test("groups, threshold, stops, weights and consensus, by hand", async () => {
  const samples = [
    // Warm-up; least confident groups of two tokens: −1, −2, −3 and, shorter than a group, −4.
    written("x", [-1, -1, 0]),
    written("y", [0, -2, -2, -1]),
    written("x", [-3, -3]),
    written("y", [-4]),
    // Its second group is at −2.5, exactly the threshold; the next is below: it stops after four tokens.
    written("y", [-2, -3, -2, -4, 0, 0]),
    written("x", [0, -1, -1]),
    written("x", [0, 0, 0]),
  ];
  const { text, outcome, spent } = await voted(samples, { window: 2, warmUp: 4, keep: 0.5, consensus: 0.9, most: 7 });
  expect(outcome?.threshold).toBe(-2.5); // the median of −1, −2, −3, −4
  // Of the warm-up −1 and −2 vote; then what is whole and at or above the threshold.
  const [x, y] = [Math.exp(-1) + Math.exp(-1) + 1, Math.exp(-2)];
  expect(outcome?.tally.map(({ answer, weight }) => [answer, weight])).toEqual([
    ["x", expect.closeTo(x, 12)],
    ["y", expect.closeTo(y, 12)],
  ]);
  expect([text, outcome?.confidence]).toEqual(["x", expect.closeTo(x / (x + y), 12)]);
  expect(outcome).toMatchObject({ ended: "consensus", draws: 7, cut: 1, biased: true });
  expect(spent.tokens).toBe(3 + 4 + 2 + 1 + 4 + 3 + 3);
  expect(outcome?.tally[0]?.node.totalLogProb).toBe(0); // the most confident of the answer's
});

test("agreement in the warm-up ends it there", async () => {
  const same = Array.from({ length: 6 }, () => written("x", [-1, -1]));
  const { outcome } = await voted(same, { window: 2, warmUp: 3, most: 6 });
  expect(outcome).toMatchObject({ ended: "consensus", draws: 3, confidence: 1 });
});

test("a model that tells no log-probabilities leaves a vote without weight, and its earliest answer", async () => {
  const silent = ["x", "y", "y"].map((answer) => ({
    ...written(answer, [0]),
    steps: [{ end: 1, length: 1, logProb: null, scores: {} }],
    logProb: null,
  }));
  const { text, outcome } = await voted(silent, { window: 1, warmUp: 2, most: 3 });
  expect([text, outcome?.threshold, outcome?.confidence]).toEqual(["x", undefined, 0]);
});

test("where wrong chains lose confidence, it is right as often as a vote of all, with fewer tokens", async () => {
  // Right with 0.45, else one wrong answer; wrong chains have a weak spot in 9 of 10 cases, right ones in 1 of 10.
  const stream = random(fold(key(8), "deep-conf"));
  const runs = 40;
  let [right, majority, tokens] = [0, 0, 0];
  for (let i = 0; i < runs; i++) {
    const samples = Array.from({ length: 32 }, () => {
      const isRight = stream.uniform() < 0.45;
      const weak = stream.uniform() < (isRight ? 0.1 : 0.9);
      return written(
        isRight ? "right" : "wrong",
        Array.from({ length: 20 }, (_, at) => (weak && at >= 4 && at < 8 ? -2 : -0.2) - 0.1 * stream.uniform()),
      );
    });
    const { text, spent } = await voted(samples, { window: 4, warmUp: 8, keep: 0.4, most: 32 });
    right += Number(text === "right");
    majority += Number(samples.filter((one) => one.text === "right").length > 16);
    tokens += spent.tokens / runs;
  }
  expect(right / runs).toBeGreaterThan(0.9);
  expect(majority / runs).toBeLessThan(0.5); // 0.45 of 32 votes are the minority as a rule
  expect(tokens).toBeLessThan(0.75 * 32 * 20);
});

test("settings out of range are refused by name", () => {
  const canonical = () => undefined;
  expect(() => deepConf({ canonical, window: 0 })).toThrow(
    "'window' must be a whole number in [1, 100000]: current value is 0",
  );
  expect(() => deepConf({ canonical, keep: 0 })).toThrow("'keep' must be in (0, 1): current value is 0");
  expect(() => deepConf({ canonical, consensus: 1.1 })).toThrow("'consensus' must be in [0, 1]: current value is 1.1");
});
