/** What AB-MCTS is made of: a tree of answers, and a belief about where the next one is worth most. */
import type { Random } from "../../../math/random.ts";

/** How the action of a new answer is chosen: a belief for each at every node, or one for each in the whole tree. */
export type Selection = "stack" | "thompson" | "ucb";

/** An answer in the tree, with its reward; the root has none. */
export interface Twig {
  readonly parent: Twig | undefined;
  /** Which action made it. */
  readonly action: number;
  readonly reward: number;
  readonly children: Twig[];
  /** Its place among its siblings in the widener's books. */
  arm: number;
}

/** Go on below a child, or draw a new one by an action. */
export type Choice = { readonly child: Twig } | { readonly action: number };

export interface Widener {
  choose(at: Twig, random: Random): Choice;
  /** A new answer is in the tree, with its reward. */
  observe(twig: Twig): void;
}
