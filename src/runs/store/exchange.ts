/**
 * An evaluation in files. JSON Lines hold all that is kept and can be imported anywhere; CSV (RFC 4180) is two tables for
 * programs that read tables. Both are streamed: memory does not grow with the number of candidates.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { LedgerEntry } from "../../ledger.ts";
import type { CandidateRecord, EvaluationRecord } from "../../record.ts";
import { packText, unpackText } from "./database.ts";
import type { SqlStore } from "./sql-store.ts";
import type { FinishedRun } from "./store.ts";

export interface ExportOptions {
  readonly format: "jsonl" | "csv";
  /** The file that is written; for `csv` a folder, which is made. What was there is replaced. */
  readonly to: string;
  /** With the ledger of the whole store, whose entries belong to no evaluation; `jsonl` alone. @default false */
  readonly calls?: boolean;
}

/** A line of the file: the evaluation first, then its runs, then calls. */
type Line =
  | { readonly type: "evaluation"; readonly version: 1; readonly evaluation: EvaluationRecord }
  | { readonly type: "run"; readonly run: FinishedRun }
  | { readonly type: "call"; readonly call: LedgerEntry };

/** Runs, and calls, that are imported in one transaction. */
const batchSize = 256;

/** @returns the files that were written. @throws RangeError where there is no such evaluation */
export async function exportStore(
  store: SqlStore,
  evaluation: string,
  { format, to, calls = false }: ExportOptions,
): Promise<readonly string[]> {
  const record = await store.evaluation(evaluation);
  if (!record) throw new RangeError(`Cannot export evaluation '${evaluation}' as the store has none of this name`);
  if (format === "jsonl") return [await writeLines(to, jsonLines(store, record, calls))];
  await mkdir(to, { recursive: true });
  return [
    await writeLines(join(to, "runs.csv"), runTable(store, record)),
    await writeLines(join(to, "candidates.csv"), candidateTable(store, record)),
  ];
}

/** Reads a file that `exportStore` wrote as `jsonl`. What is there already stays as it is. @returns the evaluation's id */
export async function importStore(store: SqlStore, path: string): Promise<string> {
  let evaluation: EvaluationRecord | undefined;
  let runs: FinishedRun[] = [];
  let calls: LedgerEntry[] = [];
  const save = async (): Promise<void> => {
    await store.save(runs);
    await store.ledger.record(calls);
    [runs, calls] = [[], []];
  };
  let number = 0;
  for await (const text of linesOf(path)) {
    const line = parseLine(text, ++number, path);
    if (line.type === "evaluation") {
      if (line.version !== 1)
        throw new Error(`Cannot import '${path}' as it has version ${line.version}: this program reads version 1`);
      ({ evaluation } = line);
      await store.begin({ ...evaluation, finishedAt: null }); // not before its runs are there
    } else if (line.type === "run") runs.push(line.run);
    else if (line.type === "call") calls.push(line.call);
    else throw new Error(`Cannot import '${path}' as line ${number} is neither an evaluation nor a run or a call`);
    if (runs.length + calls.length >= batchSize) await save();
  }
  await save();
  if (!evaluation) throw new Error(`Cannot import '${path}' as there is no evaluation in it`);
  if (evaluation.finishedAt !== null) await store.finish(evaluation.id, evaluation.finishedAt);
  return evaluation.id;
}

async function* jsonLines(store: SqlStore, evaluation: EvaluationRecord, calls: boolean): AsyncGenerator<string> {
  const textOf = (line: Line): string => `${JSON.stringify(line)}\n`;
  yield textOf({ type: "evaluation", version: 1, evaluation });
  for await (const run of finishedRuns(store, evaluation.id)) yield textOf({ type: "run", run });
  if (calls) for await (const call of store.ledger.entries()) yield textOf({ type: "call", call });
}

