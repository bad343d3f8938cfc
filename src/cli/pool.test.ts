import { mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openModel } from "../open-model.ts";
import { readPool } from "../runs/pool.ts";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "ponderosa-pool-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function recorded(path: string, ...more: string[]): Promise<{ code: number; err: string }> {
  let err = "";
  const stream = { write: (text: string) => void (err += text) };
  const code = await main(["pool", "--problems", "3", "--samples", "4", "--seed", "5", "--out", path, ...more], {
    process: { stdout: stream, stderr: stream, env: {} },
    readStdin: async () => undefined,
    onInterrupt: () => () => {},
    openModel: (spec) => openModel(spec),
  });
  return { code, err };
}

test("a torn pool is gone on with to the same pool, and a whole one is left as it is", async () => {
  const path = join(folder, "pool.jsonl");
  const flags = ["--steps", "line", "--scorers", "value-token,likelihood"];
  expect(await recorded(path, ...flags)).toEqual({
    code: 0,
    err: expect.stringContaining("3 problems with 4 samples each"),
  });
  const whole = readFileSync(path, "utf8");
  const { model, config, problems } = await readPool(path);
  expect([model, config]).toMatchObject([
    "sapling",
    { task: "countdown", level: "base", samples: 4, seed: 5, steps: "line" },
  ]);
  expect(new Set(problems.map(({ problem }) => problem.id)).size).toBe(3);
  expect(Object.keys(problems[0]?.samples[0]?.scores ?? {})).toEqual([
    "verifier:countdown",
    "value-token:sapling",
    "likelihood",
  ]);

  truncateSync(path, whole.length - 100);
  expect((await recorded(path, ...flags)).err).toContain("2 problems are in");
  expect((await readPool(path)).problems.map(({ samples }) => samples.map(({ text }) => text))).toEqual(
    problems.map(({ samples }) => samples.map(({ text }) => text)),
  );
  const again = readFileSync(path);
  await recorded(path, ...flags);
  expect(readFileSync(path)).toEqual(again);
  expect(await recorded(path)).toEqual({ code: 2, err: expect.stringContaining('steps "line", not null') });
});

test("what is typed wrong is usage, and says what it must be", async () => {
  const path = join(folder, "other.jsonl");
  expect(await recorded(join(folder, "none", "pool.jsonl"))).toEqual({
    code: 2,
    err: expect.stringMatching(/^Cannot write .*pool.jsonl as .*none is no folder/),
  });
  for (const [flags, message] of [
    [["--scorers", "value"], 'Cannot use "value" as --scorers: it must be one of verifier, likelihood'],
    [["--steps", "word"], 'Cannot use "word" as --steps: it must be one of line, sentence, paragraph'],
    [["--level", "odd"], 'Cannot use "odd" as --level: it must be one of base'],
  ] as const)
    expect(await recorded(path, ...flags)).toEqual({ code: 2, err: expect.stringContaining(message) });
});
