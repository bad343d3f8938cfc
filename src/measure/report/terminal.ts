/**
 * A report as lines of a terminal: one table a budget, aligned, and below it what the numbers are. On a narrow terminal the columns
 * that matter least are left out, and a line says which.
 */
import { findingsOf } from "./findings.ts";
import { budgetText, short, shown } from "./numbers.ts";
import { headOf, notesOf, warningsOf } from "./notes.ts";
import type { Report } from "./report.ts";
import { type Column, columnsOf, verdictOf } from "./table.ts";

/** A piece of a line, with what it means; a program that has colours gives each style its own. */
export interface TerminalSpan {
  readonly text: string;
  readonly style: "plain" | "faint" | "strong" | "right" | "wrong" | "warn";
}

export interface TerminalReportOptions {
  /** Width of the terminal. @default 100 */
  readonly columns?: number;
}

/** The lines without colours. */
export const terminalReport = (report: Report, options: TerminalReportOptions = {}): string =>
  terminalLines(report, options)
    .map(
      (line) =>
        `${line
          .map(({ text }) => text)
          .join("")
          .trimEnd()}\n`,
    )
    .join("");

/** Tables are never wider than `columns`, as long as the method and its accuracy fit; sentences are broken between words. */
export function terminalLines(report: Report, { columns = 100 }: TerminalReportOptions = {}): TerminalSpan[][] {
  const say = (text: string, style: TerminalSpan["style"]): TerminalSpan[][] =>
    wrapped(text, columns).map((row) => [{ text: row, style }]);
  const { shownColumns, leftOut, widths } = laidOut(report, columns);
  const { evaluation, cells, level } = report;
  const row = (
    styleOf: (column: Column) => TerminalSpan["style"],
    textOf: (column: Column) => string,
  ): TerminalSpan[] =>
    shownColumns.map((column, i) => {
      const text = short(textOf(column), widths[i] as number);
      const gap = " ".repeat((widths[i] as number) - lengthOf(text));
      const between = i < shownColumns.length - 1 ? "  " : "";
      return { text: (column.align === "right" ? gap + text : text + gap) + between, style: styleOf(column) };
    });
  const tables = evaluation.budgets.flatMap((budget, index): TerminalSpan[][] => [
    [],
    ...say(budgetText(budget), "strong"),
    row(
      () => "faint",
      ({ name }) => name,
    ),
    ...cells
      .filter((cell) => cell.budget === index)
      .map((cell) => {
        const verdict = verdictOf(cell, level);
        const style = cell.method === report.baseline ? "strong" : "plain";
        return row(
          ({ judged }) => (judged && verdict ? verdictStyles[verdict] : style),
          ({ text }) => text(cell),
        );
      }),
  ]);
  return [
    ...say(shown(evaluation.name), "strong"),
    ...headOf(report).flatMap((line) => say(line, "faint")),
    ...warningsOf(report).flatMap((line) => say(line, "warn")),
    ...tables,
    [],
    ...notesOf(report).flatMap((line) => say(line, "faint")),
    ...findingsOf(report).flatMap((line) => say(line, "plain")),
    ...(leftOut.length > 0 ? say(`No room for: ${leftOut.map(({ name }) => name).join(", ")}.`, "faint") : []),
  ];
}

const verdictStyles = { better: "right", worse: "wrong" } as const;

function laidOut(report: Report, columns: number): { shownColumns: Column[]; leftOut: Column[]; widths: number[] } {
  const leftOut: Column[] = [];
  let shownColumns = columnsOf(report);
  // A long label would cost every other column its place.
  const widest = Math.max(16, Math.floor(columns / 3));
  const widthOf = ({ name, text }: Column, index: number): number => {
    const width = Math.max(lengthOf(name), ...report.cells.map((cell) => lengthOf(text(cell))));
    return index === 0 ? Math.min(width, widest) : width;
  };
  const total = (): number => shownColumns.reduce((sum, column, i) => sum + widthOf(column, i) + 2, -2);
  while (total() > columns) {
    const least = shownColumns.reduce((a, b) => (b.priority >= a.priority ? b : a));
    if (least.priority === 0) break;
    leftOut.unshift(least);
    shownColumns = shownColumns.filter((column) => column !== least);
  }
  const widths = shownColumns.map(widthOf);
  // Nothing else is left to drop: the method's label is cut.
  const excess = widths.reduce((sum, width) => sum + width + 2, -2) - columns;
  if (excess > 0) widths[0] = Math.max(8, (widths[0] as number) - excess);
  return { shownColumns, leftOut, widths };
}

/** In columns, as long as no character is wide. */
const lengthOf = (text: string): number => [...text].length;

/** Broken between words, and within those that no row has room for; rows after the first are indented. */
function wrapped(text: string, columns: number): string[] {
  const rows: string[] = [];
  const most = Math.max(8, columns - 2);
  for (const word of text.split(" ").flatMap((whole) => whole.match(new RegExp(`.{1,${most}}`, "gu")) ?? [""])) {
    const last = rows.at(-1);
    if (last !== undefined && lengthOf(last) + 1 + lengthOf(word) <= columns) rows[rows.length - 1] = `${last} ${word}`;
    else rows.push(rows.length === 0 ? word : `  ${word}`);
  }
  return rows;
}
