/** What aggregators share: the candidates by what they answer. */
import type { Node } from "../node.ts";
import { comparePlaces } from "../node.ts";

/** One answer and the candidates that gave it, in order of place. */
export interface Voters<S> {
  readonly answer: string;
  readonly voters: readonly [Node<S>, ...Node<S>[]];
}

/**
 * Candidates grouped by their canonical answer, in order of the first voter's place, whatever the order in which they came; those
 * that cannot be read are left out. As sorting is stable, answers of equal weight stay in this order.
 */
export function votersOf<S>(
  candidates: readonly Node<S>[],
  canonical: (node: Node<S>) => string | undefined,
): Voters<S>[] {
  const groups = new Map<string, [Node<S>, ...Node<S>[]]>();
  for (const node of [...candidates].sort((a, b) => comparePlaces(a.id, b.id))) {
    const answer = canonical(node);
    if (answer === undefined) continue;
    const group = groups.get(answer);
    if (group) group.push(node);
    else groups.set(answer, [node]);
  }
  return Array.from(groups, ([answer, voters]) => ({ answer, voters }));
}
