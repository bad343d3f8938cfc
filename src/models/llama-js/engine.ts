/**
 * Evaluates many sequences together, one batch of columns after another: continuous batching, Yu et al., "Orca", OSDI 2022,
 * §4. Each weight is loaded once for all columns of a batch, whichever calls they belong to.
 *
 * It computes on the calling thread and hands it back every few milliseconds, so that timers and aborts take effect. Batch
 * sizes adapt to the machine; results do not depend on them.
 */
import { Failed } from "../../errors.ts";
import { logSoftmax } from "./kernels.ts";
import type { Block, Column, Network } from "./network.ts";

/** Tokens to be evaluated, and someone who waits for what follows them. */
export interface Sequence {
  /** The blocks of what is evaluated; the engine appends to it. */
  readonly path: Block[];
  /** Tokens to evaluate, in order; the engine takes them away. The sequence has ended when there are none. */
  readonly pending: number[];
  /** Where the tokens form a tree: the blocks before the next pending one, called for each in order. @default `path` */
  branch?(): Block[];
  /** From this position on, the law after each token is wanted. */
  readonly wantedFrom: number;
  /** The next-token law after the next wanted position; only lent. May append to `pending`. */
  receive(logProbs: Float64Array): void;
  /** True ends it before the next batch; it has then told whoever waited. */
  hasStopped(): boolean;
  /** It cannot go on. */
  fail(thrown: unknown): void;
}

/** How long the thread is kept at a time; a pass takes at least `minColumns`, which may be longer for larger models. */
const sliceMs = 5;
const minColumns = 4;

export class Engine {
  readonly #network: Network;
  readonly #logProbs: Float64Array;
  /** Those that waited longest first. */
  #waiting: Sequence[] = [];
  #running = false;
  #columns = 16;

  constructor(network: Network) {
    this.#network = network;
    this.#logProbs = new Float64Array(network.weights.vocabulary);
  }

  add(sequence: Sequence): void {
    this.#waiting.push(sequence);
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    await turnOfTheLoop(); // whatever is asked for in the same turn joins the first batch
    let sliceStart = performance.now();
    while (this.#waiting.length > 0) {
      this.#step();
      if (performance.now() - sliceStart < sliceMs) continue;
      await turnOfTheLoop();
      sliceStart = performance.now();
    }
    this.#running = false;
  }

  /** One batch. */
  #step(): void {
    this.#waiting = this.#waiting.filter((sequence) => !sequence.hasStopped());
    const columns: Column[] = [];
    const owners: Sequence[] = [];
    let served = 0;
    for (; served < this.#waiting.length && columns.length < this.#columns; served++) {
      const sequence = this.#waiting[served] as Sequence;
      const { pending, wantedFrom } = sequence;
      for (const token of pending.splice(0, this.#columns - columns.length)) {
        const path = sequence.branch?.() ?? sequence.path;
        const position = path.push(this.#network.newBlock()) - 1;
        columns.push({ token, position, path, wantsLogits: position >= wantedFrom });
        owners.push(sequence);
      }
    }
    if (columns.length === 0) return;
    const start = performance.now();
    this.#network.forward(columns);
    this.#adapt(columns.length, performance.now() - start);

    const failed = new Set<Sequence>();
    let row = 0;
    columns.forEach(({ wantsLogits }, c) => {
      if (!wantsLogits) return;
      const owner = owners[c] as Sequence;
      const finite = logSoftmax(this.#logProbs, this.#network.logits, row++ * this.#logProbs.length);
      if (failed.has(owner)) return;
      try {
        if (!finite) throw new Failed("bad-response", "The model's logits are not finite: its weights may be damaged");
        owner.receive(this.#logProbs);
      } catch (thrown) {
        failed.add(owner);
        owner.fail(thrown);
      }
    });
    const inBatch = this.#waiting.splice(0, served);
    this.#waiting.push(...inBatch.filter((sequence) => sequence.pending.length > 0 && !failed.has(sequence)));
  }

  /** As many columns as take about one slice; no more than double at a time. */
  #adapt(columns: number, ms: number): void {
    const fitting = Math.floor((columns * sliceMs) / Math.max(ms, 1e-3));
    const next = Math.min(2 * this.#columns, fitting) & ~3; // kernels take four at a time
    if (columns === this.#columns || next < this.#columns)
      this.#columns = Math.max(minColumns, Math.min(next, this.#network.maxColumns));
  }
}

/** Lets timers, sockets and aborts have their turn. */
const turnOfTheLoop = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
