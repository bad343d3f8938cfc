/** Grows states: text by token, line or whole answer, a revision, a move of a game, a step of a latent vector. */
import type { Cost } from "./budget.ts";
import type { Failure } from "./errors.ts";
import type { Json, Problem } from "./problem.ts";

/**
 * `sample`: independent draws, one for each seed. `top`: the most probable steps without chance, `ranks` counted from 0
 * (rank 0 of a policy whose step is a whole answer is greedy decoding).
 */
export type Draw = "sample" | "top";

export interface ExtendRequest {
  readonly problem: Problem;
  readonly draw: Draw;
  /** One entry a wanted child; the same seed gives the same child, whatever else is asked for beside it. */
  readonly seeds: readonly number[];
  /** For `top`: which of the most probable steps, one entry a wanted child. For `sample`: the sample's index. */
  readonly ranks: readonly number[];
  /** Aborts when the children are no longer wanted. */
  readonly signal: AbortSignal;
}

export interface Extension<S> {
  readonly state: S;
  readonly done: boolean;
  /** log p(step) under the model, in nats; NaN if the model does not tell. */
  readonly logProb: number;
  /** log q(step) under the law it was drawn from; NaN if unknown. */
  readonly logProposal: number;
  /** Tokens in this step (moves, steps). */
  readonly length: number;
  readonly cost: Cost;
}

/** What comes out of `extend`, as it comes; `index` counts the entries of the request. */
export type PolicyPart<S> =
  | { readonly type: "text-delta"; readonly index: number; readonly delta: string }
  | { readonly type: "extension"; readonly index: number; readonly extension: Extension<S> }
  | { readonly type: "failure"; readonly index: number; readonly failure: Failure; readonly cost?: Cost };

export interface Policy<S> {
  /** Names policy, model and settings: two policies of one name make the same children from the same seeds. */
  readonly name: string;
  root(problem: Problem): S;
  /**
   * The worst that one child of this state can cost. The steps of a `top` draw come out of one call, so they cost this
   * together: the first child of the call bears it, the others nothing.
   */
  bound(state: S, problem: Problem): Cost;
  /**
   * Children of a state, each as soon as it is there, in any order. An entry that is never answered failed when the draw
   * is `sample`, and does not exist when it is `top`. Throwing fails the entries that are still open.
   */
  extend(state: S, request: ExtendRequest): AsyncIterable<PolicyPart<S>>;
  /** How many children of one state to ask for in one call. @default 1 */
  readonly batch?: number;
  /** How many children to have in flight. @default 16 */
  readonly concurrency?: number;
  /** The state as text, for verifiers and views. */
  text(state: S): string;
  /** A child's state as JSON, given its parent's, and back; absent where the state is JSON. */
  pack?(state: S, parent: S): Json;
  unpack?(packed: Json, parent: S): S;
}
