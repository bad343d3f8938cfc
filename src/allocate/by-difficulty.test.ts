import { expect, test } from "vitest";
import { random } from "../math/random.ts";
import type { Problem } from "../problem.ts";
import { run } from "../run.ts";
import type { Scorer } from "../scorer.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { type SimulatedState, simulatedSolver, successLaw } from "../testing/simulated-solver.ts";
import {
  byDifficulty,
  type DifficultyRecord,
  evaluateByDifficulty,
  fitByDifficulty,
  strategyFor,
} from "./by-difficulty.ts";

test("bins by quantiles, and the best strategy of each within the mean budget: by hand", () => {
  // Strategy 0 is cheap and solves what is easy, 1 is dear and solves half of what is hard.
  const record = (ease: number): DifficultyRecord => ({
    ease,
    outcomes: [
      { quality: ease > 0.5 ? 1 : 0, cost: 1 },
      { quality: ease > 0.5 ? 1 : 0.5, cost: 9 },
    ],
  });
  const records = [0.1, 0.2, 0.8, 0.9].map(record);
  expect(fitByDifficulty(records, { budget: 5, bins: 2 })).toEqual({
    thresholds: [0.8],
    strategies: [1, 0],
    quality: 0.75,
    cost: 5,
    bound: 0.75,
  });
  expect(fitByDifficulty(records, { budget: 4, bins: 2 })?.strategies).toEqual([0, 0]);
  expect(fitByDifficulty(records, { budget: 0.5, bins: 2 })).toBeUndefined();
  const fitted = fitByDifficulty(records, { budget: 5, bins: 2 });
  if (!fitted) throw new Error("there is a budget for it");
  expect([strategyFor(fitted, 0.79), strategyFor(fitted, 0.8)]).toEqual([1, 0]);
  expect(evaluateByDifficulty([record(0.3), record(0.4), record(0.95)], fitted)).toEqual({
    quality: expect.closeTo(2 / 3, 12),
    cost: expect.closeTo(19 / 3, 12),
  });
  // Equal estimates are never torn apart.
  expect(fitByDifficulty([0, 0, 0, 1].map(record), { budget: 9, bins: 4 })?.thresholds).toEqual([1]);
  expect(() => fitByDifficulty([{ ease: 1, outcomes: [] }], { budget: 1 })).toThrow("at least one");
});

test("planted difficulty: the accuracy of best-of-16 for two thirds of its calls, four of them for the estimate", () => {
  // Success rates of five levels; best-of-n with an exact verifier for n = 1, 2, 4, … 64; the estimate is the share of 4 draws.
  const rates = [0, 0.06, 0.35, 0.8, 0.98];
  const widths = [0, 1, 2, 4, 8, 16, 32, 64];
  const stream = random(12);
  const records = Array.from({ length: 4000 }, (): DifficultyRecord => {
    const p = rates[stream.integer(rates.length)] as number;
    const probes = [0, 1, 2, 3].filter(() => stream.uniform() < p).length;
    return {
      ease: probes / 4,
      outcomes: widths.map((n) => ({ quality: probes > 0 ? 1 : 1 - (1 - p) ** n, cost: 4 + n })),
    };
  });
  const bestOf16 = rates.reduce((sum, p) => sum + 1 - (1 - p) ** 16, 0) / rates.length;
  const fitted = fitByDifficulty(records.slice(0, 2000), { budget: 16 * 0.6 });
  if (!fitted) throw new Error("there is a budget for it");
  const judged = evaluateByDifficulty(records.slice(2000), fitted);
  expect(judged.cost).toBeLessThan(16 * 0.65);
  expect(judged.quality).toBeGreaterThan(bestOf16 - 0.02);
  expect(fitted.strategies.slice(1).every((strategy) => strategy === 0)).toBe(true); // solved ones cost nothing more
});

test("planted strategies: where revising suits some levels, the accuracy of best-of-16 for a third of its calls", () => {
  // Probability of success of a call by level, hardest first; the level is known, its estimate costs nothing.
  const parallel = [0, 0.06, 0.35, 0.8, 0.98];
  const revising = [0, 0.25, 0.3, 0.5, 0.5];
  const stream = random(13);
  const widths = [1, 2, 4, 8, 16, 32];
  const records = Array.from({ length: 4000 }, (): DifficultyRecord => {
    const level = stream.integer(parallel.length);
    const outcomes = [parallel, revising].flatMap((rates) =>
      widths.map((n) => ({ quality: Number(stream.uniform() < 1 - (1 - (rates[level] as number)) ** n), cost: n })),
    );
    return { ease: level, outcomes };
  });
  const [fitting, judging] = [records.slice(0, 2000), records.slice(2000)];
  const everywhere = (strategy: number) => evaluateByDifficulty(judging, { thresholds: [], strategies: [strategy] });
  const fitted = fitByDifficulty(fitting, { budget: 16 / 3 });
  if (!fitted) throw new Error("there is a budget for it");
  const judged = evaluateByDifficulty(judging, fitted);
  expect(judged.cost).toBeLessThanOrEqual(16 / 3 + 0.2);
  expect(judged.quality).toBeGreaterThan(everywhere(widths.indexOf(16)).quality);
  // Revising where it helps; in parallel where that is better.
  expect(fitted.strategies.map((strategy) => strategy >= widths.length)).toEqual([false, true, false, false, false]);
});

const scorer: Scorer<SimulatedState> = {
  name: "right",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: state.answer === "right" }),
};
const problem: Problem = { id: "one", prompt: "?" };

test("as a search: the estimate decides the strategy, and its cost counts", async () => {
  const search = byDifficulty<SimulatedState>({
    scorer,
    probe: 4,
    thresholds: [0.25],
    strategies: [bestOfN({ n: 10, scorer }), null],
  });
  const solve = (success: number, budget = {}) =>
    run(search, problem, { policy: simulatedSolver({ law: successLaw(success) }), scorer, seed: 1, budget });
  const easy = await solve(1);
  expect([easy.text, easy.spent.calls, easy.outcome?.bin, easy.outcome?.ease]).toEqual(["right", 4, 1, 1]);
  const hard = await solve(0);
  expect([hard.text, hard.spent.calls, hard.outcome?.bin, hard.outcome?.ease]).toEqual(["wrong", 14, 0, 0]);
  const poor = await solve(1, { calls: 2 });
  expect([poor.text, poor.spent.calls]).toEqual(["right", 2]);
});

test("wrong uses are refused", () => {
  expect(() => byDifficulty({ thresholds: [0.5], strategies: [null] })).toThrow("one fewer than 'strategies'");
  expect(() => byDifficulty({ thresholds: [0.5, 0.5], strategies: [null, null, null] })).toThrow("must rise");
});
