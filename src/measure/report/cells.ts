/** The table of a report: each method at each budget, and each against the baseline. */
import type { AskedProblem, EvaluationRecord, RunRecord } from "../../record.ts";
import { holm, mcnemar, pairs } from "../compare.ts";
import { type Estimate, undefinedValue, type Value, withoutInterval } from "../estimate.ts";
import { bootstrapMean, jeffreys, proportion, wilson } from "../intervals.ts";
import { signFlipTest } from "../sign-flip.ts";
import type { Cell, Difference, MeanCost, Outcomes } from "./report.ts";

/** Right or not; undefined where nobody can tell. An abstention is not right. */
export const outcomeOf = ({ abstained, correct }: RunRecord): boolean | undefined =>
  abstained ? false : (correct ?? undefined);

/** The runs of one cell by problem. */
export type CellRuns = ReadonlyMap<string, readonly RunRecord[]>;

/** What the statistics of one report have in common. */
export interface Setting {
  readonly evaluation: EvaluationRecord;
  readonly level: number;
  readonly interval: "wilson" | "jeffreys";
  readonly runsOf: (method: string, budget: number) => CellRuns;
}

/** Of problems; as `bootstrapMean`, which has another interval to fall back to. */
export const fewestForBootstrap = 100;

export const tooFewText = (units: number, unit: "problems" | "clusters" = "problems"): string =>
  `${units} ${unit} are too few for a bootstrap: it needs ${fewestForBootstrap}`;

/** The outcomes of a problem's seeds, those that are known. */
const known = (runs: CellRuns, id: string): number[] =>
  (runs.get(id) ?? []).flatMap((run) => {
    const outcome = outcomeOf(run);
    return outcome === undefined ? [] : [Number(outcome)];
  });

/** Accuracy on these problems: mean over problems of the mean over seeds. */
export function accuracyOn(problems: readonly AskedProblem[], runs: CellRuns, setting: Setting): Estimate {
  const asked = problems.filter(({ problem }) => known(runs, problem.id).length > 0);
  if (asked.length === 0)
    return withoutInterval(undefined, runs.size === 0 ? "there are no runs" : "no run's correctness is known");
  const outcomes = asked.map(({ problem }) => known(runs, problem.id));
  const { level } = setting;
  if (areIndependent(asked) && outcomes.every(({ length }) => length === 1)) {
    const interval = setting.interval === "wilson" ? wilson : jeffreys;
    return proportion(sum(outcomes.flat()), asked.length, { level, interval });
  }
  return bootstrapMean(outcomes.map(mean), { level, clusters: clustersOf(asked), within: { low: 0, high: 1 } });
}

export function cellsOf(setting: Setting, baseline: string | null): Cell[] {
  const { methods, budgets } = setting.evaluation;
  return budgets.flatMap((_, budget) => {
    const differences = methods.map((method) =>
      baseline === null || method === baseline ? null : differenceOf(setting, method, baseline, budget),
    );
    const tested = differences.filter((difference) => difference?.p.value !== undefined);
    const tried = differences.filter((difference) => difference !== null).length;
    const adjusted = holm(
      tested.map((difference) => difference?.p.value as number),
      { tried },
    );
    const adjustedOf = new Map(tested.map((difference, i) => [difference, { value: adjusted[i] as number }]));
    return methods.map((method, i) => {
      const difference = differences[i] ?? null;
      const compared = difference && { ...difference, tried, holm: adjustedOf.get(difference) ?? difference.p };
      return cellOf(setting, method, budget, compared);
    });
  });
}

function cellOf(setting: Setting, method: string, budget: number, difference: Difference | null): Cell {
  const { problems, seeds, parameters } = setting.evaluation;
  const byProblem = setting.runsOf(method, budget);
  const runs = [...byProblem.values()].flat();
  const counts = problems.map(({ problem }) => known(byProblem, problem.id).length);
  return {
    method,
    budget,
    runs: runs.length,
    missing: Math.max(0, problems.length * seeds - runs.length),
    problems: counts.filter((count) => count > 0).length,
    seeds: counts.reduce((most, count) => Math.max(most, count), 0),
    accuracy: accuracyOn(problems, byProblem, setting),
    difference,
    cost: meanCost(runs, parameters),
    paidShare: paidShareOf(runs),
    counts: outcomesOf(runs),
  };
}

