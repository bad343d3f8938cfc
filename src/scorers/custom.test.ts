import { expect, test } from "vitest";
import type { Node } from "../node.ts";
import { custom } from "./custom.ts";

const node = { state: { words: ["one", "two"] } } as unknown as Node<{ words: string[] }>;
const request = {
  problem: { id: "p", prompt: "what?" },
  text: ({ words }: { words: string[] }) => words.join(" "),
  seed: 1,
  signal: new AbortController().signal,
};

test("gives the function the text as the policy says it, and the problem; what it returns is the reward", async () => {
  const seen: unknown[] = [];
  const scorer = custom<{ words: string[] }>(
    "length",
    (text, problem) => (seen.push([text, problem.prompt]), text.length),
  );
  expect([scorer.name, scorer.kind, scorer.bound]).toEqual(["length", "reward", undefined]);
  expect(await scorer.score(node, request)).toEqual({ kind: "reward", value: 7 });
  expect(seen).toEqual([["one two", "what?"]]);
});

test("waits for a function that takes its time, and passes on what it throws", async () => {
  expect(await custom<{ words: string[] }>("slow", async (text) => text.length).score(node, request)).toEqual({
    kind: "reward",
    value: 7,
  });
  await expect(
    custom<{ words: string[] }>("broken", () => Promise.reject(new Error("out"))).score(node, request),
  ).rejects.toThrow("out");
});
