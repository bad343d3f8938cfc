/** The study of real systems on GSM8K, on questions made here; on the real file only what its authors' own figures say. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSolutions, systems } from "../bench/gsm8k-solutions.ts";
import { findBest, fitWays, study, type WayFigures } from "../bench/gsm8k-study.ts";
import { fold, key } from "../src/key.ts";
import { random } from "../src/math/random.ts";

/** Systems that are right with these probabilities, in the order of the list; wrong ones agree now and then. */
function made(count: number, rates: readonly number[], seed = 1): string {
  const stream = random(fold(key(41), seed));
  return Array.from({ length: count }, (_, i) => {
    const solutions = systems.map(({ field }, s) => {
      const right = stream.uniform() < (rates[s] as number);
      const answer = right ? `1,${100 + (i % 900)}` : String(stream.integer(20));
      return [field, { is_correct: right, solution: `He has <<${i}+1=${i + 1}>>${i + 1}.\nA: $${answer}` }];
    });
    return JSON.stringify({
      question: `Question ${i}? He has ${i} and 1.`,
      ground_truth: "A: 1",
      ...Object.fromEntries(solutions),
    });
  }).join("\n");
}
const accuracy = ({ right }: WayFigures) => right.flat().reduce((sum, one) => sum + one, 0) / right.flat().length;
const budget = 15_000;

test("reads answers and what can be seen of solutions", () => {
  const [first] = readSolutions(made(1, [1, 1, 0, 0]));
  expect(first?.solved.map(({ answer, right }) => [answer, right]).slice(0, 2)).toEqual([
    ["1100", true],
    ["1100", true],
  ]);
  expect(first?.solved[0]?.features.slice(1, 5)).toEqual([1, 1, 1, 1]); // one step, both numbers used, an integer, positive
});

test("each way answers and costs as it says", () => {
  const questions = readSolutions(made(60, [0, 1, 1, 0]));
  const ways = fitWays(questions, budget);
  const tell = (name: string) => ways.get(name)?.(questions[0] as (typeof questions)[number]);
  expect(tell("175B, verification")).toEqual({ right: 0, cost: 35_000 });
  expect(tell("best of the learning half")).toEqual({ right: 1, cost: 175 });
  expect(tell("majority of the three cheaper")).toEqual({ right: 1, cost: 6 + 175 + 1200 });
  expect(tell("majority of four")).toEqual({ right: 1, cost: 6 + 175 + 1200 + 35_000 });
  expect(tell("cascade by agreement and look")).toEqual({ right: 1, cost: 1381 }); // nothing is gained by the fourth
  expect(tell("any of the four (oracle)")?.right).toBe(1);
});

test("on other questions than it has learned from: within the budget, a vote above its voters, the oracle above all", () => {
  const questions = readSolutions(made(300, [0.5, 0.5, 0.6, 0.6]));
  const rows = study(questions, { key: key(1), splits: 2, budget });
  const named = (name: string) => rows.find((row) => row.name === name) as WayFigures;
  for (const { right } of rows) expect(right.every((splits) => splits.length === 2)).toBe(true); // each tested once a split
  for (const row of rows.filter(({ hasBudget }) => hasBudget)) expect(row.cost).toBeLessThan(1.25 * budget);
  const vote = accuracy(named("weighted vote of four"));
  expect(vote).toBeGreaterThan(Math.max(...systems.map(({ name }) => accuracy(named(name)))) + 0.05);
  expect(accuracy(named("any of the four (oracle)"))).toBe(Math.max(...rows.map(accuracy)));
  expect(accuracy(named("cascade by agreement and look"))).toBeGreaterThan(
    accuracy(named("by lot, votes of three or four")),
  );
});

test("the best system is found both ways, sooner where all answer the same questions", () => {
  const { best, answers, ranked, rankedAnswers } = findBest(
    readSolutions(made(300, [0.2, 0.3, 0.4, 0.8])),
    key(1),
    0.05,
  );
  expect([best, ranked]).toEqual([3, 3]);
  expect(rankedAnswers).toBeLessThan(answers);
});

const folder = process.env.PONDEROSA_DATA ?? join(import.meta.dirname, "../../shared/data");
const file = join(folder, "gsm8k", "example_model_solutions.jsonl");
const isThere = existsSync(file);

test.skipIf(!isThere)(isThere ? "the file of the four systems" : `GSM8K is not here: ${file}`, () => {
  const questions = readSolutions(readFileSync(file, "utf8"));
  const count = (isRight: (solved: readonly { readonly right: boolean }[]) => boolean | undefined) =>
    questions.filter(({ solved }) => isRight(solved)).length;
  expect(questions).toHaveLength(1319);
  expect(systems.map((_, s) => count((solved) => solved[s]?.right))).toEqual([286, 458, 515, 742]);
  expect(count((solved) => solved.some(({ right }) => right))).toBe(887);
  const majority = fitWays(questions.slice(0, 100), budget).get("majority of four");
  expect(questions.filter((question) => majority?.(question).right === 1)).toHaveLength(744);
});
