/** What methods that improve on answers share: an answer with its score, when it is good enough, and which is the best. */
import type { Node } from "../node.ts";
import { comparePlaces } from "../node.ts";
import type { Policy } from "../policy.ts";
import type { Score, Scorer } from "../scorer.ts";
import { rankOf } from "../scorer.ts";
import type { Program } from "../search.ts";
import { extend, propose, score } from "../search.ts";
import { complete } from "../program.ts";

export interface Judged<S> {
  readonly answer: Node<S>;
  /** Undefined where the scorer failed. */
  readonly score: Score | undefined;
}

/** Scores a finished answer and proposes it. */
export function* judge<S>(answer: Node<S>, by: Scorer<S> | undefined): Program<S, Judged<S>> {
  const [judged] = yield* score([answer], { by });
  if (judged) yield* propose(answer, rankOf(judged));
  return { answer, score: judged };
}

/** A finished answer that a policy makes of any node, a finished one too; undefined where it failed. */
export function* redraw<S>(from: Node<S>, policy: Policy<S> | undefined): Program<S, Node<S> | undefined> {
  const [node] = yield* extend(from, { policy });
  return node && (yield* complete(node, "sample", policy));
}

/** Whether a verifier accepted the answer, or its score is at least `enough`. */
export function isAccepted(score: Score | undefined, enough: number | undefined): boolean {
  if (!score) return false;
  return score.kind === "verdict" ? score.correct : enough !== undefined && score.value >= enough;
}

/** Best first, ties in order of place; what has no score comes last, the latest of it first. */
export function rankedAnswers<S>(judged: readonly Judged<S>[]): Node<S>[] {
  return judged
    .toSorted((a, b) => {
      if (a.score && b.score) return rankOf(b.score) - rankOf(a.score) || comparePlaces(a.answer.id, b.answer.id);
      if (a.score || b.score) return a.score ? -1 : 1;
      return comparePlaces(b.answer.id, a.answer.id);
    })
    .map(({ answer }) => answer);
}
