/** `ponderosa export`: an evaluation as files for other programs. */
import { exportStore } from "../runs/store/index.ts";
import type { CliContext } from "./context.ts";
import { UsageError } from "./report.ts";
import { checkWritable } from "./settings.ts";
import { evaluationNamed, openKept } from "./stores.ts";

export interface ExportFlags {
  readonly format?: string;
  readonly out?: string;
  readonly name?: string;
}

export async function exportRuns(
  this: CliContext,
  { format = "jsonl", out, name }: ExportFlags,
  path: string,
): Promise<void> {
  if (format !== "jsonl" && format !== "csv")
    throw new UsageError(`Cannot use ${JSON.stringify(format)} as --format: it must be jsonl or csv`);
  if (out === undefined)
    throw new UsageError(`Cannot export without a place: give --out ${format === "csv" ? "folder" : "runs.jsonl"}`);
  checkWritable(out, format === "csv" ? "folder" : "file");
  await using store = await openKept(path);
  const { id } = await evaluationNamed(store, name, path);
  for (const file of await exportStore(store, id, { format, to: out })) this.process.stdout.write(`${file}\n`);
}
