/** An evaluation's report: to the terminal, and into the files that were asked for. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CandidateRecord, EvaluationRecord } from "../record.ts";
import type { Store } from "../runs/store/index.ts";
import { type CliContext, usesColor } from "./context.ts";
import { checkWritable } from "./settings.ts";
import { span, writer } from "./terminal.ts";

export interface ReportFlags {
  readonly report?: string;
  readonly markdown?: string;
  readonly json?: string;
  readonly svg?: string;
}

export function checkReportFlags(flags: ReportFlags): void {
  for (const path of [flags.report, flags.markdown, flags.json]) if (path !== undefined) checkWritable(path);
  if (flags.svg !== undefined) checkWritable(flags.svg, "folder");
}

export async function writeReports(
  { process }: CliContext,
  store: Store,
  { record, flags, quiet }: { readonly record: EvaluationRecord; readonly flags: ReportFlags; readonly quiet: boolean },
): Promise<void> {
  const { htmlReport, jsonReport, markdownReport, reportOf, svgFigures, terminalLines } = await import(
    "../measure/report/index.ts"
  );
  const runs = await store.runs({ evaluation: record.id });
  const candidates: CandidateRecord[] = [];
  for await (const candidate of store.candidates({ evaluation: record.id })) candidates.push(candidate);
  const report = reportOf(record, runs, candidates);
  const { stdout, env } = process;
  if (!quiet) {
    const say = writer(stdout, usesColor(stdout, env));
    for (const line of terminalLines(report, { columns: stdout.columns ?? 100 }))
      say(...line.map(({ text, style }) => span(text, style)));
  }
  if (flags.markdown !== undefined) writeFileSync(flags.markdown, markdownReport(report));
  if (flags.json !== undefined) writeFileSync(flags.json, jsonReport(report));
  if (flags.report !== undefined) writeFileSync(flags.report, await htmlReport(report));
  if (flags.svg !== undefined) {
    mkdirSync(flags.svg, { recursive: true });
    for (const { name, svg } of await svgFigures(report)) writeFileSync(join(flags.svg, `${name}.svg`), svg);
  }
}
