/**
 * Evaluates prompts, each once: out of the tree of what is known, or together with others who want the same one now.
 * The first who waits pays for what is evaluated; for the others it comes out of the cache.
 */
import { type Cost, cost } from "../../budget.ts";
import { Failed } from "../../errors.ts";
import type { Engine, Sequence } from "./engine.ts";
import type { Block } from "./network.ts";
import type { PrefixTree } from "./prefix-tree.ts";

export interface Prompted {
  readonly tokens: readonly number[];
  /** One block a token. */
  readonly path: readonly Block[];
  /** The law after the last token. */
  readonly logProbs: Float64Array;
  readonly cost: Cost;
}

export interface Waiter {
  isAborted(): boolean;
  ready(prompted: Prompted): void;
  /** `spent` on the prompt so far. */
  failed(thrown: unknown, spent: Cost): void;
}

export class Prompts {
  readonly #engine: Engine;
  readonly #tree: PrefixTree;
  /** Those being evaluated, by their tokens. */
  readonly #open = new Map<string, Evaluation>();

  constructor(engine: Engine, tree: PrefixTree) {
    this.#engine = engine;
    this.#tree = tree;
  }

  /** `tokens`: at least one. */
  evaluate(tokens: readonly number[], waiter: Waiter): void {
    const { path, logProbs } = this.#tree.find(tokens);
    if (logProbs) return waiter.ready({ tokens, path, logProbs, cost: cost({ cachedTokens: tokens.length }) });
    const name = tokens.join();
    const open = this.#open.get(name);
    if (open) return void open.waiters.push(waiter);
    // The law after the last token is wanted, so that one is evaluated in any case.
    const evaluation = new Evaluation(tokens, path.slice(0, tokens.length - 1), waiter, this.#tree, () =>
      this.#open.delete(name),
    );
    this.#open.set(name, evaluation);
    this.#engine.add(evaluation);
  }
}

class Evaluation implements Sequence {
  readonly path: Block[];
  readonly pending: number[];
  readonly wantedFrom: number;
  waiters: Waiter[];
  readonly #tokens: readonly number[];
  readonly #tree: PrefixTree;
  readonly #close: () => void;
  /** Tokens of the path that nobody has to pay for, or that were paid for. */
  #paid: number;

  constructor(tokens: readonly number[], known: Block[], waiter: Waiter, tree: PrefixTree, close: () => void) {
    this.path = known;
    this.pending = tokens.slice(known.length);
    this.wantedFrom = tokens.length - 1;
    this.waiters = [waiter];
    this.#tokens = tokens;
    this.#tree = tree;
    this.#close = close;
    this.#paid = known.length;
  }

  /** What a waiter owes: all that is not paid for, so that only the first owes anything. */
  #bill(): Cost {
    const bill = cost({ promptTokens: this.path.length - this.#paid, cachedTokens: this.#paid });
    this.#paid = this.path.length;
    return bill;
  }

  hasStopped(): boolean {
    const aborted = this.waiters.filter((waiter) => waiter.isAborted());
    if (aborted.length === 0) return false;
    this.waiters = this.waiters.filter((waiter) => !aborted.includes(waiter));
    for (const waiter of aborted)
      waiter.failed(new Failed("aborted", "The request was aborted while its prompt was evaluated"), this.#bill());
    if (this.waiters.length > 0) return false;
    this.#tree.insert(this.#tokens, this.path); // who asks again need not begin anew
    this.#close();
    return true;
  }

  receive(lent: Float64Array): void {
    const logProbs = lent.slice();
    this.#tree.insert(this.#tokens, this.path, logProbs);
    this.#close();
    for (const waiter of this.waiters)
      waiter.ready({ tokens: this.#tokens, path: this.path, logProbs, cost: this.#bill() });
  }

  fail(thrown: unknown): void {
    this.#close();
    for (const waiter of this.waiters) waiter.failed(thrown, this.#bill());
  }
}
