import { expect, test } from "vitest";
import { cost } from "../budget.ts";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { replay, type ReplayState } from "../policies/replay.ts";
import type { PoolProblem, PoolSample } from "../pool.ts";
import { run } from "../run.ts";
import { replayScores } from "../scorers/replay.ts";
import { earlyPruning } from "./early-pruning.ts";

const problem = { id: "halving", prompt: "" };
const judged = (value: number) => ({ value: { score: { kind: "reward", value } as const, cost: cost({ calls: 1 }) } });

/** Steps of the given lengths, and what is said after each; the last is of the whole answer. */
const written = (name: string, lengths: readonly number[], values: readonly number[]): PoolSample => {
  const length = lengths.reduce((sum, one) => sum + one, 0);
  return {
    text: name,
    finish: "end",
    length,
    logProb: null,
    cost: cost({ tokens: length, calls: 1 }),
    steps: lengths.map((one, i) => ({
      end: i === lengths.length - 1 ? name.length : 0,
      length: one,
      logProb: null,
      scores: judged(values[i] as number),
    })),
    scores: judged(values.at(-1) as number),
    canonical: null,
    correct: name.startsWith("right"),
  };
};
const poolOf = (samples: readonly PoolSample[]): PoolProblem => ({ problem, level: null, samples });
const pruned = (pool: PoolProblem, options: Parameters<typeof earlyPruning<ReplayState>>[0], order?: number) =>
  run(earlyPruning(options), problem, {
    policy: replay(pool, { step: "step", ...(order !== undefined && { order }) }),
    scorer: replayScores(pool, "value"),
  });

test("the schedule, round by round: who goes on, what it costs, what was given up", async () => {
  const samples = [
    written("a", [5, 5, 5], [1, 9, 9]),
    written("b", [5, 5, 5], [8, 2, 9]),
    written("c", [5, 5, 5], [7, 7, 3]),
    written("d", [5, 5, 5], [6, 6, 4]),
    written("e", [5, 5, 5], [5, 9, 9]),
    written("f", [2], [0]),
    written("g", [5, 5, 5], [2, 9, 9]),
    written("h", [5, 5, 5], [3, 9, 9]),
  ];
  const { text, spent, outcome } = await pruned(poolOf(samples), { n: 8, after: [1, 2], keep: 0.5 });
  // 7 are on their way after one step (f has ended): 3 go on, b, c, d; after two steps 1 of 3 does, c.
  expect([text, outcome?.candidates.map(({ state }) => state.text)]).toEqual(["c", ["c", "f"]]);
  expect(outcome).toMatchObject({ pruned: 4 + 2, biased: true });
  expect(spent.tokens).toBe(7 * 5 + 2 + 3 * 5 + 1 * 5);
  expect(spent.calls).toBe(8 + 8 + 3 + 1); // draws, then a score each at every rung and end
});

test("a share that is a whole number keeps that many, whatever its rounding", async () => {
  const samples = Array.from({ length: 100 }, (_, i) => written(`${i}`, [1, 1], [i, i]));
  const { outcome } = await pruned(poolOf(samples), { n: 100, keep: 0.57 }); // 0.57 · 100 is 56.99999999999999
  expect([outcome?.candidates.length, outcome?.pruned]).toEqual([57, 43]);
});

test("one rung whose score is right about the whole finds it as often as best of n, at less than half the cost", async () => {
  // A beginning is good or bad (by lot), and only good ones come right: the score after one step says which.
  const stream = random(fold(key(5), "halving"));
  const [n, runs] = [16, 200];
  let [found, tokens] = [0, 0];
  for (let i = 0; i < runs; i++) {
    const samples = Array.from({ length: n }, () => {
      const good = stream.uniform() < 0.2;
      const right = good && stream.uniform() < 0.5;
      return written(right ? "right" : "wrong", [10, 90], [Number(good), Number(right)]);
    });
    const { text, spent } = await pruned(poolOf(samples), { n, keep: 0.25 });
    found += Number(text === "right");
    tokens += spent.tokens;
  }
  // All 16 begin; the best 4 are finished. Good beginnings: binomial(16, 0.2); of at most 4 of them one must come right.
  let exact = 0;
  for (let k = 0, choose = 1; k <= n; choose = (choose * (n - k)) / (k + 1), k++)
    exact += choose * 0.2 ** k * 0.8 ** (n - k) * (1 - 0.5 ** Math.min(k, 4));
  expect(Math.abs(found / runs - exact)).toBeLessThan(5 * Math.sqrt((exact * (1 - exact)) / runs));
  const bestOf16 = 1 - 0.9 ** 16;
  expect(exact).toBeGreaterThan(0.93 * bestOf16);
  expect(tokens / runs).toBe(16 * 10 + 4 * 90); // 520 of 1600
});

test("by a score that knows nothing it is best of the few that are left", async () => {
  const stream = random(fold(key(6), "noise"));
  const runs = 300;
  let found = 0;
  for (let i = 0; i < runs; i++) {
    const samples = Array.from({ length: 8 }, () => {
      const right = stream.uniform() < 0.3;
      return written(right ? "right" : "wrong", [1, 1], [stream.uniform(), Number(right)]);
    });
    found += Number((await pruned(poolOf(samples), { n: 8, keep: 0.25 })).text === "right");
  }
  const exact = 1 - 0.7 ** 2;
  expect(Math.abs(found / runs - exact)).toBeLessThan(5 * Math.sqrt((exact * (1 - exact)) / runs));
});

test("settings out of range are refused by name", () => {
  expect(() => earlyPruning({ n: 0 })).toThrow("'n' must be a whole number in [1, 100000]: current value is 0");
  expect(() => earlyPruning({ keep: 1 })).toThrow("'keep' must be in (0, 1): current value is 1");
  expect(() => earlyPruning({ after: [2, 1] })).toThrow(
    "'after' must be a whole number in [3, 100000]: current value is 1",
  );
});
