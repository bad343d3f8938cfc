/**
 * An evaluation that is killed again and again, against a server that counts: 8 kills by default, as many as
 * `EVAL_KILLS=100 npx vitest run test/faults/eval-kills.test.ts` says (a third of a second each, most of it Node's start).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { fold, key } from "../../src/key.ts";
import { random } from "../../src/math/random.ts";
import { openStore } from "../../src/runs/store/index.ts";
import { countdown } from "../../src/tasks/index.ts";
import { chatReply, upstream } from "../../src/testing/upstream.ts";

const kills = Number(process.env.EVAL_KILLS ?? 8);
const problems = Math.max(24, kills);
const command =
  `eval --task countdown --problems ${problems} --concurrency 4 --methods greedy,majority:6,best-of-n:6 --budgets 60,400 --quiet --model`.split(
    " ",
  );
const bin = join(import.meta.dirname, "../../bin/ponderosa.js");

test(`${kills} kills: nothing that was recorded is paid twice, and the records are those of an evaluation that was left alone`, {
  timeout: 60_000 + 20_000 * kills,
}, async () => {
  // on a machine with nothing else to do it takes a tenth of that,
  const folder = mkdtempSync(join(tmpdir(), "ponderosa-kills-"));
  /** Of each distinct request, the lives in which it was paid. */
  const paid = new Map<string, number[]>();
  let life = 0;
  let calls = 0;
  let wake = () => {};
  await using server = await upstream(({ body }) => {
    const request = JSON.stringify(body);
    paid.set(request, [...(paid.get(request) ?? []), life]);
    calls++;
    wake();
    return { ...answer(body), delayMs: random(calls).integer(6) };
  });
  const start = (out: string) =>
    spawn(process.execPath, [bin, ...command, `${server.url}#mock`, "--out", join(folder, out)], {
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "code") }, // a quicker start
    });
  const finish = async (out: string) => {
    const child = start(out);
    let err = "";
    child.stderr.on("data", (chunk) => (err += chunk));
    const [code] = await once(child, "exit");
    expect(`${err}${code}`).toBe("0");
    await using store = await openStore(join(folder, out));
    const [evaluation] = await store.evaluations();
    const id = evaluation?.id as string;
    const runs = await store.runs({ evaluation: id });
    const candidates = [];
    for await (const one of store.candidates({ evaluation: id })) candidates.push(one);
    const inDoubt = (await store.ledger.inDoubt()).reduce((sum, { requests }) => sum + requests, 0);
    const timeless = runs.map(({ spent, paid: _, ...run }) => ({ ...run, spent: { ...spent, seconds: 0 } }));
    return { runs: timeless.sort(byId), candidates: candidates.sort(byRun), inDoubt, finished: evaluation?.finishedAt };
  };
  try {
    const alone = await finish("alone.db");
    const distinct = paid.size;
    expect(calls).toBe(distinct);
    expect(alone.inDoubt).toBe(0);
    paid.clear();
    calls = 0;

    const chance = random(fold(key(11), "kills"));
    for (life = 1; life <= kills; life++) {
      const child = start("killed.db");
      const exit = once(child, "exit");
      // Somewhere on the way, which is cut into as many parts as there are kills; or while the process starts.
      const target = Math.floor((0.8 * distinct * life) / kills);
      const reached = new Promise<void>((resolve) => {
        wake = () => paid.size >= target && resolve();
      });
      if (paid.size >= target || chance.uniform() < 0.1) await pause(chance.integer(250));
      else await Promise.race([reached, exit]);
      await pause(chance.integer(8));
      if (child.exitCode !== null) throw new Error(`It was done after ${life} of ${kills} kills: ask more problems`);
      process.kill(-(child.pid as number), "SIGKILL");
      await exit;
    }
    const beforeLast = calls;
    const killed = await finish("killed.db");

    expect(killed.runs).toEqual(alone.runs);
    expect(killed.candidates).toEqual(alone.candidates);
    expect(killed.finished).not.toBeNull();
    expect(paid.size).toBe(distinct);
    expect(calls).toBeGreaterThan(beforeLast);
    for (const lives of paid.values()) expect(new Set(lives).size).toBe(lives.length);
    const extra = calls - distinct;
    expect(extra).toBeGreaterThan(0); // else the kills came at no interesting moment
    expect(extra).toBeLessThanOrEqual(killed.inDoubt);
    console.log(`${kills} kills: ${distinct} distinct requests, ${extra} paid again, ${killed.inDoubt} in doubt`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Right once in four times, by the seed; the same for the same request. */
function answer({ messages, seed }: Record<string, unknown>) {
  const { content } = (messages as { content: string }[]).at(-1) as { content: string };
  const problem = countdown.parse(content);
  const stream = random(fold(key(typeof seed === "number" ? seed : 0), content));
  const text = stream.uniform() < 0.25 ? countdown.solve(problem, key(0)) : undefined;
  return chatReply([text ?? `1+1=${stream.integer(9)};5\n`]);
}

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
const byRun = (a: { run: string; node: string }, b: { run: string; node: string }): number =>
  byId({ id: `${a.run} ${a.node}` }, { id: `${b.run} ${b.node}` });
