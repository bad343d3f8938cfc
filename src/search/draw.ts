/** What sampling methods share: answers drawn to their end, side by side, as many as the budget affords. */
import type { Node } from "../node.ts";
import { comparePlaces } from "../node.ts";
import type { Draw, Policy } from "../policy.ts";
import type { Program } from "../search.ts";
import { all, BudgetSpent, extend } from "../search.ts";

/**
 * n answers, each handed to `use` as soon as it is there, in order of finishing; returned in order of place. Those that
 * failed are left out.
 * @throws BudgetSpent where not even one could be afforded; fewer than n are still answers
 */
export function* drawAnswers<S>(
  root: Node<S>,
  n: number,
  policy: Policy<S> | undefined,
  use: (answer: Node<S>) => Program<S, void>,
): Program<S, Node<S>[]> {
  const answers: Node<S>[] = [];
  try {
    yield* all(
      Array.from({ length: n }, function* (): Program<S, void> {
        const answer = yield* complete(root, "sample", policy);
        if (!answer) return;
        answers.push(answer);
        yield* use(answer);
      }),
    );
  } catch (error) {
    if (!(error instanceof BudgetSpent) || answers.length === 0) throw error;
  }
  return answers.sort((a, b) => comparePlaces(a.id, b.id));
}

/** Extends by single steps until the answer is done; undefined where a step failed. */
export function* complete<S>(from: Node<S>, draw: Draw, policy?: Policy<S>): Program<S, Node<S> | undefined> {
  let node = from;
  while (!node.done) {
    const [next] = yield* extend(node, { draw, policy });
    if (!next) return undefined;
    node = next;
  }
  return node;
}
