import { expect, test } from "vitest";
import type { Check } from "../../check.ts";
import type { Model } from "../../model.ts";
import type { Json } from "../../problem.ts";
import { type ProblemSet, promptsFor } from "./index.ts";

const model = (messages: boolean) => ({ id: "m", capabilities: { messages } }) as Pick<Model, "id" | "capabilities">;

function setOf(check: Check, questions: readonly string[], format = "gsm8k"): ProblemSet {
  return {
    name: "set",
    format,
    problems: questions.map((prompt, i) => ({
      problem: { id: `${i}`, prompt, data: check as Json },
      level: null,
      cluster: null,
    })),
    worked: new Map(questions.map((question, i) => [`${i}`, `#### ${question.length}`])),
  };
}

const promptOf = (set: ProblemSet, i = 0) => set.problems[i]?.problem.prompt;
const number: Check = { kind: "number" };

test("a conversation says what the answer has to look like, shows examples as turns, and asks last", () => {
  const set = setOf(number, ["a?", "bb?", "ccc?"]);
  expect(promptOf(promptsFor(set, model(true), { shots: 1 }))).toEqual([
    { role: "system", content: expect.stringContaining("#### number") },
    { role: "user", content: "bb?" },
    { role: "assistant", content: "#### 3" },
    { role: "user", content: "a?" },
  ]);
});

test("text to be continued", () => {
  const set = setOf(number, ["a?", "bb?"]);
  expect(promptOf(promptsFor(set, model(false)))).toBe("Question: a?\nAnswer:");
  expect(promptOf(promptsFor(set, model(false), { shots: 1 }), 1)).toBe(
    "Question: a?\nAnswer: #### 2\n\nQuestion: bb?\nAnswer:",
  );
});

test("the question itself is never among its examples, whatever its id and spaces", () => {
  const questions = ["a?", "bb?", "ccc?"];
  for (const shots of [1, 2])
    for (const [i, { problem }] of promptsFor(setOf(number, questions), model(true), { shots }).problems.entries()) {
      const asked = (problem.prompt as readonly { content: string }[]).map(({ content }) => content);
      expect(asked.filter((content) => content === questions[i])).toHaveLength(1);
      expect(asked).toHaveLength(2 + 2 * shots);
    }
  const examples = setOf(number, [" A? ", "other?"]);
  const other = promptOf(promptsFor(setOf(number, ["a?"]), model(true), { shots: 1, examples }));
  expect(other).toMatchObject([{}, { content: "other?" }, {}, { content: "a?" }]);
  expect(() => promptsFor(setOf(number, ["a?"]), model(true), { shots: 2, examples })).toThrow(
    "Cannot give 2 examples before '0' as set has 1 other problems with a worked answer",
  );
  expect(() => promptsFor(examples, model(true), { shots: -1 })).toThrow("current value is -1");
});

test("programs go on where their question ends", () => {
  const begin = "def f(x):\n";
  const check: Check = { kind: "program", function: "f", tests: "assert f(1) == 1" };
  const set = setOf(check, [begin], "humaneval");
  const solved = (question: string, program: string): ProblemSet => ({
    ...setOf(check, [question]),
    worked: new Map([["0", `\`\`\`python\n${program}\n\`\`\``]]),
  });
  expect(promptOf(promptsFor(set, model(false)))).toBe(begin);
  const examples = solved("def g(x):\n", "def g(x):\n    return x");
  expect(promptOf(promptsFor(set, model(false), { shots: 1, examples }))).toBe(`def g(x):\n    return x\n\n${begin}`);
  const inWords = { shots: 1, examples: solved("G.", "def g(x): return x") };
  expect(promptOf(promptsFor(setOf(check, ["F."], "mbpp"), model(false), inWords))).toBe(
    "You are an expert Python programmer, and here is your task: G.\n[BEGIN]\ndef g(x): return x\n[DONE]\n\nYou are an expert Python programmer, and here is your task: F.\n[BEGIN]\n",
  );
});

test("a conversation of a file stays as it is, and is nothing to be continued", () => {
  const prompt = [{ role: "user", content: "Why?" }] as const;
  const set: ProblemSet = {
    name: "set",
    format: "jsonl",
    problems: [{ problem: { id: "why", prompt }, level: null, cluster: null }],
    worked: new Map(),
  };
  expect(promptOf(promptsFor(set, model(true), { shots: 2 }))).toEqual(prompt);
  expect(() => promptsFor(set, model(false))).toThrow("Cannot ask m 'why' as it is a conversation");
});
