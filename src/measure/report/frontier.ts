/** What accuracy a cost buys: methods at their budgets, by the tokens they were charged. */
import type { RunRecord } from "../../record.ts";
import { withoutInterval } from "../estimate.ts";
import { budgetMatched, type MeasuredMethod, methodFrontier } from "../frontier.ts";
import { areIndependent, fewestForBootstrap, outcomeOf, type Setting, tooFewText } from "./cells.ts";
import type { Frontier, FrontierPoint, Matched, Missing } from "./report.ts";

interface Place {
  readonly method: string;
  readonly budget: number;
}

type Measured = MeasuredMethod & Place;

/** Over the problems that every method and budget with runs has; costs are tokens generated and read. */
export function frontierOf(setting: Setting): Frontier | Missing {
  const { methods, budgets, problems } = setting.evaluation;
  const places = budgets
    .flatMap((_, budget) => methods.map((method) => ({ method, budget, runs: knownRuns(setting, method, budget) })))
    .filter(({ runs }) => runs.size > 0);
  const common = problems.map(({ problem }) => problem.id).filter((id) => places.every(({ runs }) => runs.has(id)));
  if (places.length === 0) return { why: "there are no runs of known correctness" };
  if (common.length === 0) return { why: "no problem was answered by every method at every budget" };
  const measured: Measured[] = places.map(({ method, budget, runs }) => {
    const answers = common.map((id) => runs.get(id) as readonly RunRecord[]);
    return {
      name: `${method} ${budget}`,
      method,
      budget,
      costs: answers.map((seeds) => mean(seeds.map(costOf))),
      qualities: answers.map((seeds) => mean(seeds.map((run) => Number(outcomeOf(run))))),
    };
  });
  const dearest = Math.max(...measured.map(({ costs }) => mean(costs)));
  const reference = { cost: 10 ** Math.ceil(Math.log10(dearest) + 1e-9), quality: 0 };
  const { level } = setting;
  const has = new Set(common);
  const noInterval = areIndependent(problems.filter(({ problem }) => has.has(problem.id)))
    ? common.length < fewestForBootstrap
      ? tooFewText(common.length)
      : undefined
    : "problems come in clusters, which this bootstrap does not draw together";
  const { members, hypervolume } = methodFrontier(measured, { reference, level });
  const placeOf = new Map<string, Place>(measured.map((one) => [one.name, one]));
  return {
    problems: common.length,
    members: members.map((member) => {
      const { method, budget } = placeOf.get(member.name) as Place;
      return { ...member, method, budget } satisfies FrontierPoint;
    }),
    hypervolume: noInterval === undefined ? hypervolume : withoutInterval(hypervolume.value, noInterval),
    reference,
    matched: matchedOf(measured, level, noInterval),
  };
}

/** Amid the costs at which the most methods were measured. */
function matchedOf(measured: readonly Measured[], level: number, noInterval: string | undefined): Matched | Missing {
  const methods = [...Map.groupBy(measured, ({ method }) => method)];
  const ranges = methods.map(([, budgets]) => {
    const costs = budgets.map(({ costs }) => mean(costs));
    return { least: Math.min(...costs), most: Math.max(...costs) };
  });
  const inside = (cost: number): number[] =>
    ranges.flatMap(({ least, most }, i) => (least < most && least <= cost && cost <= most ? [i] : []));
  const [best] = ranges.map(({ most }) => inside(most)).sort((a, b) => b.length - a.length);
  if (!best || best.length < 2) return { why: "there is no cost at which two methods were measured" };
  const common = best.map((i) => ranges[i] as (typeof ranges)[number]);
  // In the middle of what they have in common, where the resampled methods were measured, too.
  const cost = Math.sqrt(Math.max(...common.map(({ least }) => least)) * Math.min(...common.map(({ most }) => most)));
  return {
    cost,
    methods: best.map((i) => {
      const [method, budgets] = methods[i] as (typeof methods)[number];
      const accuracy = budgetMatched(budgets, cost, { level });
      return { method, accuracy: noInterval === undefined ? accuracy : withoutInterval(accuracy.value, noInterval) };
    }),
  };
}

function knownRuns({ runsOf }: Setting, method: string, budget: number): ReadonlyMap<string, readonly RunRecord[]> {
  const byProblem = [...runsOf(method, budget)].map(
    ([id, runs]) => [id, runs.filter((run) => outcomeOf(run) !== undefined)] as const,
  );
  return new Map(byProblem.filter(([, runs]) => runs.length > 0));
}

/** At least a token, as an axis in the log has no place for a run that failed before it spent anything. */
const costOf = ({ spent }: RunRecord): number => Math.max(1, spent.tokens + spent.promptTokens);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
