import { describe, expect, test } from "vitest";
import { key } from "../key.ts";
import { random } from "../math/random.ts";
import { scripted } from "../models/scripted.ts";
import { batchPrompts } from "../policies/batch-prompts.ts";
import { text } from "../policies/text.ts";
import { run } from "../run.ts";
import { accuracyByPlace, batchPrompting } from "./batch-prompting.ts";

const questions = ["1+1", "2+2", "3+3", "4+4", "5+5"];
const shared = "Add the two numbers. Examples follow.".padEnd(400, ".");
const asked = (prompt: unknown) =>
  Array.from(String(prompt).matchAll(/^Q\[(\d+)\]: (\d)\+\d$/gm), ([, i, n]) => [i, n] as const);
const sum = (n: string | undefined) => String(2 * Number(n));

/** A model that answers as `garble` leaves it. */
function solver(garble: (lines: string[], call: number) => string = (lines) => lines.join("\n")) {
  return scripted({
    replies: ({ prompt, call }) =>
      garble(
        asked(prompt).map(([i, n]) => `A[${i}]: ${sum(n)}`),
        call,
      ),
  });
}

async function solve(model: ReturnType<typeof solver>, size: number, budget = {}) {
  const prompts = batchPrompts(model);
  const search = batchPrompting({ questions, size, ask: prompts.ask, read: prompts.read });
  const { outcome, spent, stopped } = await run(
    search,
    { id: "sums", prompt: shared },
    { policy: text(model), seed: 1, budget },
  );
  return { answers: outcome?.answers ?? [], spent, stopped };
}
const right = ["2", "4", "6", "8", "10"];

describe("asking", () => {
  test.each([1, 2, 3, 5])("%d in a call: all answers, and the shared part is paid once a call", async (size) => {
    const { answers, spent } = await solve(solver(), size);
    expect(answers.map(({ answer }) => answer)).toEqual(right);
    expect(answers.map(({ place }) => place)).toEqual(questions.map((_, i) => (i % size) + 1));
    expect(answers.some(({ askedAgain }) => askedAgain)).toBe(false);
    const calls = Math.ceil(questions.length / size);
    // Each call: the shared text and the wish; each question: "Q[1]: 1+1" and a line end.
    const wish = '\n\n\nAnswer every question, each with its index, as in "A[1]: …".'.length;
    expect([spent.calls, spent.promptTokens]).toEqual([calls, calls * (shared.length + wish) + 10 * questions.length]);
  });

  test.each<[string, (lines: string[], call: number) => string, number[]]>([
    ["leaves one out", (lines) => (lines.length > 1 ? lines.slice(1).join("\n") : lines.join()), [0]],
    ["states one twice", (lines) => (lines.length > 1 ? [...lines, "A[2]: 5"].join("\n") : lines.join()), [1]],
    ["leaves one empty", (lines) => (lines.length > 1 ? lines.with(2, "A[3]:").join("\n") : lines.join()), [2]],
    [
      "repeats the questions, talks, and adds one of its own",
      (lines) =>
        `Sure!\n${lines.map((line, i) => `Q[${i + 1}]: ?\n**${line.replace(":", "**:")}`).join("\n")}\nA[9]: 1`,
      [],
    ],
    [
      "writes nonsense",
      (lines) => (lines.length > 1 ? "I cannot say. A[ ]: [1] A[99]" : lines.join()),
      [0, 1, 2, 3, 4],
    ],
    ["answers in another order", (lines) => lines.toReversed().join("\n"), []],
  ])("a model that %s: the right ones are asked again, alone", async (_, garble, again) => {
    const { answers, spent } = await solve(solver(garble), 5);
    expect(answers.map(({ answer }) => answer)).toEqual(right);
    expect(answers.flatMap(({ askedAgain }, i) => (askedAgain ? [i] : []))).toEqual(again);
    expect(spent.calls).toBe(1 + again.length);
  });

  test("what is nonsense twice stays without an answer; nothing is asked a third time", async () => {
    const { answers, spent } = await solve(
      solver((lines) => (lines.some((line) => line.endsWith("6")) ? "?\nA[2]: x" : lines.join("\n"))),
      3,
    );
    expect(answers.map(({ answer }) => answer)).toEqual(["2", "x", undefined, "8", "10"]);
    expect(spent.calls).toBe(2 + 2); // [1+1, 2+2, 3+3] is refused but for its second answer
  });

  test("an answer that the token limit has cut is not taken", async () => {
    const model = scripted({ replies: ["A[1]: 2\nA[2]: 4\nA[3]: 123456", "A[1]: 6", "A[1]: 8", "A[1]: 10"] });
    const prompts = batchPrompts(model, { maxTokens: 24 });
    const search = batchPrompting({ questions, size: 5, ask: prompts.ask, read: prompts.read });
    const { outcome } = await run(search, { id: "sums", prompt: "" }, { policy: text(model), seed: 1 });
    expect(outcome?.answers.map(({ answer }) => answer)).toEqual(right);
  });

  test("a budget that ends it leaves what was answered", async () => {
    const { answers, stopped } = await solve(solver(), 2, { calls: 2 });
    expect(answers.map(({ answer }) => answer)).toEqual(["2", "4", "6", "8", undefined]);
    expect(stopped.why).not.toBe("all-failed");
    expect(() => batchPrompting({ questions: [], size: 1, ask: batchPrompts(solver()).ask, read: () => [] })).toThrow(
      "questions.length",
    );
  });
});

test("with noise by place: what each place loses is found, and so is what a size costs", async () => {
  // Wrong with probability 0.04 (place − 1), and the reply of a batch is garbled with probability 0.02 a question.
  const stream = random(key(4));
  const noisy = scripted({
    replies: ({ prompt }) => {
      const all = asked(prompt);
      return all
        .map(([i, n], at) =>
          stream.uniform() < 0.02 ? "A[]: ?" : `A[${i}]: ${stream.uniform() < 0.04 * at ? "wrong" : sum(n)}`,
        )
        .join("\n");
    },
  });
  const prompts = batchPrompts(noisy);
  const many = Array.from({ length: 1200 }, (_, i) => `${1 + (i % 9)}+${1 + (i % 9)}`);
  const accuracy: number[] = [];
  for (const size of [1, 2, 6]) {
    const search = batchPrompting({ questions: many, size, ask: prompts.ask, read: prompts.read });
    const { outcome, spent } = await run(search, { id: "sums", prompt: shared }, { policy: text(noisy), seed: 1 });
    const found = (outcome?.answers ?? []).map(({ answer, place }, i) => ({
      place,
      right: answer === sum(many[i]?.[0]),
    }));
    const byPlace = accuracyByPlace(found, { level: 0.9999 });
    expect(byPlace.map(({ of }) => of)).toEqual(Array.from({ length: size }, () => 1200 / size));
    for (const { place, low, high } of byPlace) {
      const expected = 0.98 * (1 - 0.04 * (place - 1)) + 0.02 * 0.98; // garbled and asked again, alone: right but for a second garble
      expect([low <= expected, expected <= high]).toEqual([true, true]);
    }
    accuracy.push(found.filter((one) => one.right).length / 1200);
    expect(spent.calls / (1200 / size + 1200 * 0.02)).toBeCloseTo(1, 1);
  }
  expect(accuracy[0]).toBeGreaterThan(accuracy[2] as number); // 1 − 0.0004, 0.98, 0.90
});
