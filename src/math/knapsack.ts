/**
 * The multiple-choice knapsack: one choice out of each group, so that the values sum to as much as a budget of cost allows.
 *
 * By the greedy algorithm on the concave hull of each group, which solves the linear relaxation exactly: begin with everyone's
 * cheapest choice, then take the steps along the hulls by falling value per cost. Sinha & Zoltners 1979, "The Multiple-Choice
 * Knapsack Problem", Operations Research 27(3), 503; Zemel 1980, "The Linear Multiple Choice Knapsack Problem", Operations Research
 * 28(6), 1412. What it finds is optimal where the step that no longer fits leaves no budget over, as with concave values and equal
 * costs; else it is below the optimum by less than the value of that one step, and `bound` says by how much at most.
 * Cost: choices · log choices.
 */

export interface Choice {
  /** >= 0 */
  readonly cost: number;
  readonly value: number;
}

export interface Packed {
  /** [groups] the place of the choice that was taken. */
  readonly chosen: readonly number[];
  readonly value: number;
  readonly cost: number;
  /** No selection within the budget has a higher value: the optimum of the linear relaxation. */
  readonly bound: number;
}

/** Undefined where not even everyone's cheapest choices are within the budget. Ties: the earlier group. */
export function multipleChoiceKnapsack(groups: readonly (readonly Choice[])[], budget: number): Packed | undefined {
  const hulls = groups.map(concaveHull);
  const chosen = hulls.map(([first]) => first as number);
  const at = (group: number, place: number): Choice => (groups[group] as readonly Choice[])[place] as Choice;
  let cost = chosen.reduce((sum, place, group) => sum + at(group, place).cost, 0);
  let value = chosen.reduce((sum, place, group) => sum + at(group, place).value, 0);
  const limit = budget + 1e-9 * Math.max(1, Math.abs(budget)); // sums of costs round
  if (!(cost <= limit)) return undefined;

  const steps = hulls.flatMap((hull, group) => {
    let least = Infinity; // worth falls along a hull, but for rounding, which must not change the order of its steps
    return hull.slice(1).map((to, i) => {
      const [before, after] = [at(group, hull[i] as number), at(group, to)];
      const [cost, value] = [after.cost - before.cost, after.value - before.value];
      least = Math.min(least, value / cost);
      return { group, from: hull[i] as number, to, cost, value, worth: least };
    });
  });
  steps.sort((a, b) => b.worth - a.worth || a.group - b.group);
  let bound: number | undefined;
  for (const step of steps) {
    if (chosen[step.group] !== step.from) continue; // an earlier step of this group did not fit
    if (cost + step.cost > limit) {
      bound ??= value + (step.value / step.cost) * Math.max(0, budget - cost);
      continue;
    }
    chosen[step.group] = step.to;
    cost += step.cost;
    value += step.value;
  }
  return { chosen, value, cost, bound: Math.max(bound ?? value, value) };
}

/** Places of the choices on the upper concave hull, by rising cost and value, from the cheapest on (of equals the most valuable). */
function concaveHull(choices: readonly Choice[]): number[] {
  if (
    choices.length === 0 ||
    !choices.every(({ cost, value }) => cost >= 0 && cost < Infinity && Number.isFinite(value))
  )
    throw new RangeError(
      "Cannot fill a knapsack as every group must have a choice, with a cost >= 0 and a finite value each",
    );
  const at = (place: number): Choice => choices[place] as Choice;
  const places = [...choices.keys()].sort((a, b) => at(a).cost - at(b).cost || at(b).value - at(a).value || a - b);
  const hull: number[] = [];
  const slope = (from: number, to: number): number => (at(to).value - at(from).value) / (at(to).cost - at(from).cost);
  // What lies on a line stays, up to rounding: as one long step it may not fit where its parts do.
  for (const place of places) {
    const last = hull.at(-1);
    if (last !== undefined && at(place).value <= at(last).value) continue; // dearer and no better
    while (
      hull.length > 1 &&
      slope(hull.at(-1) as number, place) > slope(hull.at(-2) as number, hull.at(-1) as number) * (1 + 1e-9)
    )
      hull.pop();
    hull.push(place);
  }
  return hull;
}
