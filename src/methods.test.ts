import { expect, test } from "vitest";
import { key } from "./key.ts";
import { methods, planOf } from "./methods.ts";
import { scripted } from "./models/scripted.ts";
import { randomTabular } from "./models/tabular.ts";
import type { Problem } from "./problem.ts";
import { run } from "./run.ts";
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
