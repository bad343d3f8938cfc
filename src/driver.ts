/**
 * A search as ask and tell: pure, synchronous, replayable.
 *
 *     const d = driver(bestOfN({ n: 8 }), { state, problem, key: key(7) });
 *     for (let work = d.ask(); work.length > 0; work = d.ask())
 *       for (const item of work) d.tell(item.id, await perform(item));
 *     d.result
 *
 * `run()` is this plus budget, journal, concurrency and signal. A work's id is its place in the program, `2.0.1#3`: third
 * effect of the main program, first program of it, second effect there, fourth sample. So neither ids nor seeds depend on
 * the order of replies. (Seeds come from the place, not from the node: two programs that extend one node at the same time
 * would otherwise race for its next sample index.) Cost per work item: a few map and array operations, whatever the size
 * of the tree; see bench/driver.ts.
 */
import type { Limit } from "./budget.ts";
import type { Failure } from "./errors.ts";
import { unreachable } from "./errors.ts";
import type { Key } from "./key.ts";
import { fold, seedOf } from "./key.ts";
import type { Node } from "./node.ts";
import { comparePlaces } from "./node.ts";
import type { Draw, Extension, Policy } from "./policy.ts";
import type { Problem } from "./problem.ts";
import type { Score, Scorer } from "./scorer.ts";
import { isValidScore } from "./scorer.ts";
import type { Effect, Outcome, Program, Search } from "./search.ts";
import { BudgetSpent } from "./search.ts";

/** One sample to draw or one node to score. */
export type Work<S> = ExtendWork<S> | ScoreWork<S>;

export interface ExtendWork<S> {
  readonly type: "extend";
  readonly id: string;
  readonly node: Node<S>;
  /** Sample index, or rank for `top`. */
  readonly index: number;
  readonly draw: Draw;
  /** Absent: the run's own. */
  readonly policy: Policy<S> | undefined;
  /** An integer in [0, 2^31) derived from the run's key and the id. */
  readonly seed: number;
}

export interface ScoreWork<S> {
  readonly type: "score";
  readonly id: string;
  readonly node: Node<S>;
  readonly index: number;
  /** Absent: the run's own. */
  readonly scorer: Scorer<S> | undefined;
  readonly seed: number;
}

export type Reply<S> =
  | { readonly type: "extension"; readonly extension: Extension<S> }
  | { readonly type: "score"; readonly score: Score }
  | { readonly type: "failure"; readonly failure: Failure }
  /** There is no such child. */
  | { readonly type: "absent" }
  /** The budget did not reach. */
  | { readonly type: "denied"; readonly limit: Limit };

export interface Proposal<S> {
  readonly node: Node<S>;
  readonly value: number;
}

export type DriverResult<O> = { readonly outcome: O } | { readonly error: unknown };

export interface Driver<S, O extends Outcome<S> = Outcome<S>> {
  /** Work that became wanted since the last call, in the order in which it did; each item is given once. */
  ask(): Work<S>[];
  /**
   * Answers one item; returns its node: the new child (also of a failed sample), or the node that was scored.
   * A score that is not valid for its scorer counts as a failure.
   * @throws RangeError if no such work is open.
   */
  tell(id: string, reply: Reply<S>): Node<S> | undefined;
  /** Ids of asked items that are no longer wanted, since the last call. They may still be told, or told as failures. */
  unwanted(): string[];
  /** Every node so far, the root first, in order of arrival. */
  readonly nodes: readonly Node<S>[];
  /** The best proposal so far; before the first one, the finished answer of the earliest place. */
  readonly best: Proposal<S> | undefined;
  /** The first limit that denied something. */
  readonly limited: Limit | undefined;
  /** Set when the program has ended. */
  readonly result: DriverResult<O> | undefined;
}

export interface Start<S> {
  readonly state: S;
  readonly problem: Problem;
  readonly key: Key;
  /** The kind of the run's own scorer, by which its scores are checked. */
  readonly scorer?: Scorer<S> | undefined;
}

/** A search that throws has a `result` with its error, from the start if it throws at once. */
export function driver<S, O extends Outcome<S>>(search: Search<S, O>, start: Start<S>): Driver<S, O> {
  return new SearchDriver(search, start);
}

class TreeNode<S> implements Node<S> {
  readonly id: string;
  readonly parent: Node<S> | undefined;
  readonly state: S;
  readonly depth: number;
  readonly logProb: number;
  readonly logProposal: number;
  readonly totalLogProb: number;
  readonly length: number;
  readonly done: boolean;
  readonly failure: Failure | undefined = undefined;
  score: Score | undefined = undefined;
  /** The place of the work that gave the score. */
  #scoredAt: string | undefined = undefined;

