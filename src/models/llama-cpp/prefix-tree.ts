/**
 * A prefix tree over the sequences of one context: what was evaluated once is reused or copied, not evaluated again.
 *
 * Each sequence holds the tokens of one path of the tree. A request leases a sequence that holds its prompt: a free one as
 * it is, or one into which another's state is copied; what is still missing is evaluated. Requests for a prompt that is
 * being evaluated wait for it, so that N samples of one prompt evaluate it once. The law after a prompt is kept with it.
 */
import type { LlamaContextSequence } from "node-llama-cpp";
import { Failed } from "../../errors.ts";
import { type Law, largestWhole, scoreOf, topLaw, wholeLaw } from "./law.ts";
import { abortable, closing, type Job, rounds } from "./rounds.ts";
import { commonLength, type Slot, slotsOf } from "./slots.ts";

export interface Lease extends Disposable {
  /** Prompt tokens that were evaluated for this lease, and those that were there already. */
  readonly evaluated: number;
  readonly cached: number;
  /** The law after the last token. */
  readonly law: Law;
  /** The same law, whole. */
  whole(): Promise<Law>;
  /** Appends a token; `law` is then the law after it. */
  append(token: number): Promise<void>;
  /** Log-probabilities of the tokens, each given those before it; all but the last are appended. */
  score(tokens: readonly number[]): Promise<number[]>;
}

export interface PrefixTree extends AsyncDisposable {
  /** Sequences are dealt out evenly among `group`s. */
  lease(prompt: readonly number[], options: { readonly group: object; readonly signal: AbortSignal }): Promise<Lease>;
  /** Since the tree was made. */
  readonly counts: { readonly copies: number; readonly moves: number; readonly promptTokens: number };
}

export interface PrefixTreeOptions {
  /** Tokens of a prompt and its answer together. */
  readonly contextTokens: number;
  readonly vocabulary: number;
  /** Whether to copy state between sequences, where the engine can. @default true */
  readonly copies?: boolean;
}

interface Waiter {
  readonly prompt: readonly number[];
  readonly group: object;
  readonly take: (slot: Slot) => void;
  readonly fail: (reason: unknown) => void;
}

/** Fewest tokens worth waiting for while another evaluates them. */
const worthWaiting = 16;

