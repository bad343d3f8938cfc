import type { Report } from "./report.ts";

/** The report itself, for programs: `JSON.parse` gives it back. A figure that is not defined has `why` in the place of `value`. */
export const jsonReport = (report: Report): string => `${JSON.stringify(report, undefined, 2)}\n`;
