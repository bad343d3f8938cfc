/** Checkpoints: weights and moments in one file, written whole or not at all. */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "./model.ts";

export interface Checkpoint {
  readonly step: number;
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly first: Readonly<Record<string, Tensor>>;
  readonly second: Readonly<Record<string, Tensor>>;
}

const groups = ["weights", "first", "second"] as const;

/** Layout: u32 length of the header, header in JSON, all arrays as f32 in the order of the header. */
export function saveCheckpoint(path: string, checkpoint: Checkpoint): void {
  const list = groups.flatMap((group) =>
    Object.entries(checkpoint[group]).map(([name, { shape }]) => ({ group, name, shape })),
  );
  const header = Buffer.from(JSON.stringify({ step: checkpoint.step, list }).padEnd(4)); // padded below to a multiple of 4
  const padded = Buffer.concat([header, Buffer.from(" ".repeat(-header.length & 3))]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(padded.length);
  const parts = list.map(({ group, name }) =>
    Buffer.from((checkpoint[group][name] as Tensor).data.buffer as ArrayBuffer),
  );
  writeFileSync(`${path}.part`, Buffer.concat([length, padded, ...parts]));
  renameSync(`${path}.part`, path);
}

export function loadCheckpoint(path: string): Checkpoint {
  const bytes = new Uint8Array(readFileSync(path));
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const { step, list } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const loaded: Record<string, Record<string, Tensor>> = { weights: {}, first: {}, second: {} };
  let at = 4 + length;
  for (const { group, name, shape } of list) {
    const size = shape.reduce((a: number, b: number) => a * b, 1);
    (loaded[group] as Record<string, Tensor>)[name] = { shape, data: new Float32Array(bytes.buffer, at, size) };
    at += 4 * size;
  }
  return { step, ...loaded } as unknown as Checkpoint;
}

/** Paths of a model's checkpoints, oldest first. */
export function checkpointsOf(folder: string, model: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.startsWith(`${model}-`) && file.endsWith(".checkpoint"));
  return files.sort().map((file) => join(folder, file));
}
