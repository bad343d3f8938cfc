/**
 * The last grid of digits in an answer: rows one a line, cells with or without spaces, commas or bars between them, in brackets or
 * not; or JSON such as `[[1, 0], [0, 1]]`, on one line or many. Rows of unequal length are no grid.
 */

import { ownPart } from "./statement.ts";

/** Rows as `1 0`, one a line. Undefined where there is none. */
export function gridIn(answer: string): string | undefined {
  const text = ownPart(answer).replace(/\[\s+(?=\[)/g, "[");
  const lines = text.split("\n");
  let end = lines.length;
  while (end > 0 && !isRow(lines[end - 1] as string)) end--;
  let start = end;
  while (start > 0 && isRow(lines[start - 1] as string)) start--;
  const json = jsonIn(text);
  const isJsonLast = json && json.end >= lines.slice(0, start).join("\n").length;
  if (json && (isJsonLast || end === 0)) return json.grid;
  return ofRows(lines.slice(start, end).map((line) => line.match(/\d/g) ?? []));
}

const isRow = (line: string): boolean => /^[\s[|]*\d(?:[ \t,|]{0,3}\d)*[\s\]|,]*$/.test(line);

/** The last one; `end` is where it ends in the text. */
function jsonIn(text: string): { readonly end: number; readonly grid: string | undefined } | undefined {
  const start = text.lastIndexOf("[[");
  if (start < 0) return undefined;
  const close = /\]\s*\]/.exec(text.slice(start));
  if (!close) return { end: start, grid: undefined };
  const inner = text.slice(start + 2, start + close.index);
  const rows = inner.split("]").map((row) => row.match(/\d+/g) ?? []);
  return { end: start + close.index, grid: /^[\d\s,[\]]*$/.test(inner) ? ofRows(rows) : undefined };
}

function ofRows(rows: readonly (readonly string[])[]): string | undefined {
  const width = rows[0]?.length ?? 0;
  const isGrid = width > 0 && rows.every((row) => row.length === width && row.every((cell) => cell.length === 1));
  return isGrid ? rows.map((row) => row.join(" ")).join("\n") : undefined;
}
