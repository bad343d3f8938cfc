/** The prompts end to end, against replies as instruct models write them, nonsense among them. */
import { expect, test } from "vitest";
import { methods, planOf } from "../methods.ts";
import { scripted } from "../models/scripted.ts";
import { promptText } from "../policies/ask.ts";
import type { Problem } from "../problem.ts";
import { run } from "../run.ts";
import type { Task } from "../task.ts";
import { horn } from "../tasks/horn.ts";
import { productChain } from "../tasks/product-chain.ts";
import { programs } from "./programs.ts";

/** Replies by what the prompt contains; the first that fits. */
function answering(...replies: readonly (readonly [asked: string | RegExp, reply: string])[]) {
  return scripted({
    replies: ({ prompt }) => {
      const text = promptText(prompt);
      return (
        replies.find(([asked]) => (typeof asked === "string" ? text.includes(asked) : asked.test(text)))?.[1] ??
        "¯\\_(ツ)_/¯"
      );
    },
  });
}

async function solve(name: string, model: ReturnType<typeof scripted>, problem: Problem, task?: Task, settings = {}) {
  const method = methods.find((one) => one.name === name) as (typeof methods)[number];
  const { search, policy, scorer } = planOf(method, settings, { model, problem, task });
  return await run(search, problem, { policy, scorer, seed: 1 });
}

const world = horn.parse("a,b;a>c;b,c>-d;e>f?d");

test("backward chaining on a horn world in words: the answer is a proof that the checker accepts", async () => {
  const model = answering(
    [/Claim: [ab] is true\n\nDoes one of the facts/, "True."],
    ["Does one of the facts", "Unknown"],
    [/Claim: d is true\n\nWhich rules/, "Rule 2 concludes the opposite."],
    [/Claim: c is true\n\nWhich rules/, "1"],
    [/Rule: if b .*\n.*\n\nWhat has to be so/, "Conditions:\n1. b is true.\n2. c is true."],
    [/Rule: if a .*\n.*\n\nWhat has to be so/, "- a is true"],
    [/Claim: d is true\n\nDoes the rule/, "**Opposite**"],
    ["Does the rule", "same"],
  );
  const { text = "", spent } = await solve("backward-chaining", model, world, horn);
  expect(text).toBe("1:a>c\n2:b,c>-d\nno");
  expect(horn.check(world, text).correct).toBe(true);
  expect(spent.calls).toBe(10);
});

test("selection-inference on a horn world in words: as soon as the question is decided it ends, with the rules it used", async () => {
  // What is inferred joins the statements as it was written.
  const model = answering(
    [/6\. C is true\n\nWhich/, "Statements 2, 6 and 4"],
    ["Which of these statements", "1, 3"],
    [/^b is true\nC is true/, "d is false."],
    [/^a is true\nif a/, "C is true."],
  );
  const { text = "" } = await solve("selection-inference", model, world, horn);
  expect(text).toBe("1:a>c\n2:b,c>-d\nno");
  expect(horn.check(world, text).correct).toBe(true);
});

const swans = {
  id: "swans",
  prompt: "Opal is a swan. If something is a swan, it is a bird. All birds have feathers. Does Opal have feathers?",
};

test("selection-inference on free text: sentences are the statements, the last one the question", async () => {
  const model = answering(
    [/4\. Opal is a bird\n\nWhich/, "3, 4"],
    [/5\. Opal has feathers\n\nWhich/, "none"],
    [/^Does Opal have feathers\?[^]*1\. Opal is a swan\n[^]*Which/, "1 and 2"],
    [/^Opal is a swan\nIf/, "Opal is a bird."],
    [/^All birds/, "Opal has feathers."],
    [/5\. Opal has feathers[^]*answer alone/, "Yes"],
  );
  const { text, spent } = await solve("selection-inference", model, swans);
  expect([text, spent.calls]).toEqual(["Yes", 6]); // two inferences, "none", the answer
});

test("backward chaining on free text: rules are told from facts by their words", async () => {
  const model = answering([/^Facts:\n1\. Opal is a swan\n\nClaim: Does Opal have feathers\?/, "True."]);
  expect((await solve("backward-chaining", model, swans)).text).toBe("yes");
  const rules = answering(
    [/^Rules:\n1\. If something is a swan, it is a bird\n2\. All birds/, "none"],
    ["Does one of", "unknown"],
  );
  expect((await solve("backward-chaining", rules, swans)).text).toBe("unknown");
  expect(rules.calls.length).toBe(2);
});

test("chain of thought: the reasoning is in the second prompt, and what it says is executed", async () => {
  const chain = productChain.parse("24*88*4*74");
  const steps = "74*24=76;88*4*76\n76*4=4;88*4\n4*88=53";
  const model = answering([`Reasoning:\n${steps}`, "52"], ["step by step", steps]);
  const { text, outcome } = await solve("chain-of-thought", model, chain, productChain);
  expect(text).toBe("52");
  expect((outcome as { steps?: { valid: boolean }[] }).steps?.map(({ valid }) => valid)).toEqual([true, true, false]);
});

test("least-to-most: the sub-questions in order, each with the answers before it", async () => {
  const problem = {
    id: "slide",
    prompt: "It takes 4 minutes to climb and 1 to slide. It closes in 15. How often can she slide?",
  };
  const model = answering(
    [
      "Which simpler questions",
      "Here they are:\n1. How long does each trip take?\n2. How many trips fit into 15 minutes?",
    ],
    [/^It takes[^]*Q: How long does each trip take\?\nA: 5\n\nQ: How many trips[^]*\nA: 3\n\nReply/, "3 times"],
    ["Q: How many trips fit", "3"],
    ["Q: How long", "5"],
  );
  const { text, spent } = await solve("least-to-most", model, problem);
  expect([text, spent.calls]).toEqual(["3 times", 4]);
});

test("maieutic prompting: a false statement is seen through", async () => {
  const problem = { id: "moon", prompt: "The moon makes its own light" };
  const model = answering(
    ['"The moon makes its own light" is true, because', "it shines at night."],
    ['"The moon makes its own light" is false, because', "Because it reflects the light of the sun."],
    ['"it reflects the light of the sun" is true.\n\nIs that so?', "True"],
    ['"it reflects the light of the sun" is false.\n\nIs that so?', "False"],
    [/Suppose: "it reflects.*true\.\nClaim: "The moon/, "Contradicts."],
    ["Is that so?", "true"], // all the rest is believed, whichever way it is asked
    [/because\n\nComplete/, "the sky is dark"],
  );
  expect((await solve("maieutic", model, problem)).text).toBe("false");
});

test.each(programs)("$name: nothing but nonsense still ends in an answer", async ({ name }) => {
  for (const [problem, task] of [
    [world, horn],
    [swans, undefined],
  ] as const) {
    const { answer, stopped } = await solve(name, answering(), problem, task);
    expect([answer?.done, stopped.why]).toEqual([true, "answered"]);
  }
});

test.each(programs)(
  "$name: a model that takes no instructions is refused before anything is asked",
  ({ make, name }) => {
    const model = scripted({ id: "raw", replies: ["?"], capabilities: { messages: false } });
    expect(() => make({ n: 1 }, { model, problem: world, task: horn })).toThrow(
      `${name} needs a model that takes instructions, which raw does not give: use --method majority or beam, or an instruct model`,
    );
    expect(model.calls).toEqual([]);
  },
);
