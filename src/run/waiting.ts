/**
 * Work that waits for room and for money. The worst that an item can cost is reserved before it is begun; what is too dear
 * blocks those of its kind behind it until something in flight has settled.
 */
import type { Account, Reservation } from "../account.ts";
import type { Cost, Limit } from "../budget.ts";
import { noCost } from "../budget.ts";
import type { ExtendWork, ScoreWork, Work } from "../driver.ts";
import type { Policy } from "../policy.ts";
import type { ScoreContext } from "../scorer.ts";
import { Queue } from "./queue.ts";
import type { Answerer } from "./recording.ts";

/** An item that can be afforded. */
export interface Afforded<W> {
  readonly work: W;
  readonly reservation: Reservation;
}

/** Samples that one call can bring. */
export interface Group<S> {
  readonly policy: Policy<S>;
  readonly items: readonly Afforded<ExtendWork<S>>[];
}

export class Waiting<S> {
  readonly #account: Account;
  readonly #context: ScoreContext<S>;
  readonly #answererOf: (work: Work<S>) => Answerer<S>;
  readonly #scores = new Queue<ScoreWork<S>>();
  readonly #samples = new Queue<ExtendWork<S>>();

  constructor(account: Account, context: ScoreContext<S>, answererOf: (work: Work<S>) => Answerer<S>) {
    this.#account = account;
    this.#context = context;
    this.#answererOf = answererOf;
  }

  push(work: Work<S>): void {
    if (work.type === "score") this.#scores.push(work);
    else this.#samples.push(work);
  }

  remove(id: string): void {
    this.#scores.remove(id);
    this.#samples.remove(id);
  }

  /** The next score, if it can be afforded. */
  score(): Afforded<ScoreWork<S>> | undefined {
    const work = this.#scores.peek();
    const grant = work && this.#account.reserve(this.#bound(work));
    if (!grant || "denied" in grant) return undefined;
    this.#scores.shift();
    return { work, reservation: grant.granted };
  }

  /** The next samples that one call can bring, as far as room and money go. */
  group(room: number): Group<S> | undefined {
    const head = this.#samples.peek();
    if (!head) return undefined;
    const { policy } = this.#answererOf(head);
    const top = head.draw === "top";
    // The most probable steps all come out of one call, which is reserved once.
    const most = top ? Number.POSITIVE_INFINITY : Math.min(checkPositive("batch", policy.batch ?? 1), room);
    const items: Afforded<ExtendWork<S>>[] = [];
    while (items.length < most) {
      const work = this.#samples.peek();
      if (!work || work.node !== head.node || work.draw !== head.draw || work.policy !== head.policy) break;
      const grant = this.#account.reserve(top && items.length > 0 ? noCost : this.#bound(work));
      if ("denied" in grant) break;
      this.#samples.shift();
      items.push({ work, reservation: grant.granted });
    }
    return items.length > 0 ? { policy, items } : undefined;
  }

  /** Takes out an item that cannot be afforded, now that nothing is in flight: no settlement can change that any more. */
  denied(): { readonly work: Work<S>; readonly limit: Limit } | undefined {
    const work = this.#scores.shift() ?? this.#samples.shift();
    if (!work) return undefined;
    const grant = this.#account.reserve(this.#bound(work));
    if ("granted" in grant) throw new Error("Cannot deny what can be afforded");
    return { work, limit: grant.denied };
  }

  /** The worst that one item can cost. */
  #bound(work: Work<S>): Cost {
    const { policy, scorer } = this.#answererOf(work);
    if (work.type === "extend") return policy.bound(work.node.state, this.#context.problem);
    return scorer?.bound?.(work.node, this.#context) ?? noCost;
  }
}

export function checkPositive(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`Cannot start a run as '${name}' must be a positive number: current value is ${value}`);
}
