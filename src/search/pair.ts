/** Judgements of pairs for searches in which they say nothing about how good an answer is: no answer gets them as its score. */
import type { Node } from "../node.ts";
import type { Comparison, Score, Scorer } from "../scorer.ts";
import { type Program, score } from "../search.ts";

/** What a comparison says of an answer and another one; kept at the root. Undefined where it failed or could not be afforded. */
export function* judgePair<S>(
  root: Node<S>,
  comparison: Comparison<S>,
  answer: Node<S>,
  other: Node<S>,
): Program<S, Score | undefined> {
  const { name, kind, bound, score: scoreOf } = comparison.against(other);
  const pair: Scorer<S> = {
    name: `${name}: ${answer.id}`,
    kind,
    ...(bound && { bound: (_, context) => bound(answer, context) }),
    score: (_, request) => scoreOf(answer, request),
  };
  const [judged] = yield* score([root], { by: pair });
  return judged;
}
