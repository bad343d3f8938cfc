import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { cost } from "../budget.ts";
import type { PoolHeader, PoolProblem } from "../pool.ts";
import { openPool, poolWriter, readPool } from "./pool.ts";

const folder = mkdtempSync(join(tmpdir(), "pool-"));
afterAll(() => rmSync(folder, { recursive: true }));

const header: PoolHeader = { model: "m", policy: "text(m)", config: { samples: 2 } };
const problem = (id: string): PoolProblem => ({
  problem: { id, prompt: `${id}?`, data: [1, 2] },
  level: null,
  samples: ["yes", "nö"].map((text) => ({
    text,
    finish: "end",
    length: text.length,
    logProb: -1.25,
    cost: cost({ tokens: 3, calls: 1 }),
    scores: { judge: { score: { kind: "probability", value: 0.5 }, cost: cost({ calls: 1 }) } },
    canonical: text,
    correct: text === "yes",
  })),
});

async function written(name: string, ids: readonly string[]): Promise<string> {
  const path = join(folder, name);
  using writer = await poolWriter(path, header);
  for (const id of ids) writer.append(problem(id));
  return path;
}

describe.each(["plain.jsonl", "packed.jsonl.gz"])("%s", (name) => {
  test("what is written is read", async () => {
    const path = await written(`whole-${name}`, ["a", "b", "c"]);
    expect(await readPool(path)).toEqual({ ...header, problems: ["a", "b", "c"].map(problem) });
  });

  test("wherever a kill tears the last problem, those before it are read and gone on with", async () => {
    const whole = await written(`end-${name}`, ["a", "b"]);
    const start = readFileSync(await written(`start-${name}`, ["a"])).length;
    const end = readFileSync(whole).length;
    // All lengths at which the last problem is not complete; the line break at the very end may be all that is missing.
    for (let length = start; length < end; length += Math.ceil((end - start) / 23)) {
      const path = join(folder, `torn-${name}`);
      writeFileSync(path, readFileSync(whole));
      truncateSync(path, length);
      const found = (await readPool(path)).problems.map(({ problem: { id } }) => id);
      // A packed line may be whole when only the member's checksum is missing.
      expect(found.slice(0, 1)).toEqual(["a"]);
      using writer = await poolWriter(path, header);
      expect([...writer.written]).toEqual(found);
      for (const id of ["a", "b", "c"]) if (!writer.written.has(id)) writer.append(problem(id));
      writer.close();
      expect((await readPool(path)).problems).toEqual(["a", "b", "c"].map(problem));
    }
  });

  test("one problem is read at a time", async () => {
    const path = await written(`stream-${name}`, ["a", "b"]);
    const text = name.endsWith(".gz") ? gzipSync("broken\n") : "broken\n";
    appendFileSync(path, text);
    const ids: string[] = [];
    const reading = async () => {
      for await (const { problem: one } of (await openPool(path)).problems) ids.push(one.id);
    };
    await expect(reading()).rejects.toThrow(`Cannot read pool '${path}' as line 4 is broken`);
    expect(ids).toEqual(["a", "b"]);
  });

  test("a pool that was made in another way is not gone on with, and stays as it is", async () => {
    const path = await written(`other-${name}`, ["a"]);
    const before = readFileSync(path);
    await expect(poolWriter(path, { ...header, config: { samples: 3 } })).rejects.toThrow(
      "made in another way: samples 2, not 3",
    );
    expect(readFileSync(path)).toEqual(before);
  });
});

test("what is no pool is refused by what is wrong with it", async () => {
  const path = join(folder, "other.jsonl");
  await expect(readPool(path)).rejects.toThrow(`Cannot read pool '${path}' as there is no such file`);
  writeFileSync(path, '{"type":"run-start"}\n');
  await expect(readPool(path)).rejects.toThrow("its first line is not that of a pool");
  writeFileSync(path, '{"type":"pool","version":2}\n');
  await expect(readPool(path)).rejects.toThrow("has version 2: this program reads version 1");
  writeFileSync(path, '{"type":"pool","version":1,"model":"m","policy":"p","config":null}\n{"problem":{}}\n');
  await expect(readPool(path)).rejects.toThrow("line 2 is no problem with its samples");
  writeFileSync(path, "");
  await expect(readPool(path)).rejects.toThrow("has no whole line");
  const packed = join(folder, "damaged.jsonl.gz");
  writeFileSync(packed, gzipSync('{"type":"pool","version":1}\n').fill(255, 12, 16));
  await expect(readPool(packed)).rejects.toThrow("cannot be decompressed");
});