  constructor(id: string, parent: Node<S> | undefined, step: Omit<Extension<S>, "cost">, failure?: Failure) {
    this.id = id;
    this.parent = parent;
    this.state = step.state;
    this.depth = parent ? parent.depth + 1 : 0;
    this.logProb = step.logProb;
    this.logProposal = step.logProposal;
    this.totalLogProb = parent ? parent.totalLogProb + step.logProb : 0;
    this.length = parent ? parent.length + step.length : 0;
    this.done = step.done;
    this.failure = failure;
  }

  /** Of several scores the latest place's stays, whichever comes last. */
  take(score: Score, place: string): void {
    if (this.#scoredAt !== undefined && comparePlaces(place, this.#scoredAt) < 0) return;
    this.score = score;
    this.#scoredAt = place;
  }
}

/** A running program and where it stands. */
class Fiber<S> {
  readonly program: Program<S, unknown>;
  /** "" for the main program, else ending in ".". */
  readonly path: string;
  /** The join that waits for this program, and its index there. */
  readonly join: Join<S> | undefined;
  readonly index: number;
  step = 0;
  dead = false;
  /** What it waits for. */
  waiting: Batch<S> | Join<S> | undefined;

  constructor(program: Program<S, unknown>, path: string, join: Join<S> | undefined, index: number) {
    this.program = program;
    this.path = path;
    this.join = join;
    this.index = index;
  }
}

/** An `extend` or `score` effect that waits for its replies. */
class Batch<S> {
  readonly fiber: Fiber<S>;
  readonly place: string;
  readonly results: (Node<S> | Score | undefined)[];
  left: number;
  denied: Limit | undefined;
  #key: Key;
  #placeKey: Key | undefined;

  constructor(fiber: Fiber<S>, place: string, count: number, key: Key) {
    this.fiber = fiber;
    this.place = place;
    this.results = new Array(count);
    this.left = count;
    this.#key = key;
  }

