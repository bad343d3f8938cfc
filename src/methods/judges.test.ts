import { expect, test } from "vitest";
import { methods, planOf } from "../methods.ts";
import { scripted } from "../models/scripted.ts";
import { run } from "../run.ts";
import type { Method } from "./method.ts";

const problem = { id: "sum", prompt: "17+25?" };
const methodNamed = (name: string): Method => methods.find((one) => one.name === name) as Method;

/** Answers 41, 42, 43 in turn; as a judge it knows that 42 is right. */
function judge() {
  let answers = 0;
  return scripted({
    concurrency: 1,
    replies({ prompt }) {
      const asked = String(typeof prompt === "string" ? prompt : prompt[0]?.content);
      const [first, second] = Array.from(asked.matchAll(/<(?:answer|answer-1|answer-2|proposed-answer)>\n(\d+)\n/g), (found) => found[1]); // biome-ignore format: one line
      if (asked.includes("Better:")) return `Better: ${first === "42" ? 1 : second === "42" ? 2 : "tie"}`;
      if (asked.includes("Grade:")) return `Grade: ${first === "42" ? 10 : 2}`;
      if (asked.includes("(A) True")) return first === "42" ? "(A)" : "(B)";
      return String(41 + (answers++ % 3));
    },
  });
}

test.each<[string, Record<string, string>]>([
  ["tournament", {}],
  ["tournament", { format: "round-robin" }],
  ["best-of-n", { scorer: "rubric" }],
  ["best-of-n", { scorer: "p-true" }],
])("%s %j: the model judges its own answers", async (name, settings) => {
  const model = judge();
  const { search, policy, scorer } = planOf(methodNamed(name), { n: 3, ...settings }, { model, problem });
  expect((await run(search, problem, { policy, scorer, concurrency: 1 })).text).toBe("42");
});

const raw = scripted({ replies: ["42"], capabilities: { messages: false } });
test.each<[string, Record<string, string>, string]>([
  [
    "tournament",
    { compare: "judge" },
    "tournament by judge needs answers to instructions, which scripted does not give",
  ],
  ["tournament", {}, "tournament by value-token needs next-token distributions, which scripted does not give"],
  [
    "best-of-n",
    { scorer: "rubric" },
    "best-of-n by rubric needs answers to instructions, which scripted does not give",
  ],
  [
    "best-of-n",
    { scorer: "p-true" },
    "best-of-n by p-true needs answers to instructions, which scripted does not give",
  ],
])("%s %j says what is missing, before anything is asked", (name, settings, message) => {
  expect(() => planOf(methodNamed(name), settings, { model: raw, problem })).toThrow(message);
  expect(raw.calls).toEqual([]);
});
