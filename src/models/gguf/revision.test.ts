import { mkdtemp, open, rm, truncate, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileRevision } from "./revision.ts";

test("any byte of a file tells it from others, and its name does not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "revision-"));
  try {
    const [one, other] = [join(folder, "a"), join(folder, "b")];
    const bytes = Buffer.alloc(200_000, 7);
    await writeFile(one, bytes);
    await writeFile(other, bytes);
    const revision = await fileRevision(one);
    expect(revision).toBe(createHash("sha256").update("200000:").update(bytes).digest("hex").slice(0, 16));
    expect(await fileRevision(other)).toBe(revision);
    for (const at of [0, 65_536, 131_071, 199_999]) {
      bytes[at] = 8;
      await writeFile(other, bytes);
      expect(await fileRevision(other)).not.toBe(revision);
      bytes[at] = 7;
    }
    await writeFile(one, "");
    expect(await fileRevision(one)).toMatch(/^[0-9a-f]{16}$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a large file is told by its size and by blocks from its first byte to its last", async () => {
  const folder = await mkdtemp(join(tmpdir(), "revision-"));
  try {
    const path = join(folder, "large");
    const size = 2 ** 26 + 2 ** 20; // holes, so that it takes no room
    await writeFile(path, "");
    await truncate(path, size);
    const seen = new Set([await fileRevision(path)]);
    for (const at of [0, size - 1]) {
      const file = await open(path, "r+");
      await file.write(Buffer.from([1]), 0, 1, at);
      await file.close();
      seen.add(await fileRevision(path));
    }
    await truncate(path, size + 1);
    seen.add(await fileRevision(path));
    expect(seen.size).toBe(4);
  } finally {
    await rm(folder, { recursive: true });
  }
});
