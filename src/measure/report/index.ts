export { htmlReport } from "./html.ts";
export { jsonReport } from "./json.ts";
export { markdownReport } from "./markdown.ts";
export { type ReportOptions, reportOf } from "./report-of.ts";
export {
  type Cell,
  type Confidence,
  type Coverage,
  type CoverageFit,
  type Difference,
  type Evaluated,
  type Frontier,
  type FrontierPoint,
  isMissing,
  type Level,
  type Matched,
  type MeanCost,
  type Missing,
  type Outcomes,
  type Report,
  reportVersion,
  type RunCounts,
} from "./report.ts";
export { type Figure, svgFigures } from "./svg.ts";
export { terminalLines, terminalReport, type TerminalReportOptions, type TerminalSpan } from "./terminal.ts";
