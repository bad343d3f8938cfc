import { expect, test } from "vitest";
import { scripted } from "../../models/scripted.ts";
import { hintedByPrompt } from "../../policies/growing-prompts.ts";
import { text, type TextState } from "../../policies/text.ts";
import { run } from "../../run.ts";
import { hints } from "./hints.ts";

const problem = { id: "sum", prompt: "17+25=" };
const canonical = ({ state }: { state: TextState }) => /\d+/.exec(state.text)?.[0];

async function solve(replies: string[], rounds = 8) {
  const model = scripted({ replies });
  const search = hints({ canonical, hinted: hintedByPrompt(model), rounds });
  return { model, ...(await run(search, problem, { policy: text(model) })) };
}

test("every answer is a hint for the next, until two in a row agree", async () => {
  const { model, text: answer, outcome } = await solve(["41", "it is 43", "42", "42.", "1"]);
  expect([answer, outcome?.settled, outcome?.hints]).toEqual(["42.", true, ["41", "43", "42"]]);
  expect(model.calls.map(({ prompt }) => prompt)).toEqual([
    "17+25=",
    "17+25=\n\n(Hint: The answer is near to 41.)",
    "17+25=\n\n(Hint: The answer is near to 41, 43.)",
    "17+25=\n\n(Hint: The answer is near to 41, 43, 42.)",
  ]);
});

test("the least it costs is two answers", async () => {
  expect((await solve(["42"])).spent.calls).toBe(2);
});

test("agreement has to be in a row", async () => {
  const { outcome, spent } = await solve(["1", "2"], 6); // 1, 2, 1, 2, …
  expect([spent.calls, outcome?.settled, outcome?.hints]).toEqual([6, false, ["1", "2"]]);
});

test("what cannot be read is no hint, agrees with nothing, and is no answer where another is", async () => {
  const unread = await solve(["none", "none", "7", "none", "7", "none"], 6);
  expect([unread.text, unread.outcome?.settled, unread.outcome?.hints]).toEqual(["7", false, ["7"]]);
  expect(unread.model.calls[1]?.prompt).toBe("17+25="); // no hint yet
  expect((await solve(["none"], 2)).text).toBe("none");
});

test("a spent budget leaves the last readable answer", async () => {
  const model = scripted({ replies: ["1", "2", "3"] });
  const search = hints({ canonical, hinted: hintedByPrompt(model) });
  const result = await run(search, problem, { policy: text(model), budget: { calls: 2 } });
  expect([result.text, result.stopped.why, result.outcome?.settled]).toEqual(["2", "budget-spent", false]);
});

test("refuses no rounds by name", () => {
  expect(() => hints({ canonical, hinted: () => undefined, rounds: 0 })).toThrow("'rounds'");
});
