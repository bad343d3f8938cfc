/** Records as rows, and back. Texts that people read are columns of text; what has parts is JSON. */
import type { Budget, Cost } from "../../budget.ts";
import type { Failure, FailureCode } from "../../errors.ts";
import type { Stopped } from "../../event.ts";
import type { Json, Problem } from "../../problem.ts";
import type { AskedProblem, CandidateRecord, EvaluationRecord, RunRecord } from "../../record.ts";
import { packText, type Row, type SqlValue, unpackText } from "./database.ts";

export const evaluationColumns =
  "id, name, task, model, parameters, methods, budgets, seeds, config, versions, revision, started_at, finished_at";

export const evaluationRow = (record: EvaluationRecord): SqlValue[] => [
  packText(record.id),
  packText(record.name),
  packText(record.task),
  packText(record.model),
  record.parameters,
  JSON.stringify(record.methods),
  JSON.stringify(record.budgets),
  record.seeds,
  JSON.stringify(record.config),
  JSON.stringify(record.versions),
  packed(record.revision),
  record.startedAt,
  record.finishedAt,
];

export const evaluationRecord = (row: Row, problems: readonly AskedProblem[]): EvaluationRecord => ({
  id: text(row, "id"),
  name: text(row, "name"),
  task: text(row, "task"),
  model: text(row, "model"),
  parameters: orNull(row, "parameters"),
  methods: json<readonly string[]>(row, "methods"),
  budgets: json<readonly Budget[]>(row, "budgets"),
  problems,
  seeds: number(row, "seeds"),
  config: json<Json>(row, "config"),
  versions: json<Record<string, string>>(row, "versions"),
  revision: textOrNull(row, "revision"),
  startedAt: number(row, "started_at"),
  finishedAt: orNull(row, "finished_at"),
});

export const problemRow = ({ problem, level, cluster }: AskedProblem): SqlValue[] => [
  packText(problem.id),
  packed(level),
  packed(cluster),
  JSON.stringify(problem),
];

export const problemOf = (row: Row): AskedProblem => ({
  problem: json<Problem>(row, "problem"),
  level: textOrNull(row, "level"),
  cluster: textOrNull(row, "cluster"),
});

const costColumns = ["tokens", "prompt_tokens", "cached_tokens", "calls", "nanodollars"] as const;
/** Names of the five columns of a cost. */
export const costNames = (prefix = ""): string => costColumns.map((name) => prefix + name).join(", ");

export const costRow = (cost: Cost): number[] => [
  cost.tokens,
  cost.promptTokens,
  cost.cachedTokens,
  cost.calls,
  cost.nanodollars,
];

export const costOf = (row: Row, prefix = ""): Cost => ({
  tokens: number(row, `${prefix}tokens`),
  promptTokens: number(row, `${prefix}prompt_tokens`),
  cachedTokens: number(row, `${prefix}cached_tokens`),
  calls: number(row, `${prefix}calls`),
  nanodollars: number(row, `${prefix}nanodollars`),
});

export const runColumns: string = `id, method, budget, problem, seed, answer, canonical, correct, abstained, confidence, stopped, stopped_limit, stopped_failures, ${costNames()}, seconds, ${costNames("paid_")}, failed_samples, failed_scores, denied, failure_code, failure_message`;

export const runRow = (record: RunRecord): SqlValue[] => [
  packText(record.id),
  packText(record.method),
  record.budget,
  packText(record.problem),
  record.seed,
  packed(record.answer),
  packed(record.canonical),
  flag(record.correct),
  Number(record.abstained),
  record.confidence,
  record.stopped.why,
  record.stopped.why === "budget-spent" ? record.stopped.limit : null,
  record.stopped.why === "all-failed" ? JSON.stringify(record.stopped.failures) : null,
  ...costRow(record.spent),
  record.spent.seconds,
  ...costRow(record.paid),
  record.failedSamples,
  record.failedScores,
  record.denied,
  record.failure?.code ?? null,
  packed(record.failure?.message ?? null),
];

export const runOf = (row: Row, evaluation: string): RunRecord => ({
  id: text(row, "id"),
  evaluation,
  method: text(row, "method"),
  budget: number(row, "budget"),
  problem: text(row, "problem"),
  seed: number(row, "seed"),
  answer: textOrNull(row, "answer"),
  canonical: textOrNull(row, "canonical"),
  correct: truth(row["correct"]),
  abstained: row["abstained"] === 1,
  confidence: orNull(row, "confidence"),
  stopped: stoppedOf(row),
  spent: { ...costOf(row), seconds: number(row, "seconds") },
  paid: costOf(row, "paid_"),
  failedSamples: number(row, "failed_samples"),
  failedScores: number(row, "failed_scores"),
  denied: number(row, "denied"),
  failure:
    row["failure_code"] === null
      ? null
      : { code: row["failure_code"] as FailureCode, message: text(row, "failure_message") },
});

function stoppedOf(row: Row): Stopped {
  const why = row["stopped"] as Stopped["why"];
  if (why === "budget-spent") return { why, limit: row["stopped_limit"] as keyof Budget };
  if (why === "all-failed") return { why, failures: json<readonly Failure[]>(row, "stopped_failures") };
  return { why };
}

export const candidateColumns = "node, text, canonical, correct, log_prob, length";

export const candidateRow = (record: CandidateRecord): SqlValue[] => [
  packText(record.node),
  packText(record.text),
  packed(record.canonical),
  flag(record.correct),
  record.logProb,
  record.length,
];

export const candidateOf = (row: Row, run: string, scores: Readonly<Record<string, number>>): CandidateRecord => ({
  run,
  node: text(row, "node"),
  text: text(row, "text"),
  canonical: textOrNull(row, "canonical"),
  correct: truth(row["correct"]),
  logProb: orNull(row, "log_prob"),
  length: number(row, "length"),
  scores,
});

const packed = (value: string | null): string | null => (value === null ? null : packText(value));
const flag = (value: boolean | null): number | null => (value === null ? null : Number(value));
const truth = (value: SqlValue | undefined): boolean | null => (value === null ? null : value === 1);

/** A column that is never null. */
const number = (row: Row, name: string): number => row[name] as number;
const text = (row: Row, name: string): string => unpackText(row[name] as string);
const orNull = (row: Row, name: string): number | null => row[name] as number | null;
const json = <T>(row: Row, name: string): T => JSON.parse(row[name] as string) as T;
const textOrNull = (row: Row, name: string): string | null => (row[name] === null ? null : text(row, name));
