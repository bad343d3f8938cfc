/** The methods that ask a model about its own answers, end to end against replies as instruct models write them. */
import { expect, test } from "vitest";
import { methods, planOf } from "../methods.ts";
import { scripted } from "../models/scripted.ts";
import { promptText } from "../problem.ts";
import { run } from "../run.ts";
import { productChain } from "../tasks/product-chain.ts";
import { aggregateMethods } from "./aggregate.ts";

const problem = { id: "sum", prompt: "17+25=" };

async function solve(name: string, reply: (prompt: string, call: number) => string, settings = {}, task = false) {
  const model = scripted({ replies: ({ prompt, call }) => reply(promptText(prompt), call) });
  const method = methods.find((one) => one.name === name) as (typeof methods)[number];
  const asked = task ? productChain.parse("24*88*4*74") : problem;
  const { search, policy, scorer } = planOf(method, settings, {
    model,
    problem: asked,
    task: task ? productChain : undefined,
  });
  return { model, ...(await run(search, asked, { policy, scorer, seed: 1, concurrency: 1 })) };
}

test("hint-marginal: one hint a prompt; what the hints lead to wins over what came first most often", async () => {
  const { text, model, confidence } = await solve("hint-marginal", (prompt, call) =>
    prompt.includes("near to")
      ? prompt.includes("near to 42") || call % 2
        ? "42"
        : "41"
      : call % 4 === 0
        ? "42"
        : "41",
  );
  expect(text).toBe("42");
  expect(confidence).toBeGreaterThan(0.5);
  expect(new Set(model.calls.map(({ prompt }) => prompt))).toEqual(
    new Set(["17+25=", "17+25=\n\n(Hint: The answer is near to 41.)", "17+25=\n\n(Hint: The answer is near to 42.)"]),
  );
});

test("synthesize on a task: every candidate is wrong in one line, the new answer passes the checker", async () => {
  const [good, first, second] = [
    "74*24=76;88*4*76\n76*4=4;88*4\n4*88=52",
    "74*24=75;88*4*75\n75*4=0;88*0\n0*88=0",
    "74*24=76;88*4*76\n76*4=5;88*5\n5*88=40",
  ];
  const { text, answer, outcome } = await solve(
    "synthesize",
    (prompt, call) => (prompt.includes("Answer 4:") ? good : call % 2 ? first : second) as string,
    {},
    true,
  );
  expect(text).toBe(good);
  expect(answer?.score).toMatchObject({ kind: "verdict", correct: true });
  expect(outcome).toMatchObject({ synthesized: true });
});

test("universal-self-consistency: the answer whose number the model says", async () => {
  const { text, spent } = await solve(
    "universal-self-consistency",
    (prompt, call) => (prompt.includes("Answer 1:") ? "The most consistent answer is Answer 3." : `draft ${call}`),
    { n: 4 },
  );
  expect([text, spent.calls]).toEqual(["draft 2", 5]);
});

test("weighted-vote without next-token distributions or instructions weighs by likelihood, and says so where it cannot", async () => {
  const method = aggregateMethods.find(({ name }) => name === "weighted-vote") as (typeof aggregateMethods)[number];
  const scorerOf = (capabilities: { messages: boolean; logProbs: boolean }) =>
    method.make({ n: 3 }, { model: scripted({ id: "m", replies: ["1"], capabilities }), problem }).scorer?.name;
  expect(scorerOf({ messages: false, logProbs: true })).toBe("likelihood-per-token");
  expect(() => scorerOf({ messages: false, logProbs: false })).toThrow(
    "weighted-vote by likelihood-per-token needs log-probabilities",
  );
});

test.each(["hint-marginal", "synthesize", "universal-self-consistency"])(
  "%s: a model that takes no instructions is refused before anything is asked",
  (name) => {
    const model = scripted({ id: "raw", replies: ["?"], capabilities: { messages: false } });
    const method = aggregateMethods.find((one) => one.name === name) as (typeof aggregateMethods)[number];
    expect(() => planOf(method, {}, { model, problem })).toThrow(
      `${name} needs answers to instructions, which raw does not give`,
    );
    expect(model.calls).toEqual([]);
  },
);

test("rpc needs log-probabilities, and says so", () => {
  const model = scripted({ id: "mute", replies: ["?"], capabilities: { logProbs: false } });
  const method = aggregateMethods.find(({ name }) => name === "rpc") as (typeof aggregateMethods)[number];
  expect(() => planOf(method, {}, { model, problem })).toThrow("rpc needs log-probabilities, which mute does not give");
});
