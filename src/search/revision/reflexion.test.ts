import { expect, test } from "vitest";
import { scripted } from "../../models/scripted.ts";
import { promptText } from "../../policies/ask.ts";
import { retryByPrompt } from "../../policies/growing-prompts.ts";
import { reflectByPrompt } from "../../policies/revision.ts";
import { text, type TextState } from "../../policies/text.ts";
import { run } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { reflexion } from "./reflexion.ts";

const problem = { id: "even", prompt: "Name an even number." };
const isEven: Scorer<TextState> = {
  name: "even",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: Number(state.text) % 2 === 0, evidence: `${state.text} is odd` }),
};

/** Right only when its prompt says that odd numbers do not count; learns that only when told what was wrong. */
const learner = () =>
  scripted({
    replies({ prompt, call }) {
      const said = promptText(prompt);
      if (said.includes("why did this attempt fail"))
        return said.includes("is odd") ? "Odd numbers do not count." : "?";
      return said.includes("Odd numbers do not count.") ? "4" : `${2 * call + 1}`;
    },
  });

test("the trial after the lesson is right, and its prompt had the lesson in it", async () => {
  const model = learner();
  const search = reflexion({ reflect: reflectByPrompt(model), retry: retryByPrompt(model) });
  const { text: answer, outcome, nodes, spent } = await run(search, problem, { policy: text(model), scorer: isEven });
  expect([answer, outcome?.accepted, spent.calls]).toEqual(["4", true, 3]);
  expect(outcome?.lessons.map(({ state, done }) => [state.text, done])).toEqual([["Odd numbers do not count.", false]]);
  expect(nodes.map(({ state, parent }) => [state.text, parent?.state.text])).toEqual([
    ["", undefined],
    ["1", ""],
    ["Odd numbers do not count.", "1"],
    ["4", ""],
  ]);
  expect(model.calls[2]?.prompt).toBe(
    "Name an even number.\n\nLessons from earlier attempts that failed:\n- Odd numbers do not count.",
  );
});

test("the memory holds the latest lessons alone", async () => {
  const model = scripted({
    replies: ({ prompt, call }) => (promptText(prompt).includes("why did") ? `lesson ${call}` : "1"),
  });
  const search = reflexion({ reflect: reflectByPrompt(model), retry: retryByPrompt(model), trials: 4, memory: 2 });
  const { outcome, spent } = await run(search, problem, { policy: text(model), scorer: isEven });
  // trial 0, lesson 1, trial 2, lesson 3, trial 4, lesson 5, trial 6; no lesson after the last trial
  const lessonsIn = (call: number) => promptText(model.calls[call]?.prompt ?? "").match(/lesson \d/g);
  expect([lessonsIn(2), lessonsIn(4), lessonsIn(6)]).toEqual([
    ["lesson 1"],
    ["lesson 1", "lesson 3"],
    ["lesson 3", "lesson 5"],
  ]);
  expect([spent.calls, outcome?.accepted, outcome?.lessons.length]).toEqual([7, false, 3]);
});

test("a first trial that is right is the only call", async () => {
  const model = scripted({ replies: ["2"] });
  const search = reflexion({ reflect: reflectByPrompt(model), retry: retryByPrompt(model) });
  expect((await run(search, problem, { policy: text(model), scorer: isEven })).spent.calls).toBe(1);
});

test("a reflection that fails leaves the trials going", async () => {
  const model = scripted({
    replies: ({ prompt, call }) =>
      promptText(prompt).includes("why did") ? { failure: "unavailable" } : call > 2 ? "2" : "1",
  });
  const search = reflexion({ reflect: reflectByPrompt(model), retry: retryByPrompt(model) });
  const { text: answer, outcome } = await run(search, problem, { policy: text(model), scorer: isEven });
  expect([answer, outcome?.lessons]).toEqual(["2", []]);
});

test("without a scorer every trial is made, and the last is the answer", async () => {
  const model = scripted({ replies: ({ prompt, call }) => (promptText(prompt).includes("why did") ? "?" : `${call}`) });
  const search = reflexion({ reflect: reflectByPrompt(model), retry: retryByPrompt(model), scorer: null, trials: 3 });
  expect((await run(search, problem, { policy: text(model) })).text).toBe("4");
});

test.each(["trials", "memory"])("refuses %s = 0 by name", (name) => {
  expect(() => reflexion({ reflect: () => undefined, retry: () => undefined, [name]: 0 })).toThrow(`'${name}'`);
});
