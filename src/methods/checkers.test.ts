import { expect, test } from "vitest";
import { key } from "../key.ts";
import { type MethodContext, methods, planOf } from "../methods.ts";
import { scripted } from "../models/scripted.ts";
import { randomTabular } from "../models/tabular.ts";
import type { Problem } from "../problem.ts";
import { run } from "../run.ts";
import { checkerOf } from "../scorers/index.ts";
import type { Checker, Task } from "../task.ts";

const model = randomTabular({ key: key(3), symbols: "abyn?.", maxLength: 4 });
const problem: Problem = { id: "words", prompt: "" };
const checker: Checker = {
  name: "words",
  check: (_, answer) => ({ correct: answer.split("a").length > answer.split("b").length, evidence: answer, steps: [] }),
  canonical: (_, answer) => answer[0],
};
const later: Checker = { ...checker, check: async (...asked) => checker.check(...asked) };
const task = { ...checker, title: "", levels: {} } as unknown as Task;

/** They tell the model which line of a task's answer is wrong, or take its lines for the steps of a try. */
const byTask = ["refine", "reflexion", "ask-for-search", "ab-mcts"];

const named = (name: string) => methods.find((one) => one.name === name) as (typeof methods)[number];

async function ran(name: string, context: Partial<MethodContext>) {
  const { search, policy, scorer } = planOf(named(name), { maxTokens: 5 }, { model, problem, ...context });
  const { answer, stopped, spent } = await run(search, problem, { policy, scorer, seed: 1 });
  expect(stopped).toEqual({ why: "answered" });
  return { text: answer?.state.text, tokens: spent.tokens, scorer: scorer?.name };
}

test.each(methods)("$name takes a checker as it takes a task, and waits for its verdicts", async ({ name }) => {
  const checked = await ran(name, { checker });
  expect(await ran(name, { checker: later })).toEqual(checked);
  if (!byTask.includes(name)) expect(checked).toEqual(await ran(name, { task }));
});

test.each(["rewind"])("refine by %s needs a task", (by) => {
  expect(() => planOf(named("refine"), { by }, { model, problem, checker })).toThrow("needs a task");
});

const sum: Problem = { id: "sum", prompt: "2 + 2?", reference: "4", data: { kind: "number" } };
const ofFile = checkerOf({ format: "gsm8k" });

test.each(["best-of-n", "refine", "reflexion", "ab-mcts", "synthesize"])(
  "%s finds the right answer of a file",
  async (name) => {
    const replies = ({ call }: { call: number }) => (call < 2 ? "It is 5" : "2 + 2 is so.\n#### 4");
    const instruct = scripted({ replies });
    const { search, policy, scorer } = planOf(named(name), {}, { model: instruct, problem: sum, checker: ofFile });
    expect(scorer?.name).toBe("verifier:gsm8k");
    const { text } = await run(search, sum, { policy, scorer, seed: 1 });
    expect(text).toBe("2 + 2 is so.\n#### 4");
    const prompts = JSON.stringify(instruct.calls.map(({ prompt }) => prompt));
    expect(prompts).not.toContain("Every line holds"); // as is said of a task's steps
  },
);

test.each(["majority", "adaptive-vote", "hints"])("%s counts answers by their number", async (name) => {
  const spellings = ["#### 4", "so it is 4.0", "\\boxed{4}", "It is 5", "It is 5"];
  const instruct = scripted({ replies: spellings });
  const settings = name === "majority" ? { n: 5 } : name === "hints" ? { rounds: 5 } : { most: 5, threshold: 0.98 };
  const { search, policy } = planOf(named(name), settings, { model: instruct, problem: sum, checker: ofFile });
  const { text } = await run(search, sum, { policy, seed: 1 });
  expect(ofFile.canonical(sum, text ?? "")).toBe("4");
});
