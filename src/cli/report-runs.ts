/** `ponderosa report`: the report of an evaluation again, from what is kept of it. */
import type { CliContext } from "./context.ts";
import { checkReportFlags, type ReportFlags, writeReports } from "./eval-reports.ts";
import { evaluationNamed, openKept } from "./stores.ts";

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