export function prefixTree(
  sequences: readonly LlamaContextSequence[],
  { contextTokens, vocabulary, copies = true }: PrefixTreeOptions,
): PrefixTree {
  const slots = slotsOf(sequences, copies);
  const waiting = new Set<Waiter>();
  let promptTokens = 0;
  const isWhole = vocabulary <= largestWhole;
  let closed = false;
  const work = rounds(admit, (reason) => {
    for (const { fail } of waiting) fail(reason);
    waiting.clear();
  });

  /** Gives free sequences to those who wait; says whether anyone got one. */
  async function admit(): Promise<boolean> {
    const room = slots.free().length;
    const turn = room > 0 ? inFairOrder().slice(0, room) : [];
    const donors = turn.map(({ prompt }) => slots.donor(prompt).slot);
    let admitted = 0;
    for (const [i, waiter] of turn.entries()) {
      const { prompt, group, take } = waiter;
      if (slots.copies && sharedSoon(prompt) - slots.donor(prompt).length >= Math.min(worthWaiting, prompt.length))
        continue;
      const slot = await slots.place(prompt, new Set(donors.slice(i + 1)));
      if (!waiting.delete(waiter)) continue; // aborted meanwhile
      slot.lessee = group;
      take(slot);
      admitted++;
    }
    await slots.pack();
    return admitted > 0;
  }

  /** By turns among groups; within a group in order of arrival. */
  function inFairOrder(): Waiter[] {
    const taken = new Map<object, number>();
    const turn = (group: object): number => {
      const n = taken.get(group) ?? 0;
      taken.set(group, n + 1);
      return n;
    };
    for (const { lessee } of slots.all) if (lessee) turn(lessee);
    return Array.from(waiting, (waiter) => ({ waiter, turn: turn(waiter.group) }))
      .sort((a, b) => a.turn - b.turn)
      .map(({ waiter }) => waiter);
  }

  /** The most that a prompt now being evaluated will have to give. */
  function sharedSoon(prompt: readonly number[]): number {
    const evaluating = slots.all.filter(({ lessee, law }) => lessee && !law);
    return Math.max(0, ...evaluating.map((slot) => commonLength(slot.prompt, prompt)));
  }

  async function lease(
    prompt: readonly number[],
    { group, signal }: { readonly group: object; readonly signal: AbortSignal },
  ): Promise<Lease> {
    if (prompt.length === 0)
      throw new Failed("rejected", "Cannot continue an empty prompt as the model has no token to start with");
    checkRoom(prompt.length + 1);
    if (closed) throw closing();
    const slot = await abortable<Slot>(signal, (take, fail) => {
      const waiter: Waiter = { prompt, group, take, fail };
      waiting.add(waiter);
      work.wake();
      return () => waiting.delete(waiter);
    });
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      slot.lessee = undefined;
      slots.use(slot);
      if (waiting.size > 0) work.wake();
    };
    const cached = slot.tokens.length;
    const evaluated = prompt.length - cached;
    promptTokens += evaluated;

    /** Evaluates tokens in place of those after the first `keep`; resolves to the law after the last of them. */
    async function evaluate(keep: number, tokens: readonly number[], whole = isWhole): Promise<Law> {
      let law: Law | undefined;
      const last = tokens.length - 1;
      const job: Job = {
        cells: slot,
        keep,
        tokens,
        wants: (place) => (place < last ? undefined : whole ? "whole" : "top"),
        receive: (_, output) => {
          law = whole ? wholeLaw(output, vocabulary) : topLaw(output);
          if (slot.tokens.length === prompt.length) slot.law = law;
        },
      };
      await work.submit(job, signal);
      return law as unknown as Law;
    }

    let law: Law;
    try {
      law = slot.law ?? (await evaluate(cached, prompt.slice(cached)));
    } catch (thrown) {
      release();
      throw thrown;
    }

    const whole = async (): Promise<Law> => {
      if (law.tokens) law = await evaluate(slot.tokens.length - 1, slot.tokens.slice(-1), true);
      return law;
    };

    return {
      evaluated,
      cached,
      get law() {
        return law;
      },
      whole,
      async append(token) {
        checkRoom(slot.tokens.length + 2);
        law = await evaluate(slot.tokens.length, [token]);
      },
      async score(tokens) {
        checkRoom(slot.tokens.length + tokens.length);
        const first = tokens[0];
        if (first === undefined) return [];
        const logProbs = [(await whole()).logProbs[first] as number];
        const next = (place: number): number => tokens[place + 1] as number;
        const job: Job = {
          cells: slot,
          keep: slot.tokens.length,
          tokens: tokens.slice(0, -1),
          wants: (place) => (isWhole ? "whole" : { score: next(place) }),
          receive: (place, output) => {
            logProbs[place + 1] = isWhole
              ? (wholeLaw(output, vocabulary).logProbs[next(place)] as number)
              : scoreOf(output, next(place));
          },
        };
        if (job.tokens.length > 0) await work.submit(job, signal);
        return logProbs;
      },
      [Symbol.dispose]: release,
    };
  }

  function checkRoom(tokens: number): void {
    if (tokens > contextTokens)
      throw new Failed(
        "overflow",
        `The prompt and its answer take ${tokens} tokens or more, a sequence holds ${contextTokens}: open the model with a larger 'contextTokens'`,
      );
  }

  return {
    lease,
    get counts() {
      return { ...slots.counts, promptTokens };
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const { fail } of waiting) fail(closing());
      waiting.clear();
      await work.close();
    },
  };
}
