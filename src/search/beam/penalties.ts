/**
 * Penalties of diverse beam search: how much a candidate resembles what earlier groups keep.
 *
 * Vijayakumar et al. 2016, arXiv:1610.02424, §5.1, names four: Hamming, cumulative, n-gram and neural-embedding diversity.
 * Each is here the negative of their dissimilarity, so more is more alike, and is 0 where nothing is. A `step` is what
 * one node adds, told apart by a name that `stepOf` gives: for text, the text that the node appends (and whether it ends there).
 */
import type { Node } from "../../node.ts";

export interface Penalty<S> {
  readonly name: string;
  /** `step`: looks at the newest step, so it adds up along the path. `path`: looks at all steps, anew each time. */
  readonly extent: "step" | "path";
  /** Given what the earlier groups keep at this time step, group by group: the penalty of a candidate. */
  against(groups: readonly (readonly Node<S>[])[]): (candidate: Node<S>) => number;
}

type StepOf<S> = (node: Node<S>) => string;

/**
 * Hamming: how many hypotheses of earlier groups took the same step at the same time. As in fairseq's `DiverseBeamSearch`,
 * `lprobs -= strength * count`, and as there the penalised scores add up along the path.
 */
export function hamming<S>(stepOf: StepOf<S>): Penalty<S> {
  const taken = (node: Node<S>) => `${node.depth} ${stepOf(node)}`;
  return {
    name: "hamming",
    extent: "step",
    against(groups) {
      const counts = countOf(groups.flat().map(taken));
      return (candidate) => counts.get(taken(candidate)) ?? 0;
    },
  };
}

/**
 * Cumulative: exp(-(differing steps) / Γ) for each earlier group, the steps at which the candidate differs from a hypothesis
 * counted over all times and all hypotheses of that group. 1 for a copy, near 0 once the sequences have diverged: then
 * the same word at the same time does no harm any more. (The paper writes the sum over hypotheses inside the exponent and,
 * in eq. 2, once more outside; it is taken once, inside.) Costs one comparison a pair, as the parents' is remembered.
 */
export function cumulative<S>(stepOf: StepOf<S>, { gamma = 1 }: { readonly gamma?: number } = {}): Penalty<S> {
  if (!(gamma > 0))
    throw new RangeError(`Cannot make a cumulative penalty as 'gamma' must be above 0: current value is ${gamma}`);
  const known = new WeakMap<Node<S>, WeakMap<Node<S>, number>>();
  function differing(a: Node<S>, b: Node<S>): number {
    if (a === b || !a.parent || !b.parent) return a === b ? 0 : a.depth + b.depth;
    const of = known.get(a) ?? new WeakMap<Node<S>, number>();
    known.set(a, of);
    let count = of.get(b);
    if (count === undefined) {
      // Where one is longer, nothing stands at its last time in the other.
      if (a.depth > b.depth) count = differing(a.parent, b) + 1;
      else if (b.depth > a.depth) count = differing(a, b.parent) + 1;
      else count = differing(a.parent, b.parent) + (stepOf(a) === stepOf(b) ? 0 : 1);
      of.set(b, count);
    }
    return count;
  }
  return {
    name: `cumulative(${gamma})`,
    extent: "path",
    against: (groups) => (candidate) =>
      groups.reduce(
        (sum, group) => sum + Math.exp(-group.reduce((count, kept) => count + differing(candidate, kept), 0) / gamma),
        0,
      ),
  };
}

/**
 * n-gram: how often the n-grams of the candidate occur in the hypotheses of earlier groups, wherever; its distinct ones, summed.
 * Costs the length of the path a candidate, where the others cost a step.
 */
export function ngram<S>(stepOf: StepOf<S>, { n = 2 }: { readonly n?: number } = {}): Penalty<S> {
  checkN("n-gram", n);
  const gramsOf = (node: Node<S>): string[] => {
    const grams = [];
    for (let at = node; at.depth >= n; at = at.parent as Node<S>)
      grams.push(JSON.stringify(lastOf(at, n).map((one) => stepOf(one))));
    return grams;
  };
  return {
    name: `${n}-gram`,
    extent: "path",
    against(groups) {
      const counts = countOf(groups.flat().flatMap(gramsOf));
      return (candidate) => [...new Set(gramsOf(candidate))].reduce((sum, gram) => sum + (counts.get(gram) ?? 0), 0);
    },
  };
}

/**
 * Neural embedding: Hamming with a soft "same". For each hypothesis of the earlier groups, the cosine between the vectors of
 * what both wrote last; with `n`, of the last n steps, whose vectors are summed. `embed` gives the vector of a node's newest step.
 */
export function embedding<S>(
  embed: (node: Node<S>) => ArrayLike<number>,
  { n = 1, name = "embedding" }: { readonly n?: number; readonly name?: string } = {},
): Penalty<S> {
  checkN(name, n);
  const known = new WeakMap<Node<S>, readonly number[]>();
  const vectorOf = (node: Node<S>): readonly number[] => {
    const vector = known.get(node) ?? sumOf(lastOf(node, n).map(embed));
    known.set(node, vector);
    return vector;
  };
  return {
    name: `${name}(${n})`,
    extent: "step",
    against: (groups) => (candidate) =>
      groups
        .flat()
        .filter(({ depth }) => depth === candidate.depth)
        .reduce((sum, kept) => sum + cosine(vectorOf(candidate), vectorOf(kept)), 0),
  };
}

function countOf(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** The last n nodes of a path, the newest first; fewer near the root. */
function lastOf<S>(node: Node<S>, n: number): Node<S>[] {
  const last = [];
  for (let at: Node<S> | undefined = node; at?.parent && last.length < n; at = at.parent) last.push(at);
  return last;
}

function sumOf(vectors: readonly ArrayLike<number>[]): number[] {
  const sum = Array.from(vectors[0] ?? [], () => 0);
  for (const vector of vectors)
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (vector[i] as number);
  return sum;
}

/** 0 where one of them is all zeros. */
function cosine(a: readonly number[], b: readonly number[]): number {
  let [dot, ofA, ofB] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const y = b[i] as number;
    dot += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  return ofA > 0 && ofB > 0 ? dot / Math.sqrt(ofA * ofB) : 0;
}

function checkN(name: string, n: number): void {
  if (!Number.isInteger(n) || n < 1)
    throw new RangeError(`Cannot make the penalty ${name} as 'n' must be a positive integer: current value is ${n}`);
}
