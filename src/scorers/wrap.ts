/** A scorer with something around it: remembered, limited in time. The wrapped one keeps its kind, and is named in the name. */
import { noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import { fold, key, seedOf } from "../key.ts";
import type { Judgement, Scorer } from "../scorer.ts";
import { judgementOf } from "./judgement.ts";

export interface CachedOptions {
  /** Scores kept; the least recently used goes first. @default 10000 */
  readonly most?: number;
}

/**
 * Judges equal texts of one problem once, finished and unfinished ones apart; not for scorers that look at more than the text, as
 * `likelihood` does. What is remembered costs nothing; a failure is not remembered. While a text is being judged, others who ask
 * wait for that judgement. Scorers that draw get a seed made of the text, so that a score does not depend on who asked first; who
 * of two equal nodes pays does.
 */
export function cached<S>(scorer: Scorer<S>, { most = 10_000 }: CachedOptions = {}): Scorer<S> {
  if (!(Number.isInteger(most) && most >= 1))
    throw new RangeError(
      `Cannot cache '${scorer.name}' as 'most' must be a positive integer: current value is ${most}`,
    );
  const memo = memory<Required<Judgement>>(most);
  return {
    name: `cached ${scorer.name}`,
    kind: scorer.kind,
    ...(scorer.bound && { bound: scorer.bound.bind(scorer) }),
    async score(node, request) {
      const { id, prompt } = request.problem;
      const place = JSON.stringify([id, prompt, request.text(node.state), node.done]);
      const { value, isNew } = await memo(place, () =>
        judgementOf(scorer, node, { ...request, seed: seedOf(fold(key(0), place)) }),
      );
      return isNew ? value : { score: value.score, cost: noCost };
    },
  };
}

/** A function by key that is called once a key, but for those calls that fail. */
export function memory<T>(
  most: number,
): (place: string, make: () => Promise<T>) => Promise<{ readonly value: T; readonly isNew: boolean }> {
  const kept = new Map<string, Promise<T>>();
  return async (place, make) => {
    for (let known = kept.get(place); known; known = kept.get(place)) {
      try {
        const value = await known;
        if (kept.delete(place)) kept.set(place, known); // the most recent is the last
        return { value, isNew: false };
      } catch {
        if (kept.get(place) === known) kept.delete(place); // it failed for another, who may have been aborted: try again
      }
    }
    const made = make();
    kept.set(place, made);
    if (kept.size > most) kept.delete(kept.keys().next().value as string);
    try {
      return { value: await made, isNew: true };
    } catch (error) {
      if (kept.get(place) === made) kept.delete(place);
      throw error;
    }
  };
}

/** Fails with `timeout` what takes longer, and tells the scorer so by its signal. */
export function withTimeout<S>(scorer: Scorer<S>, timeoutMs: number): Scorer<S> {
  if (!(timeoutMs > 0 && timeoutMs < 2 ** 31))
    throw new RangeError(
      `Cannot limit '${scorer.name}' as 'timeoutMs' must be a number in (0, 2^31): current value is ${timeoutMs}`,
    );
  return {
    name: `${scorer.name} within ${timeoutMs} ms`,
    kind: scorer.kind,
    ...(scorer.bound && { bound: scorer.bound.bind(scorer) }),
    async score(node, request) {
      const late = new AbortController();
      const signal = AbortSignal.any([request.signal, late.signal]);
      const timer = setTimeout(
        () => late.abort(new Failed("timeout", `Scorer '${scorer.name}' gave no score within ${timeoutMs} ms`)),
        timeoutMs,
      );
      const ended = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
      );
      try {
        signal.throwIfAborted();
        return await Promise.race([judgementOf(scorer, node, { ...request, signal }), ended]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
