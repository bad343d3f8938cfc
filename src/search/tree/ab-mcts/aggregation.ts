/**
 * Node aggregation (AB-MCTS-A): at each node, is drawing a new child (GEN) or going on below an old one (CONT) worth more, and
 * below which? A belief for GEN, one for CONT, one for every child, and a Thompson draw from each.
 *
 * Backup, as in the authors' TreeQuest: the reward of a new answer is observed by GEN at its parent and by its own arm there;
 * then, at every ancestor, by CONT and by the arm of the child that leads to it; and by the belief of the action that made
 * that child.
 */
import type { Random } from "../../../math/random.ts";
import { Arms } from "./arms.ts";
import { Belief, type Prior, thompson } from "./beliefs.ts";
import type { Choice, Selection, Twig, Widener } from "./widener.ts";

/** Statistics of one node; one entry an action with "stack", else one for all. */
export interface Statistics {
  readonly gen: readonly Belief[];
  readonly cont: readonly Belief[];
  readonly arms: readonly Arms[];
  /** Children in the order of their arms. */
  readonly children: readonly Twig[][];
  /** "stack" only: which action is worth most here. */
  readonly actions: readonly Belief[];
}

export interface Aggregation extends Widener {
  at(twig: Twig): Statistics;
}

export function aggregation(prior: Prior, actions: number, selection: Selection): Aggregation {
  const lanes = selection === "stack" ? actions : 1;
  const laneOf = (action: number) => (selection === "stack" ? action : 0);
  const statistics = new Map<Twig, Statistics>();
  /** Every answer of an action, wherever it is in the tree. */
  const everywhere = Array.from({ length: actions }, () => new Belief(prior));

  function at(twig: Twig): Statistics {
    let here = statistics.get(twig);
    if (!here) {
      const beliefs = (count: number) => Array.from({ length: count }, () => new Belief(prior));
      here = {
        gen: beliefs(lanes),
        cont: beliefs(lanes),
        arms: Array.from({ length: lanes }, () => new Arms(prior)),
        children: Array.from({ length: lanes }, () => []),
        actions: selection === "stack" ? beliefs(actions) : [],
      };
      statistics.set(twig, here);
    }
    return here;
  }

  return {
    at,
    choose(twig, random): Choice {
      const here = at(twig);
      const action = selection === "stack" ? thompson(here.actions, random) : undefined;
      const lane = action ?? 0;
      const arms = here.arms[lane] as Arms;
      const widens = thompson([here.gen[lane] as Belief, here.cont[lane] as Belief], random) === 0 || arms.size === 0;
      if (!widens) return { child: here.children[lane]?.[arms.draw(random)] as Twig };
      return { action: action ?? bestAction(everywhere, selection, random) };
    },
    observe(twig) {
      const { reward } = twig;
      everywhere[twig.action]?.observe(reward);
      const parent = twig.parent as Twig;
      const here = at(parent);
      const lane = laneOf(twig.action);
      here.gen[lane]?.observe(reward);
      here.actions[twig.action]?.observe(reward);
      here.arms[lane]?.add(reward);
      twig.arm = (here.children[lane]?.push(twig) ?? 0) - 1;
      for (let child = parent; child.parent; child = child.parent) {
        const above = at(child.parent);
        const on = laneOf(child.action);
        above.arms[on]?.observe(child.arm, reward);
        above.cont[on]?.observe(reward);
        above.actions[child.action]?.observe(reward);
      }
    },
  };
}

/** Whom to ask. "ucb" is UCB1, mean + √(2·ln N / n), never tried first: Auer, Cesa-Bianchi & Fischer 2002, §2. */
function bestAction(actions: readonly Belief[], selection: Selection, random: Random): number {
  if (actions.length === 1) return 0;
  return selection === "ucb" ? upperConfidence(actions) : thompson(actions, random);
}

/** The action of the largest upper confidence bound; ties: the earlier. */
export function upperConfidence(actions: readonly Belief[]): number {
  const total = actions.reduce((sum, { count }) => sum + count, 0);
  const bounds = actions.map(({ count, mean }) =>
    count === 0 ? Number.POSITIVE_INFINITY : mean + Math.sqrt((2 * Math.log(total)) / count),
  );
  return bounds.indexOf(Math.max(...bounds));
}
