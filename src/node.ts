/** A state in the tree of a run. Every method, best-of-n and voting too, leaves such a tree. */
import type { Failure } from "./errors.ts";
import type { Score } from "./scorer.ts";

export interface Node<S> {
  /** The id of the work that made it: its place in the search program. The root's is "root". */
  readonly id: string;
  readonly parent: Node<S> | undefined;
  readonly state: S;
  /** Steps from the root. */
  readonly depth: number;
  /** log p(step | parent) under the model, in nats; NaN where the model does not tell. */
  readonly logProb: number;
  /** log q(step | parent) under the law it was drawn from (temperature, top-p, ...); NaN where unknown. */
  readonly logProposal: number;
  /** Sum of `logProb` from the root. */
  readonly totalLogProb: number;
  /** Tokens from the root (moves of a game, steps of a latent vector). */
  readonly length: number;
  /** A finished answer: nothing can be appended. */
  readonly done: boolean;
  /** Why this sample failed; its state is then that of its parent. */
  readonly failure: Failure | undefined;
  /** Of the scores that were given to it, the one from the latest place of the program; undefined while unscored. */
  readonly score: Score | undefined;
}

/** From the root's child down to the node itself. */
export function pathTo<S>(node: Node<S>): Node<S>[] {
  const path: Node<S>[] = [];
  for (let at: Node<S> | undefined = node; at?.parent; at = at.parent) path.push(at);
  return path.reverse();
}

/** Children by parent, in order of place; for drawing and for reports. Cost: one pass, n log n. */
export function childrenOf<S>(nodes: readonly Node<S>[]): Map<Node<S>, Node<S>[]> {
  const children = new Map<Node<S>, Node<S>[]>();
  for (const node of nodes) {
    if (!node.parent) continue;
    const siblings = children.get(node.parent);
    if (siblings) siblings.push(node);
    else children.set(node.parent, [node]);
  }
  for (const siblings of children.values()) siblings.sort((a, b) => comparePlaces(a.id, b.id));
  return children;
}

/**
 * Order of places in a program: numbers inside an id compare as numbers, part by part. The tie-break everywhere: the earlier
 * place wins. One scan of both, as whole trees are sorted by it.
 */
export function comparePlaces(a: string, b: string): number {
  if (a === b) return 0;
  for (let i = 0, j = 0; ; i++, j++) {
    let x = 0;
    let y = 0;
    for (; i < a.length && !endsPart(a.charCodeAt(i)); i++) x = x * 10 + digit(a.charCodeAt(i));
    for (; j < b.length && !endsPart(b.charCodeAt(j)); j++) y = y * 10 + digit(b.charCodeAt(j));
    if (x < y) return -1;
    if (x > y) return 1; // a word, as in "root", is NaN: neither
    if (i < a.length && j < b.length) continue;
    if (i < a.length) return 1;
    if (j < b.length) return -1;
    return a < b ? -1 : 1;
  }
}

/** One of `.`, `/` and `#`. */
const endsPart = (code: number): boolean => code === 46 || code === 47 || code === 35;

const digit = (code: number): number => (code >= 48 && code <= 57 ? code - 48 : Number.NaN);
