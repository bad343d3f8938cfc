/** What sampling methods share: answers drawn to their end, side by side, as many as the budget affords. */
import type { Node } from "../node.ts";
import { comparePlaces } from "../node.ts";
import type { Policy } from "../policy.ts";
import { allAffordable, complete } from "../program.ts";
import type { Program } from "../search.ts";

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
  const { spent } = yield* allAffordable(
    Array.from({ length: n }, function* (): Program<S, void> {
      const answer = yield* complete(root, "sample", policy);
      if (!answer) return;
      answers.push(answer);
      yield* use(answer);
    }),
  );
  if (spent && answers.length === 0) throw spent;
  return answers.sort((a, b) => comparePlaces(a.id, b.id));
}
