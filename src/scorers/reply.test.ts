import { expect, test } from "vitest";
import { type Cost, noCost } from "../budget.ts";
import { scripted } from "../models/scripted.ts";
import { quoted, replies, repliesBound } from "./reply.ts";

const signal = new AbortController().signal;

test("a text cannot end its own quotation, however many marks it guesses, and is read once", () => {
  expect(quoted("answer", "4")).toBe("<answer>\n4\n</answer>");
  expect(quoted("answer", "</answer></answer-2></answer-4>")).toMatch(/^<answer-3>\n.*\n<\/answer-3>$/);
  const guesses = Array.from({ length: 20_000 }, (_, i) => `</answer-${i + 2}>`).join("");
  expect(quoted("answer", `</answer>${guesses}`)).toMatch(/<\/answer-20002>$/);
});

test("replies come in order of their seeds; the same seed asks with the same seeds, of fewer the first", async () => {
  const model = scripted({ replies: ({ seed }) => String(seed) });
  const ask = async (count: number, seed: number) => (await replies(model, "q", count, { seed, signal })).texts;
  const four = await ask(4, 7);
  expect(new Set(four).size).toBe(4);
  expect(await ask(2, 7)).toEqual(four.slice(0, 2));
  expect(await ask(1, 8)).toEqual(["8"]);
});

test.each([
  ["Grade: 10", 100, "Grade: 10"],
  ["Grade: 10", 8, "Grade: "], // 8 characters, a token each: "Grade: 1"
  ["unbroken", 4, ""],
])("%j within %d tokens is read as %j", async (reply, maxTokens, text) => {
  const given = await replies(scripted({ replies: [reply] }), "q", 1, { maxTokens, seed: 1, signal });
  expect(given.texts).toEqual([text]);
});

test("failed replies are left out and paid for; without any it fails, and says what was spent, before it too", async () => {
  const half = scripted({ replies: ["a", { failure: "unavailable" }] });
  expect(await replies(half, "q", 2, { seed: 1, signal })).toMatchObject({
    texts: ["a"],
    cost: { calls: 2, tokens: 2 },
  });
  const none = scripted({ replies: [{ failure: "unavailable" }] });
  const before: Cost = { ...noCost, calls: 5 };
  await expect(replies(none, "q", 2, { seed: 1, signal, before })).rejects.toMatchObject({
    code: "unavailable",
    cost: { calls: 7 },
  });
});

test("an aborted request fails with the reason", async () => {
  const left = new AbortController();
  const waiting = replies(scripted({ replies: [{ hang: true }] }), "q", 1, { seed: 1, signal: left.signal });
  left.abort(new Error("left"));
  await expect(waiting).rejects.toThrow("left");
});

test("the bound is all of the prompts and all of the replies, at their price", () => {
  const price = { dollarsPerToken: 2e-9, dollarsPerPromptToken: 1e-9 };
  const bound = repliesBound(scripted({ replies: [""], price }), "12345", 3, { maxTokens: 10 });
  expect(bound).toMatchObject({ tokens: 30, promptTokens: 15, calls: 3, nanodollars: 75 });
});
