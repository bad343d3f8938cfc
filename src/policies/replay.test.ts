import { describe, expect, test } from "vitest";
import { cost } from "../budget.ts";
import type { PoolProblem } from "../pool.ts";
import { run } from "../run.ts";
import { memoryJournal } from "../runs/memory.ts";
import { replayScores } from "../scorers/replay.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { greedy, sample } from "../search/sampling/sample.ts";
import { extend, type Search } from "../search.ts";
import { replay, type ReplayState } from "./replay.ts";

const problem = { id: "p", prompt: "?" };
/** Three steps of 1, 2 and 3 tokens each; the first sample's request read the prompt, the others had it from a cache. */
const pool = (size: number, nanodollars = 0): PoolProblem => ({
  problem,
  level: null,
  samples: Array.from({ length: size }, (_, i) => ({
    text: `${i}:abc`,
    finish: i === 1 ? ("length" as const) : ("end" as const),
    length: 6,
    logProb: -6 - i,
    cost: cost({ tokens: 6, calls: 1, nanodollars, ...(i === 0 ? { promptTokens: 9 } : { cachedTokens: 9 }) }),
    steps: [1, 2, 3].map((length, step) => ({
      end: step === 2 ? `${i}:abc`.length : step + 1,
      length,
      logProb: -length - (step === 0 ? i : 0),
      scores:
        step === 2
          ? {}
          : { value: { score: { kind: "probability" as const, value: (step + i) / 20 }, cost: cost({ tokens: 1 }) } },
    })),
    scores: { value: { score: { kind: "probability" as const, value: i / 10 }, cost: cost({ tokens: 1, calls: 1 }) } },
    canonical: null,
    correct: null,
  })),
});
const drawn = async (n: number, options: Parameters<typeof replay>[1], size = 6) => {
  const { nodes, spent } = await run(sample<ReplayState>({ n }), problem, { policy: replay(pool(size), options) });
  return {
    nodes,
    spent,
    samples: nodes.filter(({ done, failure }) => done && !failure).map(({ state }) => state.sample),
  };
};

