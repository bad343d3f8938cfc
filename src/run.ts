/**
 * The one loop with I/O: ask the driver, have policies and scorers answer, tell the driver; under budget, signal, journal.
 *
 *     for await (const event of run(bestOfN({ n: 8 }), problem, { policy, scorer, seed: 7 })) …   // watch it
 *     const { answer } = await run(bestOfN({ n: 8 }), problem, { policy, scorer, seed: 7 });      // or wait for it
 *
 * Nothing that was paid for is paid twice: every reply is in the journal before the search sees it, and a run over a
 * journal that has events begins by answering from it. Budget: the worst case of a call is reserved before it is made,
 * what it really cost is settled after; a call that ends without saying what it used is charged its worst case, as the
 * budget is a hard limit. What cannot be afforded waits for calls in flight to settle, and is denied when none are left.
 */
import { Account } from "./account.ts";
import type { Budget, Cost, Spent } from "./budget.ts";
import { noCost } from "./budget.ts";
import type { Driver, ExtendWork, Proposal, Reply, ScoreWork, Work } from "./driver.ts";
import { driver } from "./driver.ts";
import type { Failure } from "./errors.ts";
import { unreachable } from "./errors.ts";
import type { Journal, ReplyEvent, RunEvent, RunStart, Stopped } from "./event.ts";
import type { Key } from "./key.ts";
import { key } from "./key.ts";
import type { Node } from "./node.ts";
import type { Policy, PolicyPart } from "./policy.ts";
import type { Json, Problem } from "./problem.ts";
import { draw, judge } from "./run/calls.ts";
import type { Flight } from "./run/flights.ts";
import { Flights } from "./run/flights.ts";
import type { Answerer } from "./run/recording.ts";
import { Recording, recordOf } from "./run/recording.ts";
import { graceMs, longestTimerMs } from "./run/until.ts";
import type { Afforded, Group } from "./run/waiting.ts";
import { checkPositive, Waiting } from "./run/waiting.ts";
import { memoryJournal } from "./runs/memory.ts";
import type { ScoreContext, Scorer } from "./scorer.ts";
import type { Outcome, Search } from "./search.ts";
import { BudgetSpent } from "./search.ts";

export interface RunOptions<S> {
  readonly policy: Policy<S>;
  /** For the search's own `score` effects; searches may bring scorers of their own. */
  readonly scorer?: Scorer<S> | undefined;
  /** Same seed, same run: an integer in [0, 2^53), or a key. @default 0 */
  readonly seed?: number | Key;
  readonly budget?: Budget;
  /** Kept in memory by default. One that already has events is resumed. Whoever opened it closes it, when the run has ended. */
  readonly journal?: Journal;
  /** Ends the run within 50 ms, with the best answer so far. */
  readonly signal?: AbortSignal | undefined;
  /** Samples and scores in flight. @default the policy's `concurrency`, or 16 */
  readonly concurrency?: number;
  /** How long one call may take before it fails. @default 120_000 */
  readonly timeoutMs?: number;
  /** Seconds on a monotonic clock; for tests. */
  readonly clock?: () => number;
  /** Kept in the journal's first event. */
  readonly meta?: Json;
}

export interface Result<S, O extends Outcome<S> = Outcome<S>> {
  readonly answer: Node<S> | undefined;
  /** The answer as text. */
  readonly text: string | undefined;
  readonly confidence: number | undefined;
  /** All that the search returned; undefined where it was cut short. */
  readonly outcome: O | undefined;
  readonly stopped: Stopped;
  readonly spent: Spent;
  /** The tree: the root first. */
  readonly nodes: readonly Node<S>[];
}

/** Awaitable for the result, iterable for the events. */
export interface Run<S, O extends Outcome<S> = Outcome<S>> extends PromiseLike<Result<S, O>>, AsyncIterable<RunEvent> {
  /** The tree so far. */
  readonly nodes: readonly Node<S>[];
  readonly best: Proposal<S> | undefined;
  readonly spent: Spent;
  /** Reserved for calls in flight. */
  readonly reserved: Cost;
  /** Ends the run with its best so far. */
  stop(): void;
}

/**
 * Starts a run. A watcher that begins to iterate before the first `await` sees every event; leaving the loop only stops
 * watching. The promise rejects only for a defect: a search that throws, a journal of another run, a journal that cannot
 * be written; every other ending is a result.
 */
