import { expect, test } from "vitest";
import { syntheticEvaluation } from "./synthetic-evaluation.ts";

const options = { problems: 6, tokens: [500, 1000], seeds: 2 };

test("same seed, same records; another seed, others", () => {
  expect(syntheticEvaluation(options)).toEqual(syntheticEvaluation(options));
  expect(syntheticEvaluation({ ...options, seed: 1 }).runs).not.toEqual(syntheticEvaluation(options).runs);
});

test("a run for each cell, and candidates that name their runs", () => {
  const { evaluation, runs, candidates } = syntheticEvaluation(options);
  expect(runs).toHaveLength(evaluation.methods.length * 2 * 6 * 2);
  const ids = new Set(runs.map(({ id }) => id));
  expect(ids.size).toBe(runs.length);
  // Two methods keep theirs: 2 and 4 samples, of 6 problems with 2 seeds.
  expect(candidates).toHaveLength(2 * (2 + 4) * 6 * 2);
  expect(candidates.every(({ run }) => ids.has(run))).toBe(true);
});

test("a small budget has the first samples of a large one", () => {
  const { candidates } = syntheticEvaluation(options);
  const textsOf = (run: string) =>
    candidates.filter((one) => one.run === run).map(({ text, length }) => ({ text, length }));
  const [few, many] = [0, 1].map((budget) => textsOf(`${budget}/majority/problem-001/0`));
  expect(many?.slice(0, 2)).toEqual(few);
});

test("outcomes that are asked for", () => {
  const correct = (outcome: "right" | "wrong" | "failed") =>
    syntheticEvaluation({ ...options, outcome }).runs.map((run) => run.correct);
  expect(new Set(correct("right"))).toEqual(new Set([true]));
  expect(new Set(correct("wrong")).has(true)).toBe(false);
  expect(new Set(correct("failed"))).toEqual(new Set([false]));
});
