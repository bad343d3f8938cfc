/**
 * Measures units side by side, in worker threads, and keeps their rows.
 *
 * With a folder every row is appended to its measurement's file as soon as it is there, so that a run that was stopped goes on
 * where it was. Rows belong to the program that made them: after a change of it, give another folder.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Measurement, Rows } from "./phenomenon.ts";

export interface MeasureOptions {
  readonly quick: boolean;
  /** Worker threads; 0 measures in this one. */
  readonly threads: number;
  /** Where rows are kept; absent: nowhere. */
  readonly folder?: string | undefined;
  readonly onProgress?: (done: number, all: number, name: string) => void;
}

/** What a worker is asked, and what it answers. */
export interface Task {
  readonly measurement: string;
  readonly unit: number;
}
export type Reply = Task & { readonly row: unknown };

export async function measure(
  measurements: readonly Measurement[],
  { quick, threads, folder, onProgress }: MeasureOptions,
): Promise<Rows> {
  const kept = new Map(measurements.map((one) => [one.name, new Map<number, unknown>()]));
  const fileOf = (name: string): string => join(folder ?? "", `${name}.jsonl`);
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    for (const { name } of measurements)
      for (const { unit, row } of rowsIn(fileOf(name))) kept.get(name)?.set(unit, row);
  }
  const open: Task[] = measurements.flatMap(({ name, units }) =>
    Array.from({ length: quick ? units.quick : units.full }, (_, unit) => ({ measurement: name, unit })).filter(
      ({ unit }) => !kept.get(name)?.has(unit),
    ),
  );
  const all = open.length;
  let done = 0;
  const keep = ({ measurement, unit, row }: Reply): void => {
    kept.get(measurement)?.set(unit, row);
    if (folder !== undefined) appendFileSync(fileOf(measurement), `${JSON.stringify({ unit, row })}\n`);
    onProgress?.(++done, all, measurement);
  };

  if (threads === 0)
    for (const task of open) {
      const row = await measurements.find(({ name }) => name === task.measurement)?.measure(task.unit);
      keep({ ...task, row: JSON.parse(JSON.stringify(row)) });
    }
  else {
    const next = open.values();
    await Promise.all(Array.from({ length: Math.min(threads, all) }, () => spend(next, keep)));
  }

  return <Row>(of: Measurement<Row>) =>
    Array.from({ length: quick ? of.units.quick : of.units.full }, (_, unit) => kept.get(of.name)?.get(unit) as Row);
}

/** One worker, until no tasks are left. */
function spend(tasks: Iterator<Task>, keep: (reply: Reply) => void): Promise<void> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url));
  return new Promise<void>((resolve, reject) => {
    const give = (): void => {
      const { value, done } = tasks.next();
      if (done === true) resolve();
      else worker.postMessage(value); // oxlint-disable-line unicorn/require-post-message-target-origin -- a thread, not a window
    };
    worker.on("error", reject);
    worker.on("message", (reply: Reply) => {
      keep(reply);
      give();
    });
    give();
  }).finally(() => worker.terminate());
}

/** A last line that was cut short is left out. */
function rowsIn(file: string): { readonly unit: number; readonly row: unknown }[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as { unit: number; row: unknown }];
      } catch {
        return [];
      }
    });
}