export function run<S, O extends Outcome<S>>(
  search: Search<S, O>,
  problem: Problem,
  options: RunOptions<S>,
): Run<S, O> {
  return new Running(search, problem, options);
}

class Running<S, O extends Outcome<S>> implements Run<S, O> {
  readonly #policy: Policy<S>;
  readonly #scorer: Scorer<S> | undefined;
  readonly #problem: Problem;
  readonly #account: Account;
  readonly #budget: Budget;
  readonly #driver: Driver<S, O>;
  readonly #recording: Recording;
  readonly #concurrency: number;
  readonly #timeoutMs: number;
  readonly #context: ScoreContext<S>;
  readonly #flights = new Flights<S>();
  readonly #waiting: Waiting<S>;
  readonly #failures = new Map<string, Failure>();
  readonly #halt = new AbortController();
  /** Cleans up what `begin` set up. */
  readonly #cleanup: (() => void)[] = [];
  #drawn = 0;
  #best: Proposal<S> | undefined;
  #stopping: Stopped | undefined;
  #pumping = false;
  #ended = false;
  #result: Promise<Result<S, O>>;
  #resolve!: (result: Result<S, O>) => void;
  #reject!: (error: unknown) => void;

  constructor(search: Search<S, O>, problem: Problem, options: RunOptions<S>) {
    const { policy, scorer, seed = 0, budget = {}, journal = memoryJournal(), signal } = options;
    const runKey = typeof seed === "number" ? key(seed) : seed;
    this.#policy = policy;
    this.#scorer = scorer;
    this.#problem = problem;
    this.#context = { problem, text: (state) => policy.text(state) };
    this.#account = new Account(budget);
    this.#budget = budget;
    this.#waiting = new Waiting(this.#account, this.#context, (work) => this.#answererOf(work));
    this.#concurrency = checkPositive("concurrency", options.concurrency ?? policy.concurrency ?? 16);
    this.#timeoutMs = checkPositive("timeoutMs", options.timeoutMs ?? 120_000);
    this.#result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#result.catch(() => {}); // who only iterates gets the error from the iterator
    const start: RunStart = {
      type: "run-start",
      version: 1,
      search: { name: search.name, options: search.options },
      policy: policy.name,
      scorer: scorer?.name ?? null,
      problem,
      key: runKey,
      budget,
      ...(options.meta === undefined ? {} : { meta: options.meta }),
    };
    this.#recording = new Recording(journal, start, options.clock ?? (() => performance.now() / 1000));
    this.#driver = driver(search, { state: policy.root(problem), problem, key: runKey, scorer });
    // The first events wait a moment, so that whoever called `run` can watch all of them.
    queueMicrotask(() => this.#guard(() => this.#begin(signal)));
  }

  get nodes(): readonly Node<S>[] {
    return this.#driver.nodes;
  }

  get best(): Proposal<S> | undefined {
    return this.#driver.best;
  }

  get spent(): Spent {
    return { ...this.#account.settled, seconds: this.#recording.seconds };
  }

  get reserved(): Cost {
    return this.#account.reserved;
  }

  stop(): void {
    this.#halt.abort();
  }

  then<A = Result<S, O>, B = never>(
    onFulfilled?: ((result: Result<S, O>) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(onFulfilled, onRejected);
  }

  [Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    return this.#recording.watch();
  }

  #begin(signal: AbortSignal | undefined): void {
    this.#recording.begin(this.#account);
    this.#takeAsked(); // what was paid for is there before anything can end the run
    if (this.#driver.result) return this.#finish();
    for (const one of [this.#halt.signal, signal]) {
      if (!one) continue;
      const onAbort = () => this.#stop({ why: "aborted" });
      if (one.aborted) return onAbort();
      one.addEventListener("abort", onAbort, { once: true });
      this.#cleanup.push(() => one.removeEventListener("abort", onAbort));
    }
    if (this.#budget.seconds !== undefined) {
      const onTime = () => this.#stop({ why: "budget-spent", limit: "seconds" });
      const left = this.#budget.seconds - this.#recording.seconds;
      if (left <= 0) return onTime();
      const timer = setTimeout(onTime, Math.min(left * 1000, longestTimerMs));
      this.#cleanup.push(() => clearTimeout(timer));
    }
    this.#pump();
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#crash(error);
    }
  }

  /** Neither ended nor about to. */
  get #going(): boolean {
    return !this.#ended && !this.#stopping;
  }

  /** Moves everything that can move. Not re-entrant: replies that come while it runs are picked up by its loop. */
  #pump(): void {
    if (this.#pumping || !this.#going) return;
    this.#pumping = true;
    this.#guard(() => {
      for (let again = true; again && this.#going; ) {
        this.#takeAsked();
        for (const id of this.#driver.unwanted()) if (!this.#flights.giveUp(id)) this.#waiting.remove(id);
        if (this.#driver.result) break;
        again = this.#admit();
        if (!again && this.#flights.size === 0) again = this.#deny();
      }
      if (this.#driver.result && this.#going) this.#finish();
    });
    this.#pumping = false;
  }

  /** What the search asks for is answered from the journal, as far as that goes; the rest has to wait its turn. */
  #takeAsked(): void {
    for (let works = this.#driver.ask(); works.length > 0; works = this.#driver.ask())
      for (const work of works) {
        const reply = this.#recording.recall(work, this.#answererOf(work));
        if (reply) this.#tell(work.id, reply);
        else this.#waiting.push(work);
      }
  }

  /**
   * Starts what concurrency and budget allow, in order; scores go before samples, as they make answers out of what is paid
   * for. True if a reply came at once.
   */
  #admit(): boolean {
    let again = false;
    const room = () => (this.#going ? this.#concurrency - this.#flights.size : 0);
    while (room() > 0) {
      const item = this.#waiting.score();
      if (!item) break;
      again = this.#judge(item) || again;
    }
    while (room() > 0) {
      const group = this.#waiting.group(room());
      if (!group) break;
      void this.#draw(group).catch((error) => this.#crash(error));
    }
    return again;
  }

  #deny(): boolean {
    const denied = this.#waiting.denied();
    if (!denied) return false;
    const {
      work: { id, node },
      limit,
    } = denied;
    this.#recording.append({ type: "denied", id, node: node.id, limit, seconds: this.#recording.seconds });
    this.#tell(id, { type: "denied", limit });
    return true;
  }

  /** The run's own policy and scorer, unless the work brings another. */
  #answererOf(work: Work<S>): Answerer<S> {
    if (work.type === "extend") return { policy: work.policy ?? this.#policy, scorer: this.#scorer };
    return { policy: this.#policy, scorer: work.scorer ?? this.#scorer };
  }

  async #draw({ policy, items }: Group<S>): Promise<void> {
    const call = this.#flights.open(items);
    const { controller } = call;
    const works = items.map(({ work }) => work);
    const limits = { controller, timeoutMs: this.#timeoutMs };
    const owed = await draw(policy, works, this.#problem, limits, (work, part) => this.#takePart(work, part));
    for (const work of works)
      if (owed.reply.type === "absent") this.#settle(work, owed.reply, noCost);
      else this.#fail(work, owed.reply.failure);
    if ("error" in owed) controller.abort(owed.error); // a call that took too long does not know yet that it has failed
    this.#flights.close(call);
    this.#pump();
  }

  #takePart(work: ExtendWork<S>, part: PolicyPart<S>): void {
    if (!this.#flights.get(work.id)) return; // answered already, or too late
    switch (part.type) {
      case "text-delta":
        return this.#recording.emit({ type: "text-delta", id: work.id, parent: work.node.id, delta: part.delta });
      case "failure":
        this.#fail(work, part.failure, part.cost);
        break;
      case "extension": {
        const { state, done, length, cost } = part.extension;
        // As the journal tells it: JSON knows no infinities.
        const logProb = finiteOrNaN(part.extension.logProb);
        const logProposal = finiteOrNaN(part.extension.logProposal);
        this.#settle(work, { type: "extension", extension: { state, done, length, cost, logProb, logProposal } }, cost);
        break;
      }
      default:
        return unreachable(part);
    }
    this.#pump();
  }

  /** Scores one node; true if the scorer answered at once. */
  #judge({ work, reservation }: Afforded<ScoreWork<S>>): boolean {
    const { scorer } = this.#answererOf(work);
    if (!scorer)
      throw new TypeError("Cannot score as the run has no scorer: give `run` a scorer, or the search one of its own");
    const call = this.#flights.open([{ work, reservation }]);
    const limits = { controller: call.controller, timeoutMs: this.#timeoutMs };
    const later = judge(scorer, work, this.#context, limits, (judged) => {
      if (judged.type === "failure") this.#fail(work, judged.failure, judged.cost);
      else this.#settle(work, { type: "score", score: judged.score }, judged.cost);
    });
    const close = () => this.#flights.close(call);
    if (later)
      later
        .then(close)
        .then(() => this.#pump())
        .catch((error) => this.#crash(error));
    else close();
    return later === undefined;
  }

  #fail(work: Work<S>, failure: Failure, price?: Cost): void {
    const flight = this.#flights.get(work.id);
    if (!flight) return;
    // What the run itself gave up is no reply, whatever it ended with: it is paid for, and asked again when the run is resumed.
    if (flight.call.controller.signal.aborted) return this.#lose(flight, price);
    this.#settle(work, { type: "failure", failure }, price ?? flight.reservation.reserved);
  }

  /** Books, records and tells one reply; a second one for the same work is dropped. */
  #settle(work: Work<S>, reply: Reply<S>, cost: Cost): void {
    const flight = this.#flights.get(work.id);
    if (!flight) return;
    const record = recordOf(reply, work, this.#answererOf(work));
    this.#guard(() => {
      const paid = this.#flights.land(flight, cost);
      this.#recording.append({ ...record, cost: paid, seconds: this.#recording.seconds } as ReplyEvent);
      this.#tell(work.id, reply);
    });
  }

  #lose(flight: Flight<S>, price: Cost = flight.reservation.reserved): void {
    const { id } = flight.work;
    this.#guard(() => {
      const cost = this.#flights.land(flight, price);
      this.#recording.append({ type: "lost", id, cost, seconds: this.#recording.seconds });
      if (!this.#stopping)
        this.#driver.tell(id, { type: "failure", failure: { code: "aborted", message: "No longer wanted" } });
    });
  }

  #tell(id: string, reply: Reply<S>): void {
    if (reply.type === "extension") this.#drawn++;
    if (reply.type === "failure") this.#failures.set(`${reply.failure.code}: ${reply.failure.message}`, reply.failure);
    this.#driver.tell(id, reply);
    const { best } = this.#driver;
    if (!best || best === this.#best) return;
    this.#best = best;
    this.#recording.emit({ type: "best", node: best.node.id, value: best.value });
  }

  #finish(): void {
    const { result, limited } = this.#driver;
    if (!result || this.#ended) return;
    if ("error" in result && !(result.error instanceof BudgetSpent)) return this.#crash(result.error);
    const outcome = "outcome" in result ? result.outcome : undefined;
    const answer = outcome ? outcome.answer : this.#driver.best?.node;
    const failures = [...this.#failures.values()];
    let stopped: Stopped = { why: "answered" };
    if (limited) stopped = { why: "budget-spent", limit: limited };
    else if (!answer)
      stopped = this.#drawn === 0 && failures.length > 0 ? { why: "all-failed", failures } : { why: "no-answer" };
    this.#end(stopped, answer, outcome);
  }

  #stop(why: Stopped): void {
    if (!this.#going) return;
    this.#stopping = why;
    this.#flights.abort("The run was stopped");
    // Calls that listen to their signal now say what they used; the others are charged their worst case.
    void this.#flights
      .landed(graceMs)
      .then(() => this.#guard(() => this.#end(why, this.#driver.best?.node, undefined)));
  }

  #end(stopped: Stopped, answer: Node<S> | undefined, outcome: O | undefined): void {
    this.#flights.abort("The run has ended", { owing: true });
    for (const flight of this.#flights.all()) this.#lose(flight);
    if (this.#ended) return;
    const text = answer && this.#policy.text(answer.state);
    const confidence = outcome?.confidence;
    const { spent } = this;
    const told = { answer: answer?.id ?? null, text: text ?? null, confidence: confidence ?? null };
    this.#recording.end({ type: "run-end", ...told, stopped, spent });
    this.#close();
    this.#resolve({ answer, text, confidence, outcome, stopped, spent, nodes: this.#driver.nodes });
    this.#recording.close();
  }

  /** A defect: everything is stopped and the promise rejects. */
  #crash(error: unknown): void {
    if (this.#ended) return;
    this.#close();
    this.#flights.clear();
    this.#flights.abort("The run has failed");
    this.#reject(error);
    this.#recording.close({ error });
  }

  #close(): void {
    this.#ended = true;
    for (const undo of this.#cleanup) undo();
    // Calls that have said all may still have something to put away; not for long.
    this.#flights.abortAfter(graceMs, "The run has ended");
  }
}

const finiteOrNaN = (value: number): number => (Number.isFinite(value) ? value : Number.NaN);
