import { expect, test } from "vitest";
import { majority } from "../aggregators/majority.ts";
import { cost } from "../budget.ts";
import { drawBeta } from "../math/distributions.ts";
import { random } from "../math/random.ts";
import { logBeta } from "../math/special.ts";
import type { Problem } from "../problem.ts";
import { run } from "../run.ts";
import type { Scorer } from "../scorer.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { greedy, sample } from "../search/sampling/sample.ts";
import { vote } from "../search/sampling/vote.ts";
import { type SimulatedState, simulatedSolver, successLaw } from "./simulated-solver.ts";

const problem: Problem = { id: "simulated", prompt: "" };
const canonical = ({ state }: { state: SimulatedState }) => state.answer;
const verdict: Scorer<SimulatedState> = {
  name: "right",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: state.answer === "right" }),
};

/** Whether a share of so many runs is as expected. False alarm: 6e-7. */
function expectShare(count: number, runs: number, p: number): void {
  expect(Math.abs(count / runs - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / runs));
}

test("answers come by their law, chains of one answer by theirs", async () => {
  const law = [
    { answer: "a", chain: "short", probability: 0.5 },
    { answer: "a", chain: "long", probability: 0.2 },
    { answer: "b", probability: 0.3 },
  ];
  const n = 3000;
  const { outcome, spent } = await run(sample<SimulatedState>({ n }), problem, {
    policy: simulatedSolver({ law }),
    seed: 1,
  });
  const drawn = outcome?.candidates ?? [];
  for (const { answer, chain = answer, probability } of law) {
    const these = drawn.filter(({ state }) => state.answer === answer && state.chain === chain);
    expectShare(these.length, n, probability);
    for (const { logProb, logProposal } of these)
      expect([logProb, logProposal]).toEqual([Math.log(probability), Math.log(probability)]);
  }
  expect([spent.calls, spent.tokens]).toEqual([n, n]);
});

test("coverage of an exact verifier: 1 - (1 - p)ⁿ", async () => {
  const [p, runs] = [0.15, 600];
  const policy = simulatedSolver({ law: successLaw(p) });
  for (const n of [1, 4, 12]) {
    let solved = 0;
    for (let seed = 0; seed < runs; seed++)
      if ((await run(bestOfN({ n }), problem, { policy, scorer: verdict, seed: 1000 * n + seed })).text === "right")
        solved++;
    expectShare(solved, runs, 1 - (1 - p) ** n);
  }
});

test("the majority of two answers: the upper half of the binomial, a tie going to either with 1/2", async () => {
  const [p, runs] = [0.6, 600];
  const policy = simulatedSolver({ law: successLaw(p) });
  for (const n of [2, 5, 10]) {
    let exact = 0;
    for (let k = 0, choose = 1; k <= n; choose = (choose * (n - k)) / (k + 1), k++)
      exact += choose * p ** k * (1 - p) ** (n - k) * (2 * k > n ? 1 : 2 * k === n ? 0.5 : 0);
    let won = 0;
    for (let seed = 0; seed < runs; seed++)
      if (
        (await run(vote({ n, aggregator: majority({ canonical }) }), problem, { policy, seed: 1000 * n + seed }))
          .text === "right"
      )
        won++;
    expectShare(won, runs, exact);
  }
});

test("best of n by a score: the law of the largest of n", async () => {
  const values = [1, 2, 3, 4];
  const shares = [0.4, 0.3, 0.2, 0.1];
  const policy = simulatedSolver({
    law: values.map((value, i) => ({ answer: String(value), probability: shares[i] as number })),
  });
  const scorer: Scorer<SimulatedState> = {
    name: "value",
    kind: "reward",
    score: ({ state }) => ({ kind: "reward", value: Number(state.answer) }),
  };
  const [n, runs] = [4, 800];
  const counts = new Map<string, number>();
  for (let seed = 0; seed < runs; seed++) {
    const { text = "" } = await run(bestOfN({ n }), problem, { policy, scorer, seed });
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  let below = 0;
  for (const [i, value] of values.entries()) {
    const upTo = below + (shares[i] as number);
    expectShare(counts.get(String(value)) ?? 0, runs, upTo ** n - below ** n); // P(max <= v) - P(max < v)
    below = upTo;
  }
});

test("problems of Beta-distributed difficulty: coverage grows as its closed form, a vote stays where it is", async () => {
  const [a, b, problems] = [0.6, 1.4, 1000];
  const difficulty = random(5);
  const easy = Array.from({ length: problems }, () => drawBeta(a, b, difficulty));
  const policy = simulatedSolver({ law: ({ data }) => successLaw(data as number) });
  const found = { covered: [] as number[], voted: [] as number[] };
  for (const n of [1, 9, 33]) {
    let [covered, voted] = [0, 0];
    for (const [i, success] of easy.entries()) {
      const search = vote<SimulatedState>({ n, aggregator: majority({ canonical }) });
      const { text, outcome } = await run(search, { id: `p${i}`, prompt: "", data: success }, { policy, seed: n + i });
      if (outcome?.candidates.some(({ state }) => state.answer === "right")) covered++;
      if (text === "right") voted++;
    }
    expectShare(covered, problems, 1 - Math.exp(logBeta(a, b + n) - logBeta(a, b))); // 1 - E[(1 - p)ⁿ]
    found.covered.push(covered);
    found.voted.push(voted);
  }
  const [, few = 0, many = 0] = found.covered;
  expect(many - few).toBeGreaterThan(0.1 * problems);
  expect(Math.abs((found.voted[2] ?? 0) - (found.voted[1] ?? 0))).toBeLessThan(0.03 * problems); // only p near 1/2 still moves
});

test("the most probable answer without chance, what it costs, and no log-probabilities where it tells none", async () => {
  const policy = simulatedSolver({
    law: successLaw(0.3, { wrong: { x: 0.9, y: 0.1 } }),
    cost: cost({ calls: 1, tokens: 7 }),
    logProbs: false,
  });
  const { text, spent, answer } = await run(greedy(), problem, { policy });
  expect([text, spent.tokens, answer?.logProb]).toEqual(["x", 7, Number.NaN]);
});

test("laws that are none are refused by name", async () => {
  expect(() => successLaw(1.1)).toThrow("'success' must be in [0, 1]: current value is 1.1");
  const { nodes } = await run(sample({ n: 1 }), problem, {
    policy: simulatedSolver({ law: [{ answer: "a", probability: 0.5 }] }),
  });
  expect(nodes[1]?.failure?.message).toContain("sum to 1: their sum is 0.5");
});
