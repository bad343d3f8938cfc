/**
 * Where evaluations are kept: records, candidates, journals, and the ledger of paid calls. One schema and one SQL text on an
 * embedded database (a file) and on PostgreSQL (a URL).
 */
import type { JournalEvent } from "../../event.ts";
import type { Ledger } from "../../ledger.ts";
import type { CandidateRecord, EvaluationRecord, RunRecord } from "../../record.ts";

/** A run with all that is kept of it; saved whole or not at all. */
export interface FinishedRun {
  readonly record: RunRecord;
  readonly candidates: readonly CandidateRecord[];
  /** Its journal, where it is to be kept. */
  readonly events?: readonly JournalEvent[];
}

export interface RunQuery {
  readonly evaluation: string;
  readonly method?: string;
  readonly budget?: number;
  readonly problem?: string;
}

export interface Store extends AsyncDisposable {
  readonly ledger: Ledger;
  /** Begins an evaluation, or finds it begun. @throws Error where one of this id was begun with another configuration */
  begin(evaluation: EvaluationRecord): Promise<void>;
  finish(evaluation: string, finishedAt: number): Promise<void>;
  /** Newest first. */
  evaluations(): Promise<readonly EvaluationRecord[]>;
  evaluation(id: string): Promise<EvaluationRecord | undefined>;
  /** Several in one transaction. A run that is there already stays as it is. */
  save(runs: readonly FinishedRun[]): Promise<void>;
  /** Takes runs out with all that is kept of them, so that they can be run again. Ids that are not there are passed over. */
  discard(runs: readonly string[]): Promise<void>;
  /** Ids of the runs that are there. */
  finished(evaluation: string): Promise<ReadonlySet<string>>;
  runs(query: RunQuery): Promise<readonly RunRecord[]>;
  /** In the order of runs and nodes. */
  candidates(query: RunQuery): AsyncIterable<CandidateRecord>;
  events(run: string): Promise<readonly JournalEvent[]>;
  close(): Promise<void>;
}
