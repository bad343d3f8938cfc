/**
 * Public files of problems: every one loads, and right and wrong answers are told apart. Where the data is: the folder
 * `PONDEROSA_DATA`, or `shared/data` beside the repository.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkerOf } from "../src/scorers/index.ts";
import { openSandbox } from "../src/scorers/sandbox/open-sandbox.ts";
import { openProblemSet } from "../src/tasks/formats/index.ts";

const folder = process.env.PONDEROSA_DATA ?? join(import.meta.dirname, "../../shared/data");
const at = (path: string) => ({
  path: join(folder, path),
  name: `${path}${existsSync(join(folder, path)) ? "" : " is not here"}`,
});
const gsm8k = at("gsm8k/test.jsonl");
const solutions = at("gsm8k/example_model_solutions.jsonl");
const game24 = at("game24/24.csv");
const humaneval = at("humaneval/HumanEval.jsonl.gz");

test.runIf(existsSync(gsm8k.path))(`${gsm8k.name}: each worked answer is right, another number is wrong`, async () => {
  const set = await openProblemSet(gsm8k.path);
  const checker = checkerOf(set);
  for (const { problem } of set.problems) {
    const worked = set.worked.get(problem.id) as string;
    const other = worked.replace(/#### .*$/, `#### ${Number(problem.reference) + 1}`);
    expect([problem.id, checker.check(problem, worked)]).toMatchObject([problem.id, { correct: true }]);
    expect([problem.id, checker.check(problem, other)]).toMatchObject([problem.id, { correct: false }]);
    expect(checker.canonical(problem, worked)).toBe(problem.reference);
  }
  expect([set.format, set.problems.length]).toEqual(["gsm8k", 1319]);
});

test.runIf(existsSync(solutions.path))(`${solutions.name}: every published label is agreed with`, async () => {
  const checker = checkerOf({ format: "gsm8k" });
  let judged = 0;
  for (const line of readFileSync(solutions.path, "utf8").trim().split("\n")) {
    const { ground_truth, question, ...models } = JSON.parse(line) as Record<string, unknown>;
    const reference = String(ground_truth).split("\nA: ").at(-1)?.replaceAll(",", "") as string;
    const problem = { id: String(question), prompt: String(question), reference, data: { kind: "number" } };
    for (const { is_correct, solution } of Object.values(models) as { is_correct: boolean; solution: string }[]) {
      expect([++judged, checker.check(problem, solution)]).toMatchObject([judged, { correct: is_correct }]);
    }
  }
  expect(judged).toBe(5276);
});

test.runIf(existsSync(game24.path))(`${game24.name}: all puzzles, and solutions by hand`, async () => {
  const set = await openProblemSet(game24.path);
  expect([set.format, set.problems.length]).toEqual(["game24", 1362]);
  const checker = checkerOf(set);
  const problem = (id: string) =>
    set.problems.find((one) => one.problem.id === id)?.problem as (typeof set.problems)[0]["problem"];
  expect(checker.check(problem("1 1 4 6"), "Answer: (1 + 1 - 1 / 1) * 24 = 24")).toMatchObject({ correct: false });
  expect(checker.check(problem("1 1 4 6"), "Answer: 1 * 1 * 4 * 6 = 24")).toMatchObject({ correct: true });
  expect(checker.check(problem("3 3 8 8"), "8 / (3 - 8 / 3) = 24")).toMatchObject({ correct: true });
  expect(set.problems.filter(({ level }) => level === "901-1000")).toHaveLength(100); // the paper's test set
});

test.runIf(existsSync(humaneval.path))(
  `${humaneval.name}: all problems; the first by its reference`,
  async ({ skip }) => {
    const set = await openProblemSet(humaneval.path);
    expect([set.format, set.problems.length, set.worked.size]).toEqual(["humaneval", 164, 164]);
    const sandbox = await openSandbox({ language: "python" }).catch((error: Error) => skip(error.message));
    const checker = checkerOf(set, { sandbox });
    const [{ problem }] = set.problems as [(typeof set.problems)[0]];
    const worked = set.worked.get(problem.id) as string;
    const body = worked.slice(worked.lastIndexOf('"""') + 4).replace(/```$/, "");
    expect(await checker.check(problem, worked)).toMatchObject({ correct: true });
    expect(await checker.check(problem, `${body}\n\ndef check(candidate): pass`)).toMatchObject({ correct: true });
    expect(await checker.check(problem, "    return False")).toMatchObject({ correct: false });
  },
);
