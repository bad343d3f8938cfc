import { expect, test } from "vitest";
import { scripted } from "../models/scripted.ts";
import { run } from "../run.ts";
import { memoryJournal } from "../runs/memory.ts";
import { extend, type Search } from "../search.ts";
import { ask, promptText } from "./ask.ts";
import type { TextState } from "./text.ts";

const problem = { id: "sum", prompt: "What is 17+25?" };
const model = () =>
  scripted({
    replies: ({ prompt }) =>
      promptText(prompt).startsWith("Split")
        ? " tens, then units \n"
        : promptText(prompt).endsWith("units")
          ? "42"
          : "?",
  });

function planned(of: ReturnType<typeof model>): Search<TextState> {
  const plan = ask(of, (_, asked) => `Split: ${promptText(asked.prompt)}`, { name: "plan", done: false });
  const answer = ask(of, ({ text }, asked) => `${promptText(asked.prompt)} Do ${text}`, { name: "answer" });
  return {
    name: "planned",
    options: {},
    *run(root) {
      const [split] = yield* extend(root, { policy: plan });
      const answers = split ? yield* extend(split, { policy: answer }) : [];
      return { answer: answers[0], candidates: answers };
    },
  };
}

test("a reply becomes the child's text; what only leads to an answer is not one", async () => {
  const journal = memoryJournal();
  const first = model();
  const { answer, nodes, spent } = await run(planned(first), problem, {
    policy: ask(first, () => "", { name: "root" }),
    journal,
  });
  expect(nodes.map(({ state, done }) => [state.text, done])).toEqual([
    ["", false],
    ["tens, then units", false],
    ["42", true],
  ]);
  expect(answer?.state.prompt).toBe(problem.prompt);
  expect(spent).toMatchObject({ calls: 2, tokens: " tens, then units \n".length + 1 + "42".length + 1 });

  const second = model();
  const again = await run(planned(second), problem, { policy: ask(second, () => "", { name: "root" }), journal });
  expect(again.text).toBe("42");
  expect(second.calls).toEqual([]); // all of it came out of the journal
});

test("the worst case is that of the prompt that is really sent", () => {
  const policy = ask(model(), (_, { prompt }) => promptText(prompt).repeat(10), { name: "long", maxTokens: 7 });
  expect(policy.bound(policy.root(problem), problem)).toMatchObject({ tokens: 7, promptTokens: 140, calls: 1 });
});

test("a conversation as text", () => {
  const turns = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Why?" },
  ] as const;
  expect(promptText(turns)).toBe("Be brief.\n\nWhy?");
});
