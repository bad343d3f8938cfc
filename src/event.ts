/**
 * What happens in a run, as data. The journal keeps these events; resuming, the live view and measuring read them.
 *
 * Replies are recorded by the id of the work they answer, and a work's id is its place in the program. So the recorded
 * replies, fed to a fresh driver in any order, lead to the same state; and two runs with the same key write the same
 * lines, in an order that depends on the weather. `seconds` is the run's clock when the event was recorded.
 */
import type { Budget, Cost, Limit, Spent } from "./budget.ts";
import type { Failure } from "./errors.ts";
import type { Key } from "./key.ts";
import type { Json, Problem } from "./problem.ts";
import type { Score } from "./scorer.ts";

/** Why a run ended. Only `answered` says that the search came to its own end with an answer. */
export type Stopped =
  | { readonly why: "answered" }
  /** A limit cut the search short; the answer, if there is one, is the best found within it. */
  | { readonly why: "budget-spent"; readonly limit: Limit }
  | { readonly why: "aborted" }
  /** Not one sample succeeded; the distinct reasons. */
  | { readonly why: "all-failed"; readonly failures: readonly Failure[] }
  /** The search ended and had no answer to give: nothing finished, or nothing was acceptable. */
  | { readonly why: "no-answer" };

export interface RunStart {
  readonly type: "run-start";
  readonly version: 1;
  readonly search: { readonly name: string; readonly options: Json };
  readonly policy: string;
  readonly scorer: string | null;
  readonly problem: Problem;
  readonly key: Key;
  readonly budget: Budget;
  /** Whatever the caller needs to start the same run again. */
  readonly meta?: Json;
}

/** A later process went on with the journal: written before the first event that it adds. */
export interface RunResume {
  readonly type: "run-resume";
  readonly budget: Budget;
  readonly seconds: number;
}

export interface ExtensionEvent {
  readonly type: "extension";
  readonly id: string;
  readonly parent: string;
  /** The child's state as the policy packs it. */
  readonly step: Json;
  readonly done: boolean;
  /** In nats; null where the model did not tell. */
  readonly logProb: number | null;
  readonly logProposal: number | null;
  readonly length: number;
  readonly cost: Cost;
  readonly seconds: number;
}

export interface ScoreEvent {
  readonly type: "score";
  readonly id: string;
  readonly node: string;
  readonly scorer: string;
  readonly score: Score;
  readonly cost: Cost;
  readonly seconds: number;
}

/** A sample or a score that failed: `node` is the parent of the one, the subject of the other. */
export interface FailureEvent {
  readonly type: "failure";
  readonly id: string;
  readonly node: string;
  readonly failure: Failure;
  readonly cost: Cost;
  readonly seconds: number;
}

/** There is no such child: fewer steps are possible than were asked for. */
export interface AbsentEvent {
  readonly type: "absent";
  readonly id: string;
  readonly node: string;
  readonly cost: Cost;
  readonly seconds: number;
}

/** Not asked, as the budget did not reach. */
export interface DeniedEvent {
  readonly type: "denied";
  readonly id: string;
  readonly node: string;
  readonly limit: Limit;
  readonly seconds: number;
}

/** In flight when the run was stopped: paid for, not there, asked again by a resumed run. */
export interface LostEvent {
  readonly type: "lost";
  readonly id: string;
  readonly cost: Cost;
  readonly seconds: number;
}

export interface RunEnd {
  readonly type: "run-end";
  readonly answer: string | null;
  readonly text: string | null;
  readonly confidence: number | null;
  readonly stopped: Stopped;
  readonly spent: Spent;
}

export type ReplyEvent = ExtensionEvent | ScoreEvent | FailureEvent | AbsentEvent | DeniedEvent;

export type JournalEvent = RunStart | RunResume | ReplyEvent | LostEvent | RunEnd;

/** New text of a sample that is still being written; for views, not kept. */
export interface TextDelta {
  readonly type: "text-delta";
  readonly id: string;
  readonly parent: string;
  readonly delta: string;
}

/** A new best answer so far; for views, not kept: replaying gives it again. */
export interface BestEvent {
  readonly type: "best";
  readonly node: string;
  readonly value: number;
}

export type RunEvent = JournalEvent | TextDelta | BestEvent;

/**
 * Where the events of one run are kept. Appending is synchronous: what was paid for is kept before anything goes on. Whoever
 * opened a journal closes it: `run` never does, and appends nothing once it has ended.
 */
export interface Journal {
  /** The events so far, in order; empty for a new run. */
  read(): Iterable<JournalEvent>;
  append(event: JournalEvent): void;
  close?(): void;
}