/** Runs with their candidates: both come in the order of runs. Others may save runs meanwhile; those are left out. */
async function* finishedRuns(store: SqlStore, evaluation: string): AsyncGenerator<FinishedRun> {
  const finished = await store.finished(evaluation);
  const candidates = among(finished, store.candidates({ evaluation }), ({ run }) => run);
  let next = await candidates.next();
  for await (const record of among(finished, store.eachRun({ evaluation }), ({ id }) => id)) {
    const own: CandidateRecord[] = [];
    for (; !next.done && next.value.run === record.id; next = await candidates.next()) own.push(next.value);
    const events = await store.events(record.id);
    yield { record, candidates: own, ...(events.length > 0 && { events }) };
  }
  if (!next.done)
    throw new Error(`Cannot export evaluation '${evaluation}' as run '${next.value.run}' was discarded meanwhile`);
}

async function* among<T>(
  ids: ReadonlySet<string>,
  values: AsyncIterable<T>,
  idOf: (value: T) => string,
): AsyncGenerator<T> {
  for await (const value of values) if (ids.has(idOf(value))) yield value;
}

async function* runTable(store: SqlStore, { id, budgets }: EvaluationRecord): AsyncGenerator<string> {
  const costs = ["tokens", "promptTokens", "cachedTokens", "calls", "nanodollars"] as const;
  // biome-ignore format: the order of the columns
  yield csvLine([
    "run", "method", "budget", "problem", "seed", "answer", "canonical", "correct", "abstained", "confidence", "stopped",
    ...costs, "seconds", ...costs.map((name) => `paid.${name}`),
    "failedSamples", "failedScores", "denied", "failure",
  ]);
  for await (const run of store.eachRun({ evaluation: id }))
    // biome-ignore format: the order of the columns
    yield csvLine([
      run.id, run.method, JSON.stringify(budgets[run.budget] ?? {}), run.problem, run.seed, run.answer, run.canonical,
      run.correct, run.abstained, run.confidence, run.stopped.why,
      ...costs.map((name) => run.spent[name]), run.spent.seconds, ...costs.map((name) => run.paid[name]),
      run.failedSamples, run.failedScores, run.denied, run.failure && run.failure.message,
    ]);
}

async function* candidateTable(store: SqlStore, { id }: EvaluationRecord): AsyncGenerator<string> {
  const rows = await store.database.query(
    "select distinct s.scorer from scores s join runs r on r.number = s.run join evaluations e on e.number = r.evaluation where e.id = $1 order by s.scorer",
    [packText(id)],
  );
  const scorers = rows.map((row) => unpackText(row["scorer"] as string));
  const columns = ["run", "node", "text", "canonical", "correct", "logProb", "length"] as const;
  yield csvLine([...columns, ...scorers.map((name) => `score.${name}`)]);
  for await (const candidate of store.candidates({ evaluation: id }))
    yield csvLine([
      ...columns.map((name) => candidate[name]),
      ...scorers.map((name) => (Object.hasOwn(candidate.scores, name) ? (candidate.scores[name] as number) : null)),
    ]);
}

/** Null is an empty field, an empty text a quoted one. */
const csvLine = (fields: readonly (string | number | boolean | null)[]): string =>
  `${fields.map(csvField).join(",")}\r\n`;

const csvField = (value: string | number | boolean | null): string =>
  typeof value === "string" && (value === "" || /[",\r\n]/.test(value))
    ? `"${value.replaceAll('"', '""')}"`
    : String(value ?? "");

/** Whole or not at all. */
async function writeLines(path: string, lines: AsyncIterable<string>): Promise<string> {
  const partial = `${path}.partial`;
  try {
    await pipeline(Readable.from(lines), createWriteStream(partial));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return path;
}

/** By line feeds alone: JSON may hold the other characters that are taken for ends of lines. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 2 ** 20 })) {
    const lines = (rest + (chunk as string)).split("\n");
    rest = lines.pop() as string;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

function parseLine(text: string, number: number, path: string): Line {
  try {
    const line = JSON.parse(text) as Line | null;
    return typeof line === "object" && line ? line : ({} as Line);
  } catch (error) {
    throw new Error(`Cannot import '${path}' as line ${number} is no JSON`, { cause: error });
  }
}