  seed(index: number): number {
    this.#placeKey ??= fold(this.#key, this.place);
    return seedOf(fold(this.#placeKey, index));
  }
}

/** An `all` or `first` effect that waits for its programs. */
class Join<S> {
  readonly fiber: Fiber<S>;
  readonly fibers: Fiber<S>[] = [];
  readonly results: unknown[];
  readonly ended: boolean[];
  readonly errors = new Map<number, unknown>();
  /** How many results `first` wants; undefined for `all`. */
  readonly wanted: number | undefined;
  /** What `first` has: the results of its first `passed` programs, all of which have ended. */
  readonly accepted: unknown[] = [];
  passed = 0;
  left: number;

  constructor(fiber: Fiber<S>, count: number, wanted: number | undefined) {
    this.fiber = fiber;
    this.results = new Array(count);
    this.ended = new Array(count).fill(false);
    this.left = count;
    this.wanted = wanted;
  }
}

interface Resumption<S> {
  readonly fiber: Fiber<S>;
  readonly thrown: boolean;
  readonly value: unknown;
}

class OpenWork<S> {
  readonly type: "extend" | "score";
  readonly id: string;
  readonly node: Node<S>;
  readonly index: number;
  readonly draw: Draw;
  readonly policy: Policy<S> | undefined;
  readonly scorer: Scorer<S> | undefined;
  readonly batch: Batch<S>;
  asked = false;

  constructor(batch: Batch<S>, index: number, node: Node<S>, effect: Effect<S> & { type: "extend" | "score" }) {
    this.type = effect.type;
    this.id = `${batch.place}#${index}`;
    this.node = node;
    this.index = index;
    this.draw = effect.type === "extend" ? effect.draw : "sample";
    this.policy = effect.type === "extend" ? effect.policy : undefined;
    this.scorer = effect.type === "score" ? effect.scorer : undefined;
    this.batch = batch;
  }

  get seed(): number {
    return this.batch.seed(this.index);
  }
}

class SearchDriver<S, O extends Outcome<S>> implements Driver<S, O> {
  readonly nodes: Node<S>[] = [];
  best: Proposal<S> | undefined;
  limited: Limit | undefined;
  result: DriverResult<O> | undefined;
  #asked: OpenWork<S>[] = [];
  #unwanted: string[] = [];
  readonly #open = new Map<string, OpenWork<S>>();
  readonly #workKey: Key;
  readonly #scorer: Scorer<S> | undefined;
  // Programs to be resumed: a queue, not recursion, as a reply can set off a chain of any length.
  #ready: Resumption<S>[] = [];

  constructor(search: Search<S, O>, { state, problem, key, scorer }: Start<S>) {
    this.#workKey = fold(key, 0);
    this.#scorer = scorer;
    const root = new TreeNode("root", undefined, { state, logProb: 0, logProposal: 0, length: 0, done: false });
    this.nodes.push(root);
    const program = search.run(root, { key: fold(key, 1), problem });
    this.#resume(new Fiber<S>(program, "", undefined, 0), undefined);
    this.#drain();
  }

  ask(): Work<S>[] {
    const wanted = this.#asked.filter((work) => this.#open.has(work.id)); // the others were cancelled before they were asked
    for (const work of wanted) work.asked = true;
    this.#asked = [];
    return wanted as Work<S>[];
  }

  unwanted(): string[] {
    const ids = this.#unwanted;
    this.#unwanted = [];
    return ids;
  }

  tell(id: string, reply: Reply<S>): Node<S> | undefined {
    const work = this.#open.get(id);
    if (!work) throw new RangeError(`Cannot tell a reply as no work '${id}' is open`);
    const { batch } = work;
    const [node, result] = this.#take(work, reply);
    this.#open.delete(id);
    batch.results[work.index] = result;
    if (reply.type === "denied") {
      this.limited ??= reply.limit;
      batch.denied ??= reply.limit;
    }
    if (--batch.left === 0 && !batch.fiber.dead) {
      this.#settle(batch, work.type);
      this.#drain();
    }
    return node;
  }

  /** The node that a reply concerns, and what it adds to the effect's result. */
  #take(work: OpenWork<S>, reply: Reply<S>): [Node<S> | undefined, Node<S> | Score | undefined] {
    switch (reply.type) {
      case "extension": {
        if (work.type !== "extend")
          throw new TypeError(`Cannot take an extension for '${work.id}' as a score was asked for`);
        const node = new TreeNode(work.id, work.node, reply.extension);
        this.nodes.push(node);
        if (node.done) this.#consider({ node, value: Number.NEGATIVE_INFINITY }); // any answer is better than none
        return [node, node];
      }
      case "score": {
        if (work.type !== "score")
          throw new TypeError(`Cannot take a score for '${work.id}' as an extension was asked for`);
        const scorer = work.scorer ?? this.#scorer;
        if (scorer && !isValidScore(reply.score, scorer.kind)) return [work.node, undefined];
        (work.node as TreeNode<S>).take(reply.score, work.id);
        return [work.node, reply.score];
      }
      case "failure": {
        if (work.type === "score") return [work.node, undefined];
        const step = { state: work.node.state, logProb: 0, logProposal: 0, length: 0, done: true };
        const node = new TreeNode(work.id, work.node, step, reply.failure);
        this.nodes.push(node);
        return [node, undefined];
      }
      case "absent":
      case "denied":
        return [work.type === "score" ? work.node : undefined, undefined];
      default:
        return unreachable(reply);
    }
  }

  #settle(batch: Batch<S>, type: "extend" | "score"): void {
    if (type === "score") return this.#resume(batch.fiber, batch.results);
    const children = batch.results.filter((child) => child !== undefined);
    if (children.length === 0 && batch.denied) this.#throw(batch.fiber, new BudgetSpent(batch.denied));
    else this.#resume(batch.fiber, children);
  }

  #consider(proposal: Proposal<S>): void {
    if (isBetter(proposal, this.best)) this.best = proposal;
  }

