import { expect, test } from "vitest";
import { cost } from "../../budget.ts";
import { random } from "../../math/random.ts";
import type { Policy } from "../../policy.ts";
import { run } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { refine, type RefineOptions } from "./refine.ts";

/** An answer of this world is how good it is; every draw costs one call. */
const problem = { id: "number", prompt: "?" };

function drawing(name: string, draw: (state: number, uniform: number) => number): Policy<number> {
  return {
    name,
    root: () => 0,
    text: String,
    bound: () => cost({ calls: 1 }),
    async *extend(state, { seeds }) {
      for (const [index, seed] of seeds.entries())
        yield {
          type: "extension",
          index,
          extension: {
            state: draw(state, random(seed).uniform()),
            done: true,
            logProb: 0,
            logProposal: 0,
            length: 1,
            cost: cost({ calls: 1 }),
          },
        };
    },
  };
}

/** 1 with probability p, else 0, whatever went before. */
const coin = (p: number) => drawing("coin", (_, uniform) => (uniform < p ? 1 : 0));
const never = coin(0);
const isOne: Scorer<number> = {
  name: "is-one",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: state === 1, evidence: `it is ${state}` }),
};
const itself: Scorer<number> = {
  name: "itself",
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: state }),
};

const solve = (options: RefineOptions<number>, policy: Policy<number>, scorer: Scorer<number>, seed = 0) =>
  run(refine(options), problem, { policy, scorer, seed });

test("with chance p a round, it is solved within r rounds with probability 1 - (1 - p)^r, at 1 + (1 - p) + … answers", async () => {
  const [p, rounds, runs] = [0.2, 5, 2000];
  let solved = 0;
  let calls = 0;
  for (let seed = 0; seed < runs; seed++) {
    const { outcome, spent } = await solve({ revise: () => coin(p), rounds }, coin(p), isOne, seed);
    if (outcome?.accepted) solved++;
    calls += spent.calls;
  }
  const expected = 1 - (1 - p) ** rounds; // 0.67232
  expect(Math.abs(solved / runs - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / runs)); // false alarm: 6e-5
  // The number of answers is geometric, cut off at r: mean (1 - (1 - p)^r) / p = 3.3616, deviation below (r - 1) / 2 = 2.
  expect(Math.abs(calls / runs - expected / p)).toBeLessThan((4 * 2) / Math.sqrt(runs));
});

test("a first answer that is right costs one answer; a chain of one is a draw", async () => {
  const right = await solve({ revise: () => never, rounds: 9 }, coin(1), isOne);
  expect([right.spent.calls, right.outcome]).toMatchObject([1, { rounds: 1, accepted: true }]);
  const single = await solve({ revise: () => coin(1), rounds: 1 }, never, isOne);
  expect([single.spent.calls, single.outcome]).toMatchObject([1, { rounds: 1, accepted: false }]);
});

test.each([
  [1, 12],
  [3, 4],
  [4, 3],
  [12, 1],
])(
  "a grid of %i chains and %i rounds spends exactly twelve answers where none is accepted",
  async (parallel, rounds) => {
    const { spent, nodes, outcome } = await solve({ revise: () => never, parallel, rounds }, never, isOne);
    expect([spent.calls, nodes.length, outcome?.candidates.length]).toEqual([12, 13, 12]);
    const deepest = Math.max(...nodes.map(({ depth }) => depth));
    expect([nodes.filter(({ depth }) => depth === 1).length, deepest]).toEqual([parallel, rounds]);
  },
);

test("all chains stop after the round in which one is accepted", async () => {
  // The third answer of a chain is right: each revision adds a half.
  const { spent, outcome, answer } = await solve(
    { revise: () => drawing("half more", (state) => state + 0.5), parallel: 4, rounds: 10 },
    never,
    isOne,
  );
  expect([spent.calls, outcome?.rounds, answer?.state, answer?.parent?.state]).toEqual([12, 3, 1, 0.5]);
});

test("a chain goes on from its latest answer, and the best of all rounds is kept", async () => {
  const states = [3, 5, 2, 4];
  const next = (state: number) => states[states.indexOf(state) + 1] as number;
  const { answer, outcome, nodes } = await solve(
    { revise: ({ state }) => drawing("next", () => next(state)), rounds: 4 },
    drawing("first", () => 3),
    itself,
  );
  expect(nodes.slice(1).map(({ state }) => state)).toEqual(states);
  expect(answer?.state).toBe(5);
  expect(outcome?.candidates.map(({ state }) => state)).toEqual([5, 4, 3, 2]);
});

test("a score of `enough` is enough", async () => {
  const more = () => drawing("more", (state) => state + 1);
  const { answer, outcome } = await solve({ revise: more, rounds: 10, enough: 3 }, never, itself);
  expect([answer?.state, outcome]).toMatchObject([3, { rounds: 4, accepted: true }]);
});

test("a revision sees the score with its evidence, and the critique", async () => {
  const seen: unknown[] = [];
  await solve(
    {
      critique: (_, score) => ({ ...drawing("critique", () => 7), name: `critique of ${score?.evidence}` }),
      revise: (answer, score, notes) => {
        seen.push([answer.state, score?.evidence, notes.map(({ state }) => state)]);
        return coin(1);
      },
      rounds: 2,
    },
    never,
    isOne,
  );
  expect(seen).toEqual([[0, "it is 0", [7]]]);
});

test("without a scorer the last answer is taken, and nothing is scored", async () => {
  const more = () => drawing("more", (state) => state + 1);
  const { answer, outcome } = await solve({ revise: more, rounds: 3, scorer: null }, never, {
    ...isOne,
    score: () => {
      throw new Error("not to be asked");
    },
  });
  expect([answer?.state, outcome?.candidates.map(({ state }) => state)]).toEqual([2, [2, 1, 0]]);
});

test("a spent budget leaves the best so far", async () => {
  const up = () => drawing("up", (state) => state + 1);
  const { answer, stopped } = await run(refine({ revise: up, rounds: 9 }), problem, {
    policy: never,
    scorer: itself,
    budget: { calls: 3 },
  });
  expect([answer?.state, stopped]).toEqual([2, { why: "budget-spent", limit: "calls" }]);
});

test("the same key gives the same run, another key another", async () => {
  const spread = () => drawing("uniform", (_, uniform) => uniform);
  const best = async (seed: number) =>
    (await solve({ revise: spread, rounds: 3, parallel: 2 }, spread(), itself, seed)).answer?.state;
  expect(await best(5)).toBe(await best(5));
  expect(await best(5)).not.toBe(await best(6));
});

test.each(["rounds", "parallel"])("refuses %s = 0 by name", (name) => {
  expect(() => refine<number>({ revise: () => never, [name]: 0 })).toThrow(`'${name}'`);
});