test("in order of recording, or in a shuffled one that the key decides: all, and none twice", async () => {
  expect((await drawn(6, {})).samples).toEqual([0, 1, 2, 3, 4, 5]);
  const orders = [];
  for (const order of [1, 1, 2]) orders.push((await drawn(6, { order })).samples);
  expect(orders[0]).toEqual(orders[1]);
  expect(orders[0]).not.toEqual(orders[2]);
  for (const order of orders) expect(order.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
});

test("every order comes equally often", async () => {
  const counts = new Map<string, number>();
  const trials = 1200;
  for (let order = 0; order < trials; order++) {
    const policy = replay(pool(3), { order });
    const first: (number | undefined)[] = [];
    const request = {
      problem,
      draw: "sample" as const,
      seeds: [1, 2, 3],
      ranks: [0, 1, 2],
      signal: new AbortController().signal,
    };
    for await (const part of policy.extend(policy.root(problem), request))
      if (part.type === "extension") first.push(part.extension.state.sample);
    counts.set(String(first), (counts.get(String(first)) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values())
    expect(Math.abs(count - trials / 6)).toBeLessThan(5 * Math.sqrt((trials * 5) / 36));
});

test("beyond the pool a draw fails, at no cost, and says what to do", async () => {
  const { nodes, spent, samples } = await drawn(5, {}, 3);
  expect([samples, spent.calls]).toEqual([[0, 1, 2], 3]);
  expect(nodes.flatMap(({ failure }) => failure?.message ?? [])).toEqual(
    Array.from({ length: 2 }, () => "The pool holds 3 samples of 'p', and all were drawn: record more"),
  );
});

describe("costs", () => {
  test("the prompt is paid by whoever comes first, all else by the sample", async () => {
    for (const step of ["answer", "step"] as const) {
      const { spent } = await drawn(4, { step, order: 3 });
      expect(spent).toMatchObject({ tokens: 24, promptTokens: 9, cachedTokens: 27, calls: 4 });
    }
  });

  test("by step: so many tokens as were drawn, dollars in proportion, sums exactly those of the sample", async () => {
    const policy = replay(pool(1, 100), { step: "step" });
    const signal = new AbortController().signal;
    let state = policy.root(problem);
    const costs = [];
    for (let i = 0; i < 3; i++) {
      const bound = policy.bound(state, problem);
      for await (const part of policy.extend(state, { problem, draw: "sample", seeds: [i], ranks: [0], signal }))
        if (part.type === "extension") {
          expect(bound).toEqual(part.extension.cost);
          costs.push(part.extension.cost);
          ({ state } = part.extension);
        }
    }
    expect(costs.map(({ tokens }) => tokens)).toEqual([1, 2, 3]);
    expect(costs.map(({ nanodollars }) => nanodollars)).toEqual([16, 34, 50]);
    expect(costs.map(({ calls, promptTokens }) => [calls, promptTokens])).toEqual([
      [1, 9],
      [0, 0],
      [0, 0],
    ]);
    expect(state).toMatchObject({ text: "0:abc", finish: "end", length: 6 });
  });
});

test("a partial answer has one continuation, and there is no most probable step", async () => {
  const twice: Search<ReplayState> = {
    name: "twice",
    options: {},
    *run(root) {
      const [begun] = yield* extend(root);
      const candidates = begun ? yield* extend(begun, { count: 2 }) : [];
      return { answer: undefined, candidates };
    },
  };
  const { nodes, outcome } = await run(twice, problem, { policy: replay(pool(6), { step: "step" }) });
  expect(outcome?.candidates.map(({ state }) => state.text)).toEqual(["0:"]);
  expect(nodes.flatMap(({ failure }) => failure?.message ?? [])).toEqual([
    "The pool holds one continuation of a partial answer to 'p', and it was drawn",
  ]);
  const top = await run(greedy<ReplayState>(), problem, { policy: replay(pool(2)) });
  expect(top.stopped).toMatchObject({ why: "all-failed", failures: [{ code: "unsupported" }] });
});

test("a resumed run draws what was not drawn, each once", async () => {
  const options = { scorer: replayScores<ReplayState>(pool(8), "value"), seed: 4 };
  const journal = memoryJournal();
  const whole = await run(bestOfN<ReplayState>({ n: 8 }), problem, {
    ...options,
    policy: replay(pool(8), { order: 9 }),
    journal,
  });
  for (const kept of [2, 5, 9]) {
    const again = memoryJournal(journal.events.slice(0, kept));
    const resumed = await run(bestOfN<ReplayState>({ n: 8 }), problem, {
      ...options,
      policy: replay(pool(8), { order: 9 }),
      journal: again,
    });
    expect([resumed.text, resumed.spent.tokens]).toEqual([whole.text, whole.spent.tokens]);
    expect(resumed.nodes.map(({ state }) => state.text).toSorted()).toEqual(
      whole.nodes.map(({ state }) => state.text).toSorted(),
    );
  }
});

test("scores are those that were recorded, of the whole and of parts; what was not recorded is a failure", async () => {
  const [recorded, names] = [pool(2), ["value"]];
  const scorer = replayScores<ReplayState>(recorded, names[0] as string);
  expect([scorer.name, scorer.kind, scorer.bound?.({} as never, {} as never)]).toEqual([
    "value",
    "probability",
    cost({ tokens: 1, calls: 1 }),
  ]);
  const at = (state: Partial<ReplayState>, done: boolean) => scorer.score({ state, done } as never, {} as never);
  expect(at({ sample: 1, steps: 1 }, true)).toEqual(recorded.samples[1]?.scores.value);
  expect(at({ sample: 1, steps: 2 }, false)).toEqual(recorded.samples[1]?.steps?.[1]?.scores.value);
  expect(() => at({ sample: 1, steps: 3 }, false)).toThrow(
    "No score of 'value' was recorded for sample 1 after 3 steps of 'p'",
  );
  expect(() => at({}, false)).toThrow("was recorded for the question of 'p'");
  expect(() => replayScores(recorded, "judge")).toThrow("none was recorded for 'p': there are value");
  expect(() => replay(recorded).root({ id: "q", prompt: "" })).toThrow(
    "Cannot replay samples of 'p' as the problem is 'q'",
  );
});
