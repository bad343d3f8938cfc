import { expect, test } from "vitest";
import { scripted } from "../../models/scripted.ts";
import type { Node } from "../../node.ts";
import { chooseByPrompt, readChoice } from "../../policies/candidate-prompts.ts";
import { text, type TextState } from "../../policies/text.ts";
import { promptText } from "../../problem.ts";
import { run } from "../../run.ts";
import { universalSelfConsistency } from "./universal-self-consistency.ts";

const problem = { id: "poem", prompt: "Which fruit?" };

/** Answers in order of asking, and what is said when they are shown. */
async function solve(
  answers: string[],
  verdict: string | { failure: "unavailable" },
  options: { n?: number; calls?: number } = {},
) {
  let drawn = 0;
  const model = scripted({
    replies: ({ prompt }) => (promptText(prompt).includes("Answer 1:") ? verdict : (answers[drawn++] as string)),
  });
  const { n = answers.length, calls } = options;
  const search = universalSelfConsistency({ n, choose: chooseByPrompt(model), read: readChoice });
  return { model, ...(await run(search, problem, { policy: text(model), ...(calls && { budget: { calls } }) })) };
}

test("the answer that the reply names, all of them in the prompt by their numbers", async () => {
  const {
    model,
    text: answer,
    outcome,
    spent,
  } = await solve(["an apple", "a red apple", "a pear"], "The most consistent answer is Answer 2, as 1 says so too.");
  expect([answer, outcome?.fellBack, outcome?.reply?.state.text.slice(0, 8), spent.calls]).toEqual([
    "a red apple",
    undefined,
    "The most",
    4,
  ]);
  expect(model.calls[3]?.prompt).toMatch(
    /^Which fruit\?\n\nAnswer 1:\nan apple\n\nAnswer 2:\na red apple\n\nAnswer 3:\na pear\n\nThese are 3/,
  );
  expect(model.calls[3]?.sampling.temperature).toBe(0);
});

test.each([
  ["I like them all.", "unreadable"],
  ["The most consistent answer is Answer 4", "unreadable"],
  [{ failure: "unavailable" as const }, "no reply"],
] as const)("%j falls back to the first answer, and says so", async (verdict, why) => {
  const { text: answer, outcome } = await solve(["an apple", "a red apple", "a pear"], verdict);
  expect([answer, outcome?.fellBack]).toEqual(["an apple", why]);
});

test("one answer needs no choice; a spent budget leaves the first", async () => {
  const single = await solve(["an apple"], "?");
  expect([single.text, single.spent.calls, single.outcome?.fellBack]).toEqual(["an apple", 1, undefined]);
  const poor = await solve(["an apple", "a pear"], "The most consistent answer is 2", { calls: 2 });
  expect([poor.text, poor.outcome?.fellBack]).toEqual(["an apple", "no reply"]);
});

test.each([
  ["The most consistent answer is Answer 3.", 2],
  ["**The most consistent response is: Response 2**", 1],
  ["Answer 1 differs from answer 2, so the most consistent answer is **#2**.", 1],
  [" 3\n", 2],
  ["Answer 1.", 0],
  ["Answers 1 and 3 agree.", undefined],
  ["The most consistent answer is Answer 0", undefined],
  ["The most consistent answer is the third", undefined],
  ["", undefined],
])("reads %j as %o", (reply, place) => {
  expect(readChoice({ state: { text: reply } } as Node<TextState>, 3)).toBe(place);
});

test("refuses no answers by name", () => {
  expect(() => universalSelfConsistency({ n: 0, choose: () => undefined, read: () => 0 })).toThrow("'n'");
});
