import { describe, expect, test } from "vitest";
import { key } from "./key.ts";
import { methods, planOf } from "./methods.ts";
import { scripted } from "./models/scripted.ts";
import { randomTabular } from "./models/tabular.ts";
import type { TextState } from "./policies/text.ts";
import type { Problem } from "./problem.ts";
import { run } from "./run.ts";
import type { ParticleOutcome } from "./search/particles/outcome.ts";
import type { Search } from "./search.ts";
import type { Task } from "./task.ts";

const model = randomTabular({ key: key(3), symbols: "abyn?.", maxLength: 4 });
const problem: Problem = { id: "words", prompt: "" };
const words: Task = {
  name: "words",
  title: "A word with more a's than b's",
  levels: { base: "" },
  make: () => problem,
  parse: () => problem,
  check: (_, answer) => ({ correct: answer.split("a").length > answer.split("b").length, evidence: answer, steps: [] }),
  canonical: (_, answer) => answer || undefined,
  solve: () => "a",
  solvable: () => true,
};

test.each(methods)("$name runs by its defaults on a task and on free text", async (method) => {
  for (const task of [words, undefined]) {
    const plan = planOf(method, { maxTokens: 5 }, { model, problem, task });
    const { policy, scorer } = plan;
    const { answer, stopped } = await run(plan.search, problem, { policy, scorer, seed: 1 });
    expect(stopped).toEqual({ why: "answered" });
    expect(answer?.done).toBe(true);
  }
});

test("most-likely finds the mode, and beam and greedy are no better", async () => {
  const logProbOf = async (name: string) => {
    const method = methods.find((one) => one.name === name) as (typeof methods)[number];
    const { search, policy, scorer } = planOf(method, {}, { model, problem });
    return (await run(search, problem, { policy, scorer })).answer?.totalLogProb as number;
  };
  expect(await logProbOf("most-likely")).toBeCloseTo(model.mostLikely().logProb, 9);
  expect(await logProbOf("beam")).toBeLessThanOrEqual(model.mostLikely().logProb + 1e-9);
  expect(await logProbOf("greedy")).toBeLessThanOrEqual(model.mostLikely().logProb + 1e-9);
});

describe("constraints", () => {
  const constrained = async (settings: Record<string, string | number>, task?: Task) => {
    const method = methods.find(({ name }) => name === "particle-filter") as (typeof methods)[number];
    const free = { step: "token", scorer: "none", terminal: "none", particles: 4000, threshold: 0, maxTokens: 5 };
    const { search, policy } = planOf(method, { ...free, ...settings }, { model, problem, task });
    const { outcome } = await run(search as Search<TextState, ParticleOutcome<TextState>>, problem, {
      policy,
      seed: 5,
    });
    const { candidates = [], weights = [], logZ = Number.NaN } = outcome ?? {};
    return {
      Z: Math.exp(logZ),
      texts: candidates.filter((_, i) => (weights[i] as number) > 0).map(({ state }) => state.text),
    };
  };
  const probability = (holds: (text: string) => boolean): number =>
    model.enumerate().reduce((sum, { text, logProb }) => sum + (holds(text) ? Math.exp(logProb) : 0), 0);

  test.each<[Record<string, string>, (text: string) => boolean]>([
    [{ pattern: "[ab?]*" }, (text) => /^[ab?]*$/.test(text)],
    [{ grammar: 'root ::= "a" root | "b" | "y"' }, (text) => /^a*[by]$/.test(text)],
    [{ never: "a, by" }, (text) => !text.split(/\W/).some((word) => word === "a" || word === "by")],
    [{ words: "a b ab" }, (text) => text.split(/\W/).every((word) => ["", "a", "b", "ab"].includes(word))],
    [{ pattern: "[^n]*", never: "y" }, (text) => !text.includes("n") && !text.split(/\W/).includes("y")],
  ])("%j: answers keep to it, and exp(log Z) is its probability", async (settings, holds) => {
    const { Z, texts } = await constrained(settings);
    const p = probability(holds);
    expect(p).toBeGreaterThan(0.01);
    expect(texts.every(holds)).toBe(true);
    expect(Math.abs(Z - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / 4000)); // false alarm: 6e-7; 4000 independent draws
  });

  test("they multiply with a scorer that looks ahead, and with the verifier", async () => {
    const right = (text: string) => words.check(problem, text).correct;
    const { texts } = await constrained(
      { pattern: "[^?]*", scorer: "value-token", terminal: "verifier", threshold: 0.5 },
      words,
    );
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.filter((text) => text.includes("?") || !right(text))).toEqual([]);
  });

  test.each<[Record<string, string>, string]>([
    [{ pattern: "(" }, "Cannot read the regular expression"],
    [{ grammar: "root ::= foo" }, "Cannot use the grammar as its rule 'foo' is named but not there"],
    [{ words: "," }, 'Cannot use "," as --words as it lists no word'],
    [{ never: "a-b" }, "as a word: it must be letters, digits or apostrophes"],
  ])("%j cannot be read", async (settings, message) => {
    await expect(constrained(settings)).rejects.toThrow(message);
  });
});

const server = scripted({ id: "http://h/v1#m", replies: ["a"], capabilities: { continues: false } });

test.each<[string, Record<string, string>, string]>([
  [
    "beam",
    {},
    "beam over tokens needs next-token distributions, which http://h/v1#m does not give: use --step line, or a local model",
  ],
  [
    "beam",
    { step: "line" },
    "beam over lines needs a model that continues partial answers, which http://h/v1#m does not give: use --method best-of-n, or a local model",
  ],
  ["most-likely", {}, "most-likely needs next-token distributions, which http://h/v1#m does not give"],
  ["best-of-n", {}, "best-of-n by likelihood-per-token needs log-probabilities, which http://h/v1#m does not give"],
  [
    "best-of-n",
    { scorer: "verifier" },
    "best-of-n by verifier needs a task with a checker, which free text has not: give --task",
  ],
  ["best-of-n", { scorer: "value-token" }, "best-of-n by value-token needs next-token distributions"],
])("%s %j says what is missing and what to do, before anything is asked", (name, settings, message) => {
  const method = methods.find((one) => one.name === name) as (typeof methods)[number];
  expect(() => planOf(method, settings, { model: server, problem })).toThrow(message);
  expect(server.calls).toEqual([]);
});

test.each(["greedy", "sample", "majority"])("%s needs no more than a model that answers", async (name) => {
  const method = methods.find((one) => one.name === name) as (typeof methods)[number];
  const { search, policy, scorer } = planOf(method, {}, { model: server, problem });
  expect((await run(search, problem, { policy, scorer })).text).toBe("a");
});
