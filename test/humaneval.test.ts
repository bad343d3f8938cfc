/**
 * The 164 problems of HumanEval (Chen et al. 2021, arXiv:2107.03374): each reference solution passes and each stub fails, with
 * the tests in another sandbox than the program. Where the data is: the folder `PONDEROSA_DATA`, or `shared/data` beside the
 * repository.
 */
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bubblewrap } from "../src/scorers/sandbox/bubblewrap.ts";
import { pyodide } from "../src/scorers/sandbox/pyodide.ts";
import type { Sandbox } from "../src/scorers/sandbox/sandbox.ts";
import { unitTests } from "../src/scorers/sandbox/unit-tests.ts";

interface Row {
  readonly task_id: string;
  readonly prompt: string;
  readonly entry_point: string;
  readonly canonical_solution: string;
  readonly test: string;
}

const folder = process.env.PONDEROSA_DATA ?? join(import.meta.dirname, "../../shared/data");
const file = join(folder, "humaneval", "HumanEval.jsonl.gz");
const rows: Row[] = existsSync(file)
  ? gunzipSync(readFileSync(file))
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Row)
  : [];

/** What went against expectation, of references that should pass and stubs that should fail. */
async function surprises(sandbox: Sandbox, problems: readonly Row[]): Promise<string[]> {
  const found: string[] = [];
  const jobs = problems.flatMap((row) => [
    { row, body: row.canonical_solution, right: true },
    { row, body: "    pass\n", right: false },
  ]);
  const work = async () => {
    for (let job = jobs.pop(); job; job = jobs.pop()) {
      const { row, body, right } = job;
      const suite = { function: row.entry_point, setup: row.prompt, tests: row.test };
      const options = { sandbox, language: "python", limits: { timeMs: 60_000 } } as const;
      const { correct, evidence } = await unitTests(row.prompt + body, suite, options);
      if (correct !== right) found.push(`${row.task_id}, ${right ? "reference" : "stub"}: ${evidence}`);
    }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, work));
  return found;
}

describe.skipIf(rows.length === 0)(rows.length === 0 ? `HumanEval is not here: ${file}` : "HumanEval", () => {
  // A pair of processes takes 0.1 s of a core in bubblewrap and 1.2 s in Pyodide. Two of the few have helpers in their prompts.
  const few = ["HumanEval/0", "HumanEval/32", "HumanEval/38"];
  test.for([
    { name: "all", backend: bubblewrap, problems: rows },
    { name: "some", backend: pyodide, problems: rows.filter(({ task_id }) => few.includes(task_id)) },
  ])("$name by $backend.name", { timeout: 180_000 }, async ({ backend, problems }, { skip }) => {
    const sandbox = await backend.open().catch((error: Error) => skip(`${backend.name} is not here: ${error.message}`));
    expect(rows).toHaveLength(164);
    expect(await surprises(sandbox, problems)).toEqual([]);
  });
});
