import { expect, test } from "vitest";
import type { Node } from "../node.ts";
import { rankOf } from "../scorer.ts";
import type { Score } from "../scorer.ts";
import type { Task } from "../task.ts";
import { verifier } from "./verifier.ts";

test("says what the task's checker says of the answer's text, in one line of evidence, for nothing", () => {
  const check: Task["check"] = ({ prompt }, answer) => ({
    correct: prompt === answer,
    evidence: `${answer} against ${prompt}`,
    steps: [],
  });
  const scorer = verifier<number>({ name: "echo", check } as Task);
  const request = { problem: { id: "p", prompt: "7" }, text: String, seed: 1, signal: new AbortController().signal };
  const judge = (state: number) => scorer.score({ state } as Node<number>, request) as Score;
  expect([scorer.name, scorer.kind, scorer.bound]).toEqual(["verifier:echo", "verdict", undefined]);
  expect(judge(7)).toEqual({ kind: "verdict", correct: true, evidence: "7 against 7" });
  expect([rankOf(judge(7)), rankOf(judge(8))]).toEqual([1, 0]);
});
