/** What searches over vectors share: points of their own choice, and the slope of a score. */
import type { Vector } from "../../math/linear.ts";
import type { Node } from "../../node.ts";
import { comparePlaces } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Score, Scorer } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { Program } from "../../search.ts";
import { extend, propose, score } from "../../search.ts";

/** As `latent()` makes it. */
export interface Space {
  readonly dimension: number;
  /** A policy for one `extend`: its child number i is `points[i]`. */
  at(points: readonly Vector[]): Policy<Vector>;
}

/** A point, and its score as a number where it got one. */
export interface Judged {
  readonly node: Node<Vector>;
  readonly value: number | undefined;
}

/** A point that was scored. */
export interface Scored extends Judged {
  readonly value: number;
}

export const scoredOf = (judged: readonly Judged[]): Scored[] =>
  judged.flatMap(({ node, value }) => (value === undefined ? [] : [{ node, value }]));

/** Best first; ties: the earlier place. */
export const byValue = (a: Scored, b: Scored): number => b.value - a.value || comparePlaces(a.node.id, b.node.id);

/** Puts points below a node and has them scored; better ones are proposed as they come. Points that failed are left out. */
export function* judgedAt(
  root: Node<Vector>,
  space: Space,
  points: readonly Vector[],
  by: Scorer<Vector> | undefined,
): Program<Vector, Judged[]> {
  return yield* judge(yield* extend(root, { count: points.length, policy: space.at(points) }), by);
}

export function* judge(nodes: readonly Node<Vector>[], by: Scorer<Vector> | undefined): Program<Vector, Judged[]> {
  const scores: (Score | undefined)[] = yield* score(nodes, { by });
  const judged = nodes.map((node, i) => ({ node, value: scores[i] && rankOf(scores[i]) }));
  for (const { node, value } of judged) if (value !== undefined) yield* propose(node, value);
  return judged;
}

/** The exact slope of the score at a point: [dimension]. */
export type Gradient = (z: Vector) => ArrayLike<number>;

/**
 * Slopes at points: by the function given, at no cost; else by central differences, (s(z + h eᵢ) − s(z − h eᵢ)) / 2h, two scores
 * a coordinate, with an error of the order of h² and of the score's noise divided by h. Undefined where a score is missing.
 */
export function* slopesAt(
  root: Node<Vector>,
  space: Space,
  points: readonly Vector[],
  {
    gradient,
    scorer,
    difference,
  }: { gradient: Gradient | undefined; scorer: Scorer<Vector> | undefined; difference: number },
): Program<Vector, (number[] | undefined)[]> {
  if (gradient) return points.map((z) => Array.from(gradient(z)));
  const moved = (z: Vector, i: number, by: number): number[] => z.map((x, k) => (k === i ? x + by : x));
  const around = points.flatMap((z) => z.flatMap((_, i) => [moved(z, i, difference), moved(z, i, -difference)]));
  const judged = yield* judgedAt(root, space, around, scorer);
  if (judged.length < around.length) return points.map(() => undefined); // which are missing cannot be told
  return points.map((z, k) => {
    const slope = z.map((_, i) => {
      const at = 2 * (k * z.length + i);
      return ((judged[at]?.value ?? Number.NaN) - (judged[at + 1]?.value ?? Number.NaN)) / (2 * difference);
    });
    return slope.some(Number.isNaN) ? undefined : slope;
  });
}
