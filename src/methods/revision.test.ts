import { expect, test } from "vitest";
import { methods, planOf } from "../methods.ts";
import { scripted } from "../models/scripted.ts";
import { promptText } from "../policies/ask.ts";
import type { Problem, Prompt } from "../problem.ts";
import { run } from "../run.ts";
import { countdown } from "../tasks/countdown.ts";
import { productChain } from "../tasks/product-chain.ts";
import type { Task } from "../task.ts";

const puzzle = countdown.parse("11,2,5,8>29");
const right = "5*2=10;11,8,10\n11+10=21;8,21\n21+8=29\n";
const wrong = "5*2=10;11,8,10\n11+10=22;8,22\n22+8=30\n";

const plain = (prompt: Prompt) => promptText(prompt);

async function solve(
  name: string,
  {
    replies,
    messages = true,
    settings = {},
    problem = puzzle,
    task = countdown,
  }: {
    replies: (prompt: string, written: string, call: number) => string;
    messages?: boolean;
    settings?: Record<string, number | string>;
    problem?: Problem;
    task?: Task | null;
  },
) {
  const model = scripted({
    id: "scripted",
    replies: ({ prompt, text, call }) => replies(plain(prompt), text, call),
    capabilities: { messages },
  });
  const method = methods.find((one) => one.name === name) as (typeof methods)[number];
  const { search, policy, scorer } = planOf(method, settings, { model, problem, task: task ?? undefined });
  return { model, ...(await run(search, problem, { policy, scorer, seed: 1 })) };
}

test("refine rewinds where a model only continues", async () => {
  const { model, text, spent } = await solve("refine", {
    messages: false,
    settings: { parallel: 1, rounds: 30 },
    replies: (_, written) => (written === "" ? wrong : right.startsWith(written) ? right.slice(written.length) : wrong),
  });
  expect(text).toBe(right);
  expect(spent.calls).toBe(model.calls.length);
  const kept = model.calls.map(({ text: written }) => written);
  expect(kept[0]).toBe("");
  expect(kept.at(-1)).toBe("5*2=10;11,8,10\n"); // the line before the wrong one
});

test("refine asks where a model takes instructions, and does not tell it the result", async () => {
  const chain = productChain.make([0, 7], { level: "direct" });
  const { model, spent } = await solve("refine", {
    problem: chain,
    task: productChain,
    settings: { parallel: 1, rounds: 2 },
    replies: () => "0",
  });
  const result = productChain.solve(chain, [0, 1])?.trim() ?? "";
  expect(spent.calls).toBe(2);
  const told = plain(model.calls[1]?.prompt ?? "").slice(plain(chain.prompt).length);
  expect(told).toMatch("This answer is not right.\nLine 1 is wrong.");
  expect(told).not.toMatch(result);
});

test("refine of free text criticises and answers again; the last answer counts", async () => {
  const { text, model } = await solve("refine", {
    problem: { id: "sky", prompt: "Why is the sky blue?" },
    task: null,
    settings: { parallel: 1, rounds: 2 },
    replies: (prompt) =>
      prompt.includes("Criticise") ? "Too short." : prompt.includes("Too short.") ? "Scattering." : "?",
  });
  expect([text, model.calls.length]).toEqual(["Scattering.", 3]);
});

test("reflexion learns from a trial", async () => {
  const { text, model } = await solve("reflexion", {
    replies: (prompt) =>
      prompt.includes("why did this attempt fail")
        ? "Add with care."
        : prompt.includes("Add with care.")
          ? right
          : wrong,
  });
  expect([text?.trim(), model.calls.length]).toEqual([right.trim(), 3]);
});

test("hints end when two answers agree, however their steps are ordered", async () => {
  const { text, model } = await solve("hints", { replies: (_, __, call) => (call === 0 ? wrong : right) });
  expect([text?.trim(), model.calls.length]).toEqual([right.trim(), 3]);
  expect(plain(model.calls[1]?.prompt ?? "")).toMatch("The answer is near to 11+10=22 22+8=30 5*2=10.");
});

test("ask-for-search reads tries of a task, and answers with the steps of the picked one", async () => {
  const { text, nodes } = await solve("ask-for-search", {
    replies: () => `Try 1:\n${wrong}Result: 30\nTry 2:\n${right}Result: 29\nPick: 2\nAnswer: 29`,
  });
  expect(text).toBe(right);
  expect(nodes.slice(2).map(({ score }) => score)).toMatchObject([
    { correct: false, evidence: "line 2: 11+10 is 21, not 22" },
    { correct: true },
  ]);
});

test("ask-for-search checks arithmetic of free text", async () => {
  const { text, nodes } = await solve("ask-for-search", {
    problem: { id: "sum", prompt: "4 x 5 + 10" },
    task: null,
    replies: () =>
      "Try 1:\n4 x 5 = 20\n20 + 10 = 30\nResult: 30\nTry 2:\n5 + 10 = 15\n4 x 15 = 70\nResult: 70\nPick: 1\nAnswer: 30",
  });
  expect([text, nodes.slice(2).map(({ score }) => score?.kind === "verdict" && score.correct)]).toEqual([
    "30",
    [true, false],
  ]);
});

test.each([
  ["refine", {}, false, "refine by rewind needs a task that knows which steps hold: give --task"],
  ["refine", { by: "prompt" }, false, "refine by prompt needs answers to instructions, which scripted does not give"],
  ["reflexion", {}, false, "reflexion needs answers to instructions, which scripted does not give"],
  ["hints", {}, false, "hints needs answers to instructions, which scripted does not give: use --method majority"],
  ["ask-for-search", {}, false, "ask-for-search needs answers to instructions, which scripted does not give"],
  ["refine", { by: "rewind" }, true, "refine by rewind needs a task"],
])("%s %j without what it needs says so, before anything is asked", async (name, settings, messages, message) => {
  const asked: string[] = [];
  await expect(
    solve(name, { settings, messages, task: null, replies: (prompt) => `${asked.push(prompt)}` }),
  ).rejects.toThrow(message);
  expect(asked).toEqual([]);
});
