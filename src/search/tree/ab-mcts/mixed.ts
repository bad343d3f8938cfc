/**
 * The mixed model (AB-MCTS-M): all answers below one child of a node are a group of a mixed model, and a new child would be one
 * more group of which nothing is known yet. A predicted reward is drawn for each child and for a new one; the largest wins.
 *
 * A child whose answers are nearly all worth the same is skipped (the authors' pruning: at least 4 answers, 3/4 of them equal
 * to 1/100), as going on there has nothing left to win.
 */
import type { Random } from "../../../math/random.ts";
import { Belief, gaussianPrior } from "./beliefs.ts";
import { upperConfidence } from "./aggregation.ts";
import { type Group, type MixedPosterior, mixedPosterior } from "./mixed-model.ts";
import type { Choice, Selection, Twig, Widener } from "./widener.ts";

const pruneFrom = 4;
const pruneShare = 0.75;

/** The answers below a child, that child included. */
interface Below {
  /** [actions] */
  readonly byAction: readonly Belief[];
  readonly all: Belief;
  /** Reward in hundredths → answers. */
  readonly equal: Map<number, number>;
  mostEqual: number;
}

export function mixedModel(mean: number, actions: number, selection: Selection): Widener {
  const sums = () => new Belief(gaussianPrior); // the prior is not used here, only counts and sums are
  const everywhere = Array.from({ length: actions }, sums);
  const below = new Map<Twig, Below>();

  function belowOf(child: Twig): Below {
    let found = below.get(child);
    if (!found) {
      found = { byAction: Array.from({ length: actions }, sums), all: sums(), equal: new Map(), mostEqual: 0 };
      below.set(child, found);
    }
    return found;
  }

  function isSpent(child: Twig): boolean {
    const { all, mostEqual } = belowOf(child);
    return all.count >= pruneFrom && mostEqual / all.count >= pruneShare;
  }

  /** Draws for each child that has answers of a group and for a new one. */
  function drawAll(twig: Twig, groupOf: (child: Below) => Belief, random: Random) {
    const children = twig.children.filter((child) => groupOf(belowOf(child)).count > 0);
    const posterior = mixedPosterior(
      children.map((child) => groupOf(belowOf(child))),
      mean,
    );
    return {
      children: children.map((child) => ({ child, value: posterior.predict(groupOf(belowOf(child)), random) })),
      fresh: posterior.predict(undefined, random),
    };
  }

  function bestAction(random: Random): number {
    if (actions === 1) return 0;
    if (selection === "ucb") return upperConfidence(everywhere);
    const tried = everywhere.filter(({ count }) => count > 0);
    const posterior: MixedPosterior = mixedPosterior(tried, mean);
    const drawn = everywhere.map((own: Group) => posterior.predict(own.count > 0 ? own : undefined, random));
    return drawn.indexOf(Math.max(...drawn));
  }

  return {
    choose(twig, random): Choice {
      const options: { choice: () => Choice; value: number }[] = [];
      const values = new Map<Twig, number>();
      if (selection === "stack") {
        for (let action = 0; action < actions; action++) {
          const { children, fresh } = drawAll(twig, ({ byAction }) => byAction[action] as Belief, random);
          for (const { child, value } of children) values.set(child, value); // of several actions the last one's
          options.push({ choice: () => ({ action }), value: fresh });
        }
      } else {
        const { children, fresh } = drawAll(twig, ({ all }) => all, random);
        for (const { child, value } of children) values.set(child, value);
        options.push({ choice: () => ({ action: bestAction(random) }), value: fresh });
      }
      for (const [child, value] of values) if (!isSpent(child)) options.push({ choice: () => ({ child }), value });
      return options.reduce((best, option) => (option.value > best.value ? option : best)).choice();
    },
    observe(twig) {
      everywhere[twig.action]?.observe(twig.reward);
      const hundredths = Math.round(twig.reward * 100);
      for (let child = twig; child.parent; child = child.parent) {
        const sums = belowOf(child);
        sums.all.observe(twig.reward);
        sums.byAction[twig.action]?.observe(twig.reward);
        const equal = (sums.equal.get(hundredths) ?? 0) + 1;
        sums.equal.set(hundredths, equal);
        sums.mostEqual = Math.max(sums.mostEqual, equal);
      }
    },
  };
}
