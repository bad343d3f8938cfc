/** Kills the payer again and again: what was recorded is not paid for again, and what is paid twice had been shown as in doubt. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { random } from "../src/math/random.ts";
import { openStore } from "../src/runs/store/index.ts";
import { chatReply, upstream } from "../src/testing/upstream.ts";

const folder = mkdtempSync(join(tmpdir(), "ledger-"));
afterAll(() => rmSync(folder, { recursive: true }));

const needed = 160;

test("a payer that is killed 20 times pays twice at most what it shows as in doubt", { timeout: 120_000 }, async () => {
  const file = join(folder, "ledger.db");
  const chance = random(11);
  let calls = 0;
  let onCall = (): void => {};
  await using server = await upstream(() => {
    calls++;
    onCall();
    return { ...chatReply(["42"]), delayMs: chance.integer(20) };
  });

  /** One life of the payer; killed at a moment after so many of its calls, where that is said. */
  const live = (killAfter?: number): Promise<unknown> => {
    const program = join(import.meta.dirname, "fixtures/payer.ts");
    const child = spawn(process.execPath, [program, file, server.url], { stdio: ["ignore", "ignore", "inherit"] });
    let left = killAfter ?? Infinity;
    const laterMs = chance.uniform() * 15;
    onCall = () => {
      if (--left === 0) setTimeout(() => child.kill("SIGKILL"), laterMs);
    };
    return new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  };

  for (let kill = 0; kill < 20; kill++) expect(await live(1 + chance.integer(8))).toBe("SIGKILL");
  expect(await live()).toBe(0);

  const asked = server.calls.map(({ body }) => JSON.stringify([body["messages"], body["seed"]]));
  expect(new Set(asked).size).toBe(needed);
  await using store = await openStore(file);
  const inDoubt = await store.ledger.inDoubt();
  const doubtful = inDoubt.reduce((sum, { requests }) => sum + requests, 0);
  expect(calls - needed).toBeGreaterThan(0); // else the kills hit nothing
  expect(calls - needed).toBeLessThanOrEqual(doubtful);
  for (const { requests } of inDoubt) expect(requests).toBeLessThanOrEqual(4);
  expect(new Set(inDoubt.map(({ owner }) => owner)).size).toBeLessThanOrEqual(20);

  const paid = calls;
  expect(await live()).toBe(0);
  expect(calls).toBe(paid); // all of it out of the ledger
});
