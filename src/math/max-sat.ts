/**
 * Weighted MAX-SAT, exactly: the truth values that satisfy clauses of the greatest total weight.
 *
 * Branch and bound over the variables in their order, true before false. The bound adds to the weight that is lost already, for
 * each open variable, the lesser of what its open unit clauses want of it and against it. Of equally good assignments the one
 * found first is kept: the first in the order in which `true` precedes `false`, variable by variable (weights whose sums round
 * differently count as different). Variables that share no clauses, directly or through others, are solved apart; the worst
 * case is exponential in the largest number of those that do.
 */

export interface Clause {
  /** Variables as in DIMACS: i + 1 stands for variable i, -(i + 1) for its opposite. An empty clause is never satisfied. */
  readonly literals: readonly number[];
  /** Finite and >= 0. One that must hold weighs more than all others together. */
  readonly weight: number;
}

export interface MaxSat {
  /** [variables] */
  readonly values: readonly boolean[];
  /** Total weight of the clauses that are not satisfied. */
  readonly lost: number;
}

export function maxSat(variables: number, clauses: readonly Clause[]): MaxSat {
  for (const { literals, weight } of clauses) {
    if (!(weight >= 0 && weight < Infinity))
      throw new RangeError(
        `Cannot solve MAX-SAT as each 'weight' must be a finite number >= 0: current value is ${weight}`,
      );
    for (const literal of literals)
      if (!Number.isInteger(literal) || literal === 0 || Math.abs(literal) > variables)
        throw new RangeError(
          `Cannot solve MAX-SAT as each literal must be in ±[1, ${variables}]: current value is ${literal}`,
        );
  }
  const values: boolean[] = new Array<boolean>(variables).fill(true);
  let lost = 0;
  for (const { members, clauses: own } of componentsOf(variables, clauses)) {
    const places = new Map(members.map((variable, i) => [variable, i + 1]));
    const best = solve(
      members.length,
      own.map(({ literals, weight }) => ({
        literals: literals.map((literal) => Math.sign(literal) * (places.get(Math.abs(literal) - 1) as number)),
        weight,
      })),
    );
    for (const [i, variable] of members.entries()) values[variable] = best.values[i] as boolean;
    lost += best.lost;
  }
  return { values, lost };
}

/** Variables that share clauses, in order, with these clauses; and the clauses that have no variables. */
function componentsOf(
  variables: number,
  clauses: readonly Clause[],
): { readonly members: readonly number[]; readonly clauses: readonly Clause[] }[] {
  const parent = Array.from({ length: variables }, (_, i) => i);
  const find = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
    return at;
  };
  const homeOf = ({ literals: [first] }: Clause): number => (first === undefined ? -1 : find(Math.abs(first) - 1));
  for (const { literals } of clauses)
    for (const literal of literals) {
      const [a, b] = [find(Math.abs(literals[0] as number) - 1), find(Math.abs(literal) - 1)];
      parent[Math.max(a, b)] = Math.min(a, b);
    }
  const components = new Map<number, { members: number[]; clauses: Clause[] }>([[-1, { members: [], clauses: [] }]]);
  for (let i = 0; i < variables; i++) {
    const home = components.get(find(i));
    if (home) home.members.push(i);
    else components.set(find(i), { members: [i], clauses: [] });
  }
  for (const clause of clauses) components.get(homeOf(clause))?.clauses.push(clause);
  return [...components.values()];
}

function solve(variables: number, clauses: readonly Clause[]): MaxSat {
  const values: boolean[] = [];
  let best: MaxSat | undefined;

  /** Weight lost for certain by the values so far; exactly what is lost where all are set. */
  function lostSoFar(): { lost: number; bound: number } {
    let lost = 0;
    const [wanted, unwanted] = [new Float64Array(variables), new Float64Array(variables)];
    for (const { literals, weight } of clauses) {
      let open = 0;
      let last = 0;
      let satisfied = false;
      for (const literal of literals) {
        const value = values[Math.abs(literal) - 1];
        if (value === undefined) {
          if (literal !== last) open++;
          last = literal;
        } else if (value === literal > 0) {
          satisfied = true;
          break;
        }
      }
      if (satisfied) continue;
      if (open === 0) lost += weight;
      else if (open === 1) (last > 0 ? wanted : unwanted)[Math.abs(last) - 1]! += weight;
    }
    let bound = lost;
    for (let i = 0; i < variables; i++) bound += Math.min(wanted[i] as number, unwanted[i] as number);
    return { lost, bound };
  }

  function visit(): void {
    const { lost, bound } = lostSoFar();
    if (best && bound >= best.lost) return;
    if (values.length === variables) {
      best = { values: [...values], lost };
      return;
    }
    for (const value of [true, false]) {
      values.push(value);
      visit();
      values.pop();
    }
  }
  visit();
  return best as unknown as MaxSat; // the first leaf is never pruned
}
