import { expect, test } from "vitest";
import { scripted } from "../../models/scripted.ts";
import { ask } from "../../policies/ask.ts";
import { pickTry, readTries } from "../../policies/asked-tree.ts";
import { text, type TextState } from "../../policies/text.ts";
import { run } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { askForSearch } from "./ask-for-search.ts";

const problem = { id: "sum", prompt: "1+1" };
const isTwo: Scorer<TextState> = {
  name: "is-two",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: state.text === "2" }),
};

function solve(reply: Parameters<typeof scripted>[0]["replies"], options: { scorer?: null; most?: number } = {}) {
  const model = scripted({ replies: reply });
  const prompted = ask(model, ({ prompt }) => prompt, { name: "search", done: false });
  const search = askForSearch({ ask: prompted, read: readTries(), pick: pickTry, ...options });
  return run(search, problem, { policy: text(model), scorer: isTwo });
}

test("the pick is the answer though a checker knows better, and the scores of the tries say so", async () => {
  const { text: answer, outcome, spent } = await solve(["Try 1: 1+1=2\nTry 2: 1+1=3\nPick: 2"]);
  expect([answer, spent.calls]).toEqual(["3", 1]);
  expect(outcome?.candidates.map(({ state, score }) => [state.text, score])).toEqual([
    ["2", { kind: "verdict", correct: true }],
    ["3", { kind: "verdict", correct: false }],
  ]);
});

test("without a pick the first try is the answer; no more than `most` are read; unscored where that is wanted", async () => {
  const reply = Array.from({ length: 9 }, (_, i) => `Try: ${i}`).join("\n");
  const { text: answer, outcome } = await solve([reply], { most: 4, scorer: null });
  expect([answer, outcome?.candidates.map(({ state }) => state.text)]).toEqual(["0", ["0", "1", "2", "3"]]);
  expect(outcome?.candidates.every(({ score }) => score === undefined)).toBe(true);
});

test("a reply that failed leaves no answer", async () => {
  const { answer, stopped, outcome } = await solve([{ failure: "unavailable" }]);
  expect([answer, stopped.why, outcome?.reply]).toEqual([undefined, "all-failed", undefined]);
});

test("refuses to read no tries by name", () => {
  expect(() => askForSearch({ ask: undefined, read: undefined, pick: () => undefined, most: 0 })).toThrow("'most'");
});
