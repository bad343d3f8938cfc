/**
 * What a run tells: its events go into the journal first, then to whoever watches. And what the journal tells a run that
 * resumes: what was paid, how long it took, and the replies by the id of the work they answer.
 */
import type { Account } from "../account.ts";
import type { Reply, Work } from "../driver.ts";
import { unreachable } from "../errors.ts";
import type { Journal, JournalEvent, ReplyEvent, RunEnd, RunEvent, RunStart } from "../event.ts";
import type { Policy } from "../policy.ts";
import type { Json } from "../problem.ts";
import type { Scorer } from "../scorer.ts";
import { shorten } from "./shorten.ts";
import { Watcher } from "./watcher.ts";

/** Who answers a piece of work. */
export interface Answerer<S> {
  readonly policy: Policy<S>;
  readonly scorer: Scorer<S> | undefined;
}

export class Recording {
  readonly #journal: Journal;
  readonly #start: RunStart;
  readonly #clock: () => number;
  readonly #startedAt: number;
  #secondsBefore = 0;
  readonly #replies = new Map<string, ReplyEvent>();
  readonly #watchers = new Set<Watcher>();
  /** The journal of an earlier process is taken over, and nothing has been added yet: its last event. */
  #last: JournalEvent | undefined;
  #closed: { readonly error?: unknown } | undefined;

  constructor(journal: Journal, start: RunStart, clock: () => number) {
    this.#journal = journal;
    this.#start = start;
    this.#clock = clock;
    this.#startedAt = clock();
  }

  /** To the microsecond, so that a journal shows no more digits than the clock has. */
  get seconds(): number {
    return Math.round((this.#secondsBefore + this.#clock() - this.#startedAt) * 1e6) / 1e6;
  }

  /** Begins the journal; or takes over what it has, and charges what that cost. */
  begin(account: Account): void {
    const events = [...this.#journal.read()];
    if (events.length === 0) this.append(this.#start);
    else this.#resume(events, account);
  }

  /** A denial holds only under the budget that it was made under. */
  #resume(events: readonly JournalEvent[], account: Account): void {
    const [start] = events;
    if (start?.type !== "run-start")
      throw new Error("Cannot resume as the journal does not begin with the start of a run");
    for (const what of ["search", "policy", "scorer", "problem", "key"] as const)
      if (JSON.stringify(start[what]) !== JSON.stringify(this.#start[what]))
        throw new Error(
          `Cannot resume as the journal is of another run: its ${what} is ${shorten(start[what])}, not ${shorten(this.#start[what])}`,
        );
    let budget = start.budget;
    for (const event of events) {
      if (event.type === "run-resume") budget = event.budget;
      if ("cost" in event) account.charge(event.cost);
      if ("seconds" in event) this.#secondsBefore = Math.max(this.#secondsBefore, event.seconds);
      if ("id" in event && event.type !== "lost") this.#replies.set(event.id, event);
    }
    if (JSON.stringify(budget) !== JSON.stringify(this.#start.budget))
      for (const [id, event] of this.#replies) if (event.type === "denied") this.#replies.delete(id);
    this.#last = events.at(-1);
  }

  /** The recorded reply, once. One of the same place to another question comes from a run that went another way: under another budget, say. */
  recall<S>(work: Work<S>, { policy, scorer }: Answerer<S>): Reply<S> | undefined {
    const event = this.#replies.get(work.id);
    if (!event || (event.type === "extension" ? event.parent : event.node) !== work.node.id) return undefined;
    if (event.type === "extension" && work.type !== "extend") return undefined;
    if (event.type === "score" && (work.type !== "score" || event.scorer !== scorer?.name)) return undefined;
    this.#replies.delete(work.id);
    return replyOf(event, work, policy);
  }

  /** Into the journal, then to the watchers. That an earlier run was resumed is written with the first thing that is new. */
  append(event: JournalEvent): void {
    if (this.#last) {
      this.#last = undefined;
      this.append({ type: "run-resume", budget: this.#start.budget, seconds: this.seconds });
    }
    this.#journal.append(event);
    this.emit(event);
  }

  /** The end, to the watchers alone if the journal ends with it already. */
  end(event: RunEnd): void {
    if (this.#last?.type === "run-end" && isSameEnd(this.#last, event)) this.emit(event);
    else this.append(event);
  }

  /** To the watchers alone. */
  emit(event: RunEvent): void {
    for (const watcher of this.#watchers) watcher.push(event);
  }

  /** One who comes too late learns only that it has ended. */
  watch(): Watcher {
    const watcher = new Watcher(() => this.#watchers.delete(watcher));
    if (this.#closed) watcher.end(this.#closed);
    else this.#watchers.add(watcher);
    return watcher;
  }

  /** Nothing more comes, as the run has ended, or because of an error. */
  close(ended: { readonly error?: unknown } = {}): void {
    this.#closed = ended;
    for (const watcher of this.#watchers) watcher.end(ended);
  }
}

/** Looking at an ended run again takes time, and is no news. */
function isSameEnd(a: RunEnd, b: RunEnd): boolean {
  const timeless = (end: RunEnd) => JSON.stringify({ ...end, spent: { ...end.spent, seconds: 0 } });
  return timeless(a) === timeless(b);
}

type Unpaid<E> = E extends unknown ? Omit<E, "cost" | "seconds"> : never;

/** A reply as the journal keeps it, but for cost and time. */
export function recordOf<S>(
  reply: Reply<S>,
  { id, node }: Work<S>,
  { policy, scorer }: Answerer<S>,
): Unpaid<ReplyEvent> {
  switch (reply.type) {
    case "extension": {
      const { state, done, logProb, logProposal, length } = reply.extension;
      const step = (policy.pack ? policy.pack(state, node.state) : state) as Json;
      return {
        type: "extension",
        id,
        parent: node.id,
        step,
        done,
        logProb: finiteOrNull(logProb),
        logProposal: finiteOrNull(logProposal),
        length,
      };
    }
    case "score":
      return { type: "score", id, node: node.id, scorer: scorer?.name ?? "", score: reply.score };
    case "failure":
      return { type: "failure", id, node: node.id, failure: reply.failure };
    case "absent":
      return { type: "absent", id, node: node.id };
    case "denied":
      return { type: "denied", id, node: node.id, limit: reply.limit };
    default:
      return unreachable(reply);
  }
}

/** What is recorded, as a reply again. */
export function replyOf<S>(event: ReplyEvent, { node }: Work<S>, policy: Policy<S>): Reply<S> {
  switch (event.type) {
    case "extension": {
      const state = policy.unpack ? policy.unpack(event.step, node.state) : (event.step as S);
      const { done, length, cost } = event;
      const logProb = event.logProb ?? Number.NaN;
      const logProposal = event.logProposal ?? Number.NaN;
      return { type: "extension", extension: { state, done, logProb, logProposal, length, cost } };
    }
    case "score":
      return { type: "score", score: event.score };
    case "failure":
      return { type: "failure", failure: event.failure };
    case "absent":
      return { type: "absent" };
    case "denied":
      return { type: "denied", limit: event.limit };
    default:
      return unreachable(event);
  }
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
