/**
 * What quality a cost buys: the compute-optimal (Pareto) frontier of methods, its hypervolume, and quality at a matched budget.
 *
 * A frontier picks the best of noisy figures, so it flatters: what is drawn high by luck is on it. With uncertainty, methods are
 * drawn anew over the same problems (`methodFrontier`), and each says in which share of the draws it stays on the frontier. One that
 * is on it in half of them is not known to be.
 */
import { bootstrap, type BootstrapOptions, drawCounts } from "./bootstrap.ts";
import { checkFinite, type Estimate, undefinedValue, type Value, withoutInterval } from "./estimate.ts";

export interface CostAndQuality {
  /** Positive: tokens, seconds, operations. */
  readonly cost: number;
  /** More is better. */
  readonly quality: number;
}

/** The points that no other is at least as cheap and as good as: ascending in cost and in quality. Of equals the earliest. */
export function paretoFrontier<P extends CostAndQuality>(points: readonly P[]): P[] {
  check(points);
  const frontier: P[] = [];
  for (const point of points.toSorted((a, b) => a.cost - b.cost || b.quality - a.quality)) {
    const last = frontier.at(-1);
    if (!last || point.quality > last.quality) frontier.push(point);
  }
  return frontier;
}

/**
 * The area between the frontier and a reference point that is dearer and worse than all of interest, in quality × powers of ten of
 * cost: how far above the reference a budget gets, over all budgets up to it. Zitzler & Thiele 1998, "Multiobjective Optimization
 * Using Evolutionary Algorithms - A Comparative Case Study". Only what is cheaper and better than the reference counts.
 */
export function hypervolume(points: readonly CostAndQuality[], reference: CostAndQuality): number {
  check([reference]);
  const frontier = paretoFrontier(points).filter(
    ({ cost, quality }) => cost < reference.cost && quality > reference.quality,
  );
  return frontier.reduce((area, { cost, quality }, i) => {
    const next = frontier[i + 1]?.cost ?? reference.cost;
    return area + Math.log10(next / cost) * (quality - reference.quality);
  }, 0);
}

/**
 * Quality at a budget, between the two neighbours in cost by their line in log cost: for a method measured at several budgets, to
 * compare it with another at the same one. Equal costs count by their mean. Undefined outside of what was measured.
 */
export function qualityAt(points: readonly CostAndQuality[], cost: number): Value {
  check(points);
  if (!(cost > 0 && cost < Infinity))
    throw new RangeError(`Cannot give quality at a budget as 'cost' must be positive: current value is ${cost}`);
  const costs = [...new Set(points.map((point) => point.cost))].sort((a, b) => a - b);
  const [least, most] = [costs[0], costs.at(-1)];
  if (least === undefined || most === undefined) return undefinedValue("there are no points");
  if (cost < least || cost > most)
    return undefinedValue(`a cost of ${cost} is outside of the measured [${least}, ${most}]`);
  const at = (value: number): number => {
    const own = points.filter((point) => point.cost === value);
    return own.reduce((sum, { quality }) => sum + quality, 0) / own.length;
  };
  const above = costs.find((value) => value >= cost) as number;
  if (above === cost) return { value: at(cost) };
  const below = costs.findLast((value) => value < cost) as number;
  const share = Math.log(cost / below) / Math.log(above / below);
  return { value: (1 - share) * at(below) + share * at(above) };
}

/** A method at one budget, measured on problems that are the same, in the same order, for all. */
export interface MeasuredMethod {
  readonly name: string;
  /** [problems] */
  readonly costs: readonly number[];
  readonly qualities: readonly number[];
}

export interface FrontierMember extends CostAndQuality {
  readonly name: string;
  readonly onFrontier: boolean;
  /** The share of resamples of the problems in which it is on the frontier. */
  readonly share: number;
}

export interface MethodFrontier {
  /** All methods, ascending in mean cost. */
  readonly members: readonly FrontierMember[];
  readonly hypervolume: Estimate;
}

/** The frontier of mean cost and mean quality, with the bootstrap over problems; methods keep their problems in common. */
export function methodFrontier(
  methods: readonly MeasuredMethod[],
  { reference, ...options }: { readonly reference: CostAndQuality } & BootstrapOptions,
): MethodFrontier {
  const problems = problemsOf(methods);
  if (problems === 0) return { members: [], hypervolume: withoutInterval(undefined, "there are no problems") };
  const { resamples = 2000, seed = 0 } = options;
  const tally = new Map<string, number>(methods.map(({ name }) => [name, 0]));
  const counts = new Int32Array(problems);
  for (let r = 0; r < resamples; r++) {
    drawCounts(counts, seed, r);
    for (const { name } of paretoFrontier(meansOf(methods, counts))) tally.set(name, (tally.get(name) as number) + 1);
  }
  const points = meansOf(methods, counts.fill(1));
  const frontier = new Set(paretoFrontier(points).map(({ name }) => name));
  return {
    members: points
      .toSorted((a, b) => a.cost - b.cost)
      .map((point) => ({
        ...point,
        onFrontier: frontier.has(point.name),
        share: (tally.get(point.name) as number) / resamples,
      })),
    hypervolume: bootstrap(problems, (drawn) => hypervolume(meansOf(methods, drawn), reference), options),
  };
}

/** `qualityAt` over the mean cost and quality of a method's budgets, with the bootstrap over problems. */
export function budgetMatched(
  budgets: readonly MeasuredMethod[],
  cost: number,
  options: BootstrapOptions = {},
): Estimate {
  const problems = problemsOf(budgets);
  if (problems === 0) return withoutInterval(undefined, "there are no problems");
  const { value, why } = qualityAt(meansOf(budgets, new Int32Array(problems).fill(1)), cost);
  if (value === undefined) return withoutInterval(undefined, why);
  return bootstrap(problems, (drawn) => qualityAt(meansOf(budgets, drawn), cost).value, options);
}

function meansOf(methods: readonly MeasuredMethod[], counts: ArrayLike<number>): (CostAndQuality & { name: string })[] {
  return methods.map(({ name, costs, qualities }) => {
    let [cost, quality, total] = [0, 0, 0];
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i] as number;
      cost += count * (costs[i] as number);
      quality += count * (qualities[i] as number);
      total += count;
    }
    return { name, cost: cost / total, quality: quality / total };
  });
}

function problemsOf(methods: readonly MeasuredMethod[]): number {
  const problems = methods[0]?.costs.length ?? 0;
  for (const { name, costs, qualities } of methods) {
    if (costs.length !== problems || qualities.length !== problems)
      throw new RangeError(
        `Cannot compare methods as all need the same problems: '${name}' has ${costs.length} costs and ${qualities.length} qualities, the first has ${problems}`,
      );
    checkFinite("a frontier", "qualities", qualities);
    if (!costs.every((cost) => cost > 0 && cost < Infinity))
      throw new RangeError(`Cannot compare methods as costs must be positive: one of '${name}' is not`);
  }
  if (new Set(methods.map(({ name }) => name)).size < methods.length)
    throw new RangeError("Cannot compare methods as their names must differ");
  return problems;
}

function check(points: readonly CostAndQuality[]): void {
  for (const { cost, quality } of points)
    if (!(cost > 0 && cost < Infinity && Number.isFinite(quality)))
      throw new RangeError(
        `Cannot place a point as its cost must be positive, its quality finite: ${cost}, ${quality}`,
      );
}
