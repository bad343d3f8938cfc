/** Files as records: JSON Lines, JSON or CSV, told apart by their first characters; compressed with gzip or not. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseCsv } from "./csv.ts";

/** One line, one element of an array, or one whole file. */
export interface FileRecord {
  /** For messages: `test.jsonl, line 12`. */
  readonly place: string;
  /** Line or element, from 1 on. */
  readonly number: number;
  /** Name of the file without its endings. */
  readonly file: string;
  /** An object out of JSON, the fields of a CSV row, or whatever else JSON holds. */
  readonly value: unknown;
}

/**
 * All records of a file, or of the files that end in `.json` in a folder, by name. @throws SyntaxError with file and line where
 * one cannot be read; errors of the file system as they are
 */
export async function readRecords(path: string): Promise<FileRecord[]> {
  if (!(await stat(path)).isDirectory()) return recordsOf(await readFile(path), path);
  const names = (await readdir(path)).filter((name) => /\.json(\.gz)?$/.test(name)).sort();
  if (names.length === 0)
    throw new SyntaxError(`Cannot read problems from the folder ${path} as it has no .json files`);
  const files: FileRecord[] = [];
  for (const name of names) files.push(...recordsOf(await readFile(join(path, name)), join(path, name)));
  return files;
}

/** Name of a file without its endings. */
export const bareName = (path: string): string => basename(path).replace(/(\.(jsonl|ndjson|json|csv|txt|gz))+$/i, "");

function recordsOf(bytes: Uint8Array, path: string): FileRecord[] {
  const text = decoded(unpacked(bytes, path), path);
  const opening = /\S/.exec(text)?.[0];
  if (opening === undefined) throw new SyntaxError(`Cannot read problems from ${path} as it is empty`);
  const file = bareName(path);
  const record = (unit: "line" | "element", number: number, value: unknown): FileRecord => ({
    place: `${path}, ${unit} ${number}`,
    number,
    file,
    value,
  });
  if (opening !== "{" && opening !== "[")
    return rowsOf(text, path).map(({ line, fields }) => record("line", line, fields));
  const whole = parsed(text);
  if ("why" in whole) return linesOf(text, path, whole.why).map(({ line, value }) => record("line", line, value));
  if (Array.isArray(whole.value)) return whole.value.map((value, i) => record("element", i + 1, value));
  return [record("line", 1, whole.value)];
}

/** Where not even the first line is JSON, the text was meant as a whole, and why it is none is the better message. */
function linesOf(
  text: string,
  path: string,
  whyNotWhole: string,
): { readonly line: number; readonly value: unknown }[] {
  const rows: { line: number; value: unknown }[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = parsed(line);
    if ("value" in read) rows.push({ line: i + 1, value: read.value });
    else if (rows.length === 0) throw new SyntaxError(`Cannot read ${path} as JSON: ${whyNotWhole}`);
    else throw new SyntaxError(`Cannot read ${path}, line ${i + 1} as JSON: ${read.why}`);
  }
  return rows;
}

function unpacked(bytes: Uint8Array, path: string): Uint8Array {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new SyntaxError(`Cannot read ${path} as gzip: ${(error as Error).message}`, { cause: error });
  }
}

function decoded(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes); // drops a byte order mark
  } catch (error) {
    throw new SyntaxError(`Cannot read ${path} as it is not text in UTF-8`, { cause: error });
  }
}

function rowsOf(text: string, path: string) {
  try {
    return parseCsv(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read ${path} as CSV: ${(error as Error).message}`, { cause: error });
  }
}

function parsed(text: string): { readonly value: unknown } | { readonly why: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { why: (error as Error).message };
  }
}
