/**
 * The calls themselves: a policy draws, a scorer judges; what comes of it is handed over item by item. Neither throws: what
 * goes wrong is a failure of the items that have no answer yet.
 */
import type { Cost } from "../budget.ts";
import { noCost } from "../budget.ts";
import type { ExtendWork, ScoreWork } from "../driver.ts";
import type { Failure } from "../errors.ts";
import { Failed, failureOf } from "../errors.ts";
import type { Policy, PolicyPart } from "../policy.ts";
import type { Problem } from "../problem.ts";
import type { Judgement, Score, ScoreContext, Scorer } from "../scorer.ts";
import { isValidScore } from "../scorer.ts";
import { shorten } from "./shorten.ts";
import { untilAborted, untilSettled } from "./until.ts";

/** The reply to every item that a call has left open; `error` if it broke off, and may not know so. */
export interface Owed {
  readonly reply: { readonly type: "absent" } | { readonly type: "failure"; readonly failure: Failure };
  readonly error?: unknown;
}

export type Judged =
  | { readonly type: "score"; readonly score: Score; readonly cost: Cost }
  | { readonly type: "failure"; readonly failure: Failure; readonly cost?: Cost };

export interface Limits {
  readonly controller: AbortController;
  readonly timeoutMs: number;
}

/**
 * Has a policy draw samples of one node, and resolves with what becomes of those that it left without an answer. If `take`
 * throws, the part that it was given is to blame.
 */
export async function draw<S>(
  policy: Policy<S>,
  works: readonly ExtendWork<S>[],
  problem: Problem,
  { controller: { signal }, timeoutMs }: Limits,
  take: (work: ExtendWork<S>, part: PolicyPart<S>) => void,
): Promise<Owed> {
  const [{ node, draw }] = works as readonly [ExtendWork<S>];
  const seeds = works.map((work) => work.seed);
  const ranks = works.map((work) => work.index);
  try {
    const parts = policy.extend(node.state, { problem, draw, seeds, ranks, signal });
    for await (const part of untilAborted(parts, signal, timeoutMs)) {
      const work = works[part.index];
      if (!work) throw new Failed("bad-response", `The policy answered for sample ${part.index} of ${works.length}`);
      take(work, part);
    }
  } catch (error) {
    return { reply: { type: "failure", failure: failureOf(error) }, error };
  }
  // A stream that ended without an answer to everything: `top` has run out of steps, `sample` owes one.
  if (draw === "top" && !signal.aborted) return { reply: { type: "absent" } };
  const message = "The policy ended without a reply for this sample";
  return { reply: { type: "failure", failure: { code: "bad-response", message } } };
}

/** Has a scorer judge one node; undefined if it answered at once. */
export function judge<S>(
  scorer: Scorer<S>,
  { node, seed }: ScoreWork<S>,
  context: ScoreContext<S>,
  { controller, timeoutMs }: Limits,
  take: (judged: Judged) => void,
): Promise<void> | undefined {
  const { signal } = controller;
  let given: Score | Judgement | Promise<Score | Judgement>;
  try {
    given = scorer.score(node, { ...context, seed, signal });
  } catch (error) {
    take(failedWith(error));
    return undefined;
  }
  if (!isPromise(given)) {
    take(judgedBy(scorer, given));
    return undefined;
  }
  return untilSettled(given, signal, timeoutMs).then(
    (score) => take(judgedBy(scorer, score)),
    (error) => {
      take(failedWith(error));
      controller.abort(error);
    },
  );
}

const failedWith = (error: unknown): Judged => ({
  type: "failure",
  failure: failureOf(error),
  ...(error instanceof Failed && error.cost && { cost: error.cost }),
});

function judgedBy<S>(scorer: Scorer<S>, given: Score | Judgement): Judged {
  const { score, cost = noCost } = given && typeof given === "object" && "score" in given ? given : { score: given };
  if (isValidScore(score, scorer.kind)) return { type: "score", score, cost };
  const message = `Scorer '${scorer.name}' gave ${shorten(score)}, which is no valid ${scorer.kind}`;
  return { type: "failure", failure: { code: "invalid-score", message }, cost };
}

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> =>
  typeof (value as Promise<T> | undefined)?.then === "function";
