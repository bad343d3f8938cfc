/** `ponderosa report`: the report of an evaluation again, from what is kept of it. */
import { existsSync } from "node:fs";
import { openStore, type SqlStore } from "../runs/store/index.ts";
import type { CliContext } from "./context.ts";
import { checkReportFlags, evaluationNamed, type ReportFlags, writeReports } from "./eval-reports.ts";
import { readText } from "./question.ts";

export interface ReportRunsFlags extends ReportFlags {
  readonly name?: string;
  readonly quiet?: boolean;
}

export async function reportRuns(this: CliContext, flags: ReportRunsFlags, path: string): Promise<void> {
  checkReportFlags(flags);
  await using store = await openKept(path);
  const record = await evaluationNamed(store, flags.name, path);
  await writeReports(this, store, { record, flags, quiet: flags.quiet ?? false });
}

/** A store that is there. @throws UsageError */
export async function openKept(path: string): Promise<SqlStore> {
  if (!/^postgres(ql)?:/.test(path) && !existsSync(path)) readText(path); // says what is wrong
  return openStore(path);
}
