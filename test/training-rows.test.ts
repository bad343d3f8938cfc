/** The rows that the shipped models are trained on, read back from the arrays that the trainer sees. */
import { expect, test } from "vitest";
import { key } from "../src/key.ts";
import type { Problem } from "../src/problem.ts";
import { tasks } from "../src/tasks/index.ts";
import { splitOf } from "../src/tasks/steps.ts";
import { begin, end, positions, recipes, vocabulary } from "../training/config.ts";
import type { Batch } from "../training/model.ts";
import { makeBatch } from "../training/rows.ts";

const batches = [1, 5000].map((index) => makeBatch(key(4), index, recipes.sapling)); // of the first mix and of the second

/** An example as it lies in a row: its places, and at each the token that is asked for. */
interface Example {
  readonly text: string;
  readonly asked: readonly { readonly at: number; readonly token: string }[];
  readonly offset: number;
  readonly length: number;
}

function examplesOf({ tokens, targets }: Batch): Example[] {
  const starts = [...tokens.keys()].filter((at) => tokens[at] === begin);
  return starts.map((offset, i) => {
    const rowEnd = (Math.floor(offset / positions) + 1) * positions;
    let to = Math.min(starts[i + 1] ?? rowEnd, rowEnd);
    while (tokens[to - 1] === 0) to--; // padding
    const places = [...tokens.subarray(offset, to)];
    const asked = places.flatMap((_, at) => {
      const row = targets.subarray((offset + at) * vocabulary.length, (offset + at + 1) * vocabulary.length);
      const token = row.findIndex((weight) => weight > 0);
      return token < 0 ? [] : [{ at, token: vocabulary[token] as string }];
    });
    return {
      text: places
        .slice(1)
        .map((id) => vocabulary[id])
        .join(""),
      asked,
      offset,
      length: to - offset,
    };
  });
}

function problemOf(text: string): { problem: Problem; task: (typeof tasks)[number]; prompt: string } {
  const prompt = text.slice(0, text.indexOf("\n") + 1);
  for (const task of tasks)
    try {
      return { problem: task.parse(prompt), task, prompt };
    } catch {
      continue; // a prompt of another task
    }
  throw new Error(`No task reads ${prompt}`);
}

test.each(batches.map((batch) => [batch]))(
  "answers are right, value labels exact, and no problem is held out",
  (batch) => {
    let answers = 0;
    let questions = 0;
    for (const { text, asked } of examplesOf(batch)) {
      const { problem, task, prompt } = problemOf(text);
      const numbers = (prompt.match(/\d+/g) ?? []).map(Number);
      const asking =
        task.name === "countdown"
          ? `${numbers.slice(0, -1).sort((a, b) => a - b)}>${numbers.at(-1)}`
          : numbers.sort((a, b) => a - b).join("*");
      expect(splitOf(`${task.name} ${task.name === "swap-sort" ? prompt.trim().split(":")[1] : asking}`)).toBe("train");
      if (text.includes("?")) {
        for (const { at, token } of asked) {
          const steps = text.slice(prompt.length, at - 1).replaceAll("?", ""); // the text leaves out <s>, the steps end before `?`
          expect(token).toBe(task.solvable(problem, steps) ? "y" : "n");
          questions++;
        }
      } else {
        const answer = asked.map(({ token }) => token);
        expect(answer.pop()).toBe(vocabulary[end]);
        expect(task.check(problem, answer.join("")).correct).toBe(true);
        expect(prompt + answer.join("")).toBe(text);
        answers++;
      }
    }
    expect(answers).toBeGreaterThan(30);
    expect(questions).toBeGreaterThan(20);
  },
);

test.each(batches.map((batch) => [batch]))(
  "a place sees its own example up to itself, less the value questions before it",
  (batch) => {
    for (const { text, offset, length } of examplesOf(batch))
      for (let i = 0; i < length; i++) {
        const seen = batch.bias.subarray((offset + i) * positions, (offset + i + 1) * positions);
        const column = offset % positions;
        const expected = Array.from(
          { length: positions },
          (_, j) => j >= column && j <= column + i && (j === column + i || text[j - column - 1] !== "?"),
        );
        expect([...seen].map((bias) => bias === 0)).toEqual(expected);
      }
  },
);

test("target weights sum to 1, and the same place makes the same batch", () => {
  for (const { targets } of batches) expect(targets.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4); // float32
  expect(makeBatch(key(4), 1, recipes.sapling)).toEqual(batches[0]);
});
