import fc from "fast-check";
import { expect, test } from "vitest";
import { scripted } from "../models/scripted.ts";
import { promptText } from "./ask.ts";
import {
  backwardChainingPrompts,
  chainOfThoughtPrompts,
  leastToMostPrompts,
  maieuticPrompts,
  type PromptModule,
  say,
  selectionInferencePrompts,
} from "./prompts.ts";

const model = scripted({ replies: ["?"] });
const problem = { id: "sum", prompt: "What is 17+25?" };
const reply = (text: string) => ({ prompt: "", text, length: 1 });

/** What is really sent. */
async function sentBy(policy: ReturnType<typeof say>): Promise<string> {
  const request = { problem, draw: "sample", seeds: [1], ranks: [0], signal: new AbortController().signal } as const;
  for await (const _ of policy.extend(policy.root(problem), request));
  return promptText(model.calls.at(-1)?.prompt ?? "");
}

const { select, infer } = selectionInferencePrompts(model);
const { explain, judge, relate, answer: maieuticAnswer } = maieuticPrompts(model);
const { checkFact, selectRules, decompose, agree } = backwardChainingPrompts(model);
const { reason } = chainOfThoughtPrompts(model);
const { decompose: split, solve } = leastToMostPrompts(model);
const claim = { statement: "All swans are white", holds: false };
const inputs: readonly [PromptModule<never, unknown>, unknown][] = [
  [select, ["a", "b", "c"]],
  [infer, ["a", "b"]],
  [explain, claim],
  [judge, claim],
  [relate, { premise: claim, hypothesis: claim }],
  [checkFact, { goal: "a", facts: ["a", "b"] }],
  [selectRules, { goal: "a", rules: ["a", "b"] }],
  [decompose, { goal: "a", rule: "b" }],
  [agree, { goal: "a", rule: "b" }],
  [reason, undefined],
  [split, undefined],
  [solve, { question: "a", earlier: [] }],
] as [PromptModule<never, unknown>, unknown][];

const read = <Input, Output>(module: PromptModule<Input, Output>, input: Input, text: string): Output | string => {
  const reading = module.read(reply(text), input);
  return "value" in reading ? reading.value : reading.why;
};

test.each([
  ["2, 3", [1, 2]],
  ["Statements 1 and 3.", [0, 2]],
  ["3\n3, 99999999999999999999, 0, -1", [2, 0]],
  ["None of them.", []],
  ["**none**", []],
  ["nonetheless", "it names nothing of the list"],
  ["the first two", "it names nothing of the list"],
])("places in %j", (text, expected) => expect(read(select, ["a", "b", "c"], text)).toEqual(expected));

test.each([
  ["True.", 1],
  ["  **FALSE**", 0],
  ["No, swans can be black.", 0],
  ["The claim is true.", 1],
  ["It is not true.", "it says neither true nor false"],
  ["True or false? Hard to say.", "it says neither true nor false"],
  ["", "it says neither true nor false"],
  ["constructor", "it says neither true nor false"],
])("a judgement in %j", (text, expected) => expect(read(judge, claim, text)).toBe(expected));

test.each([
  ["entails", { kind: "entails" }],
  ["It contradicts the claim.", { kind: "contradicts" }],
  ["Neither: entails and contradicts are both too strong", "it names no relation, or several"],
  ["Neither.", { kind: "neutral" }],
])("a relation in %j", (text, expected) =>
  expect(read(relate, { premise: claim, hypothesis: claim }, text)).toEqual(expected),
);

test.each([
  ["1. a is true.\n2) b is true", ["a is true", "b is true"]],
  ["Sure! Conditions:\n- a is true\n\n* b is false.", ["a is true", "b is false"]],
  ["a is true", "it lists no conditions"],
  ["1.\n2.", "it lists no conditions"],
])("a list in %j", (text, expected) => expect(read(decompose, { goal: "c", rule: "r" }, text)).toEqual(expected));

test.each([
  ["Because birds have feathers.\nMore?", "birds have feathers"],
  ["\n\n  Swans moult. ", "Swans moult"],
  ["...", "it states nothing"],
  ["x".repeat(2000), "it is too long for a statement"],
])("a statement in %j", (text, expected) => expect(read(explain, claim, text)).toBe(expected));

test("same, opposite; true, false, unknown", () => {
  expect(
    ["same", "The opposite.", "same, not the opposite"].map((text) => read(agree, { goal: "", rule: "" }, text)),
  ).toEqual([true, false, "it is neither same nor opposite"]);
  expect(["true", "False.", "Unknown", "maybe"].map((text) => read(checkFact, { goal: "", facts: [] }, text))).toEqual([
    "proved",
    "disproved",
    "unknown",
    "it is none of true, false, unknown",
  ]);
});

test("every reader takes any text, however long", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(..."0123456789.-*) \n\ttruefalsenone"), maxLength: 300 }),
    fc.constantFrom(
      "9".repeat(1e5),
      " ".repeat(1e5),
      "\n".repeat(1e5),
      "1. ".repeat(5e4),
      "true ".repeat(2e4),
      '"'.repeat(1e5),
      "\ud800",
    ),
  );
  fc.assert(
    fc.property(hostile, (text) => {
      for (const [module, input] of inputs) {
        const reading = module.read(reply(text), input as never);
        expect("value" in reading || reading.why !== "").toBe(true);
      }
    }),
    { seed: 1, numRuns: 100 },
  );
});

test("what is asked holds what was found out, and its name tells it from others", async () => {
  const options = { question: "Is d true?", form: "The answer is yes or no." };
  const { answer } = chainOfThoughtPrompts(model, options);
  expect(await sentBy(answer("a, so d"))).toBe(
    "Is d true?\n\nReasoning:\na, so d\n\nThe answer is yes or no. Reply with the answer alone.",
  );
  expect(answer("a").name).not.toBe(answer("b").name);
  expect(answer("a").name).toBe(chainOfThoughtPrompts(model, options).answer("a").name);
  const { solve: solved } = leastToMostPrompts(model);
  const prompt = await sentBy(
    solved.ask({ question: "What is 7+5?", earlier: [{ question: "What is 10+20?", answer: "30" }] }),
  );
  expect(prompt).toBe(
    "What is 17+25?\n\nQ: What is 10+20?\nA: 30\n\nQ: What is 7+5?\nAnswer this last question, briefly.",
  );
  expect(await sentBy(judge.ask(claim))).toContain('"All swans are white" is false.');
});

test("what a program states itself costs nothing; a question is answered yes or no, a statement true or false", async () => {
  const stated = say("42");
  expect(stated.bound(stated.root(problem), problem)).toMatchObject({ calls: 0, tokens: 0 });
  expect(maieuticAnswer(true).name).toBe('say "true"');
  expect(maieuticPrompts(model, { question: "Are all swans white?" }).answer(false).name).toBe('say "no"');
  expect(await sentBy(maieuticAnswer(undefined))).toContain("17+25");
});
