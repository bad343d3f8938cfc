import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { main } from "../src/cli/main.ts";
import type { EvaluationRecord } from "../src/record.ts";
import { openStore } from "../src/runs/store/index.ts";
import { openModel } from "../src/open-model.ts";
import { noPostgres, postgresServer } from "./helpers/postgres.ts";

const asked =
  "--task countdown --methods majority:4,particle-filter:4 --budgets 120,tokens=300+calls=6 --problems 3 --workers 1".split(
    " ",
  );

async function cli(argv: readonly string[], interrupt: (press: () => void) => void = () => {}) {
  let said = "";
  const output = { write: (text: string) => void (said += text) };
  const code = await main(argv, {
    process: { stdout: output, stderr: output, env: {} },
    readStdin: async () => undefined,
    openModel,
    onInterrupt(handler) {
      interrupt(handler);
      return () => {};
    },
  });
  return { code, said };
}

async function keptIn(where: string) {
  await using store = await openStore(where);
  const [record] = await store.evaluations();
  const runs = await store.runs({ evaluation: record?.id as string });
  const timeless = runs.map(({ spent, paid: _, ...run }) => ({ ...run, spent: { ...spent, seconds: 0 } }));
  return { record: record as EvaluationRecord, runs: timeless.sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

test.skipIf(noPostgres)(
  "an evaluation on PostgreSQL: interrupted and resumed it has the records of one in a file, and its password is nowhere",
  { timeout: 60_000 },
  async () => {
    await using server = await postgresServer();
    const url = (await server.database()).replace("test@", "test:pass%2Fword@");
    const stopped = await cli(["eval", ...asked, "--out", url], (press) => press());
    expect(stopped.code).toBe(130);
    expect(stopped.said).toContain("ponderosa eval --resume 'postgres://test:***@127.0.0.1:");
    const resumed = await cli(["eval", "--resume", url]);
    expect(resumed.code).toBe(0);
    const missing = await cli(["report", url, "--name", "another"]);
    expect(missing.said).toContain('there are "countdown on sapling"');

    const folder = mkdtempSync(join(tmpdir(), "ponderosa-eval-"));
    try {
      await cli(["eval", ...asked, "--out", join(folder, "runs.db")]);
      const [there, here] = [await keptIn(url), await keptIn(join(folder, "runs.db"))];
      expect(there.runs).toEqual(here.runs);
      expect(there.runs).toHaveLength(4 * 2 * 3);
      for (const told of [stopped.said, resumed.said, missing.said, JSON.stringify(there.record)])
        expect(told).not.toMatch(/pass(%2F|\/)word/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