  #resume(fiber: Fiber<S>, value: unknown): void {
    fiber.waiting = undefined;
    this.#ready.push({ fiber, thrown: false, value });
  }

  #throw(fiber: Fiber<S>, error: unknown): void {
    fiber.waiting = undefined;
    this.#ready.push({ fiber, thrown: true, value: error });
  }

  #drain(): void {
    for (let i = 0; i < this.#ready.length; i++) {
      const { fiber, thrown, value } = this.#ready[i] as Resumption<S>;
      if (fiber.dead) continue;
      let step: IteratorResult<Effect<S>, unknown>;
      try {
        step = thrown ? fiber.program.throw(value) : fiber.program.next(value);
      } catch (error) {
        this.#finish(fiber, undefined, { error });
        continue;
      }
      if (step.done) {
        this.#finish(fiber, step.value);
        continue;
      }
      try {
        this.#perform(fiber, step.value);
      } catch (error) {
        this.#throw(fiber, error); // an effect that makes no sense
      }
    }
    this.#ready = [];
  }

  #perform(fiber: Fiber<S>, effect: Effect<S>): void {
    switch (effect.type) {
      case "extend":
      case "score": {
        const count = effect.type === "extend" ? checkCount(effect.count) : effect.nodes.length;
        if (count === 0) return this.#resume(fiber, []);
        const batch = new Batch(fiber, `${fiber.path}${fiber.step++}`, count, this.#workKey);
        fiber.waiting = batch;
        for (let i = 0; i < count; i++) {
          const work = new OpenWork(
            batch,
            i,
            effect.type === "extend" ? effect.node : (effect.nodes[i] as Node<S>),
            effect,
          );
          this.#open.set(work.id, work);
          this.#asked.push(work);
        }
        return;
      }
      case "all":
      case "first": {
        const { programs } = effect;
        const wanted = effect.type === "first" ? Math.min(checkCount(effect.count), programs.length) : undefined;
        const place = `${fiber.path}${fiber.step++}`;
        if (programs.length === 0 || wanted === 0) return this.#resume(fiber, []);
        const join = new Join(fiber, programs.length, wanted);
        fiber.waiting = join;
        for (let i = 0; i < programs.length; i++) {
          const child = new Fiber(programs[i] as Program<S, unknown>, `${place}.${i}.`, join, i);
          join.fibers.push(child);
          this.#resume(child, undefined);
        }
        return;
      }
      case "propose":
        this.#consider({ node: effect.node, value: effect.value });
        return this.#resume(fiber, undefined);
      default:
        return unreachable(effect);
    }
  }

  #finish(fiber: Fiber<S>, value: unknown, failed?: { error: unknown }): void {
    fiber.dead = true;
    const { join } = fiber;
    if (!join) {
      this.result = failed ?? { outcome: value as O };
      return;
    }
    join.results[fiber.index] = value;
    join.ended[fiber.index] = true;
    join.left--;
    if (failed) join.errors.set(fiber.index, failed.error);
    if (join.wanted !== undefined) this.#tryFirst(join, join.wanted);
    else if (join.left === 0) this.#endJoin(join, join.results);
  }

  /** `first`: enough results in an unbroken row of ended programs, or nothing left to wait for. */
  #tryFirst(join: Join<S>, wanted: number): void {
    const { accepted } = join;
    for (; join.ended[join.passed] && accepted.length < wanted; join.passed++)
      if (join.results[join.passed] !== undefined) accepted.push(join.results[join.passed]);
    if (accepted.length < wanted && join.left === 0) return this.#endJoin(join, accepted);
    if (accepted.length < wanted) return;
    const failed = this.#cancel(join.fibers.slice(join.passed));
    // A program that ran out of budget is one of those without a result; one with a defect is not passed over.
    const defects = [...join.errors.values()].filter((error) => !(error instanceof BudgetSpent));
    if (failed) this.#throw(join.fiber, failed.error);
    else if (defects.length > 0) this.#throw(join.fiber, defects[0]);
    else this.#resume(join.fiber, accepted);
  }

  #endJoin(join: Join<S>, results: unknown[]): void {
    const [earliest] = [...join.errors.keys()].sort((a, b) => a - b);
    if (earliest === undefined) this.#resume(join.fiber, results);
    else this.#throw(join.fiber, join.errors.get(earliest));
  }

  /** Closes programs and those inside them, the innermost and latest first; the last error that one threw meanwhile. */
  #cancel(fibers: readonly Fiber<S>[]): { error: unknown } | undefined {
    const open = fibers.filter((fiber) => !fiber.dead);
    for (let i = 0; i < open.length; i++) {
      const { waiting } = open[i] as Fiber<S>;
      if (waiting instanceof Join) for (const child of waiting.fibers) if (!child.dead) open.push(child);
    }
    let failed: { error: unknown } | undefined;
    for (const fiber of open.reverse()) {
      fiber.dead = true;
      if (fiber.waiting instanceof Batch) this.#drop(fiber.waiting);
      try {
        if (!fiber.program.return(undefined).done)
          throw new TypeError("Cannot yield in a 'finally' block of a program that is cancelled");
      } catch (error) {
        failed = { error };
      }
    }
    return failed;
  }

  #drop(batch: Batch<S>): void {
    for (let i = 0; i < batch.results.length; i++) {
      const work = this.#open.get(`${batch.place}#${i}`);
      if (work?.asked)
        this.#unwanted.push(work.id); // may still be told
      else if (work) this.#open.delete(work.id);
    }
  }
}

function isBetter<S>(candidate: Proposal<S>, best: Proposal<S> | undefined): boolean {
  if (Number.isNaN(candidate.value)) return false;
  if (!best || candidate.value > best.value) return true;
  return candidate.value === best.value && comparePlaces(candidate.node.id, best.node.id) < 0;
}

function checkCount(count: number): number {
  if (Number.isInteger(count) && count >= 0) return count;
  throw new RangeError(`Cannot ask for children as 'count' must be a whole number >= 0: current value is ${count}`);
}
