/** Makes one answer, with a confidence, out of many candidates. Pure: it works on saved runs as well as live. */
import type { Node } from "./node.ts";

export interface Aggregate<S> {
  /** The candidate that stands for the answer. */
  readonly answer: Node<S> | undefined;
  /** In [0, 1]; its meaning is the aggregator's, its calibration is measured elsewhere. */
  readonly confidence: number | undefined;
  /** What the answer was chosen from, best first: each distinct answer with its weight. */
  readonly tally: readonly { readonly answer: string; readonly weight: number; readonly node: Node<S> }[];
}

export interface Aggregator<S> {
  readonly name: string;
  aggregate(candidates: readonly Node<S>[]): Aggregate<S>;
}