function differenceOf(
  setting: Setting,
  method: string,
  baseline: string,
  budget: number,
): Omit<Difference, "tried" | "holm"> {
  const { evaluation, level } = setting;
  const [own, base] = [setting.runsOf(method, budget), setting.runsOf(baseline, budget)];
  const asked = evaluation.problems.filter(
    ({ problem: { id } }) => known(own, id).length > 0 || known(base, id).length > 0,
  );
  const paired = asked.filter(({ problem: { id } }) => known(own, id).length > 0 && known(base, id).length > 0);
  const [mine, theirs] = [own, base].map((runs) => paired.map(({ problem }) => known(runs, problem.id))) as [
    number[][],
    number[][],
  ];
  const counted = { pairs: paired.length, unpaired: asked.length - paired.length };
  const once = areIndependent(paired) && [...mine, ...theirs].every(({ length }) => length === 1);
  const test = once ? "McNemar" : "sign flips";
  if (paired.length === 0) {
    const why = "no problem was answered by both";
    return { ...counted, test, estimate: withoutInterval(undefined, why), p: undefinedValue(why) };
  }
  const differences = mine.map((seeds, i) => mean(seeds) - mean(theirs[i] as number[]));
  const clusters = clustersOf(paired);
  return {
    ...counted,
    test,
    estimate: bootstrapMean(differences, { level, clusters, within: { low: -1, high: 1 } }),
    p: once ? { value: mcnemar(pairs(solvedOf(mine), solvedOf(theirs))) } : signFlipTest(sumsBy(clusters, differences)),
  };
}

const solvedOf = (outcomes: readonly number[][]): boolean[] => outcomes.map(([only]) => only === 1);

const sumsBy = (clusters: readonly string[], values: readonly number[]): number[] =>
  [...Map.groupBy(values.keys(), (i) => clusters[i]).values()].map((members) =>
    sum(members.map((i) => values[i] as number)),
  );

export const clustersOf = (problems: readonly AskedProblem[]): string[] =>
  problems.map(({ problem, cluster }) => (cluster === null ? `problem ${problem.id}` : `cluster ${cluster}`));

export const areIndependent = (problems: readonly AskedProblem[]): boolean =>
  new Set(clustersOf(problems)).size === problems.length;

function meanCost(runs: readonly RunRecord[], parameters: number | null): MeanCost {
  const meanOf = (amount: (run: RunRecord) => number): Value =>
    runs.length === 0 ? undefinedValue("there are no runs") : { value: mean(runs.map(amount)) };
  return {
    tokens: meanOf(({ spent }) => spent.tokens),
    promptTokens: meanOf(({ spent }) => spent.promptTokens),
    calls: meanOf(({ spent }) => spent.calls),
    dollars: meanOf(({ spent }) => spent.nanodollars / 1e9),
    seconds: meanOf(({ spent }) => spent.seconds),
    operations:
      parameters === null
        ? undefinedValue("the number of parameters is not known")
        : meanOf(({ spent }) => 2 * parameters * (spent.tokens + spent.promptTokens)),
  };
}

function paidShareOf(runs: readonly RunRecord[]): Value {
  const charged = sum(runs.map(({ spent }) => spent.tokens + spent.promptTokens));
  if (charged === 0) return undefinedValue("no tokens were charged");
  return { value: sum(runs.map(({ paid }) => paid.tokens + paid.promptTokens)) / charged };
}

function outcomesOf(runs: readonly RunRecord[]): Outcomes {
  const count = (holds: (run: RunRecord) => boolean): number => runs.filter(holds).length;
  return {
    right: count((run) => outcomeOf(run) === true),
    wrong: count((run) => outcomeOf(run) === false && !run.abstained),
    abstained: count(({ abstained }) => abstained),
    unknown: count((run) => outcomeOf(run) === undefined),
    failed: count(({ stopped }) => stopped.why === "all-failed"),
    failedSamples: sum(runs.map(({ failedSamples }) => failedSamples)),
    failedScores: sum(runs.map(({ failedScores }) => failedScores)),
    denied: sum(runs.map(({ denied }) => denied)),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
