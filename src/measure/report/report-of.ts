/**
 * From the records of an evaluation to its report. Pure: the same records in any order give the same report. Accuracies, tests and
 * curves are those of the rest of `measure/`; what is decided here is which runs they are made from.
 */
import type { CandidateRecord, EvaluationRecord, RunRecord } from "../../record.ts";
import { accuracyOn, type CellRuns, cellsOf, type Setting } from "./cells.ts";
import { confidencesOf } from "./confidence.ts";
import { coverageOf } from "./coverage.ts";
import { frontierOf } from "./frontier.ts";
import { type Evaluated, type Level, type Report, reportVersion } from "./report.ts";

export interface ReportOptions {
  /** What the others are compared with, a method's label; null for nothing. @default the first `majority`, and null without one */
  readonly baseline?: string | null;
  /** Of every interval. @default 0.95 */
  readonly level?: number;
  /** Of accuracies, where there is one seed and problems are independent. @default "wilson" */
  readonly interval?: "wilson" | "jeffreys";
}

/**
 * Of runs that are recorded twice the last counts. Without candidates there is no coverage curve.
 *
 * Cost: 2 s for 200 problems, 5 methods, 3 budgets and 3 seeds with 50,000 candidates; most of it are votes of many and the bootstrap.
 * @throws RangeError if the baseline is none of the evaluation's methods, or 'level' is not in (0, 1)
 */
export function reportOf(
  evaluation: EvaluationRecord,
  runs: readonly RunRecord[],
  candidates: readonly CandidateRecord[] = [],
  { baseline = majorityOf(evaluation), level = 0.95, interval = "wilson" }: ReportOptions = {},
): Report {
  const { methods, budgets, problems, seeds, finishedAt } = evaluation;
  if (baseline !== null && !methods.includes(baseline))
    throw new RangeError(
      `Cannot compare with '${baseline}' as the baseline must be one of the methods: ${methods.join(", ")}`,
    );
  const cells = new Map(
    methods.flatMap((method) => [...budgets.keys()].map((budget) => [placeName(method, budget), new Map() as CellMap])),
  );
  const asked = new Set(problems.map(({ problem }) => problem.id));
  let recorded = 0;
  for (const run of runs) {
    const bySeed = cells.get(placeName(run.method, run.budget));
    if (!bySeed || !asked.has(run.problem) || run.seed >= seeds || run.evaluation !== evaluation.id) continue;
    const own = bySeed.get(run.problem) ?? new Map<number, RunRecord>();
    if (!own.has(run.seed)) recorded++;
    bySeed.set(run.problem, own.set(run.seed, run));
  }
  const inOrder = new Map([...cells].map(([place, byProblem]) => [place, sorted(byProblem, asked)]));
  const runsOf = (method: string, budget: number): CellRuns => inOrder.get(placeName(method, budget)) ?? new Map();
  const setting: Setting = { evaluation, level, interval, runsOf };
  const used = [...inOrder.values()].flatMap((byProblem) => [...byProblem.values()].flat());
  const total = (amount: (run: RunRecord) => number): number => used.reduce((sum, run) => sum + amount(run), 0);
  const expected = methods.length * budgets.length * problems.length * seeds;
  return {
    format: "ponderosa-report",
    version: reportVersion,
    evaluation: evaluatedOf(evaluation),
    runs: {
      expected,
      recorded,
      ignored: runs.length - recorded,
      complete: finishedAt !== null && recorded >= expected,
      tokens: total(({ spent }) => spent.tokens),
      promptTokens: total(({ spent }) => spent.promptTokens),
      calls: total(({ spent }) => spent.calls),
      dollars: total(({ spent }) => spent.nanodollars) / 1e9,
      paidDollars: total(({ paid }) => paid.nanodollars) / 1e9,
      seconds: total(({ spent }) => spent.seconds),
    },
    level,
    interval,
    baseline,
    cells: cellsOf(setting, baseline),
    coverage: coverageOf(setting, candidates),
    confidence: confidencesOf(setting),
    frontier: frontierOf(setting),
    levels: levelsOf(setting),
  };
}

type CellMap = Map<string, Map<number, RunRecord>>;

const placeName = (method: string, budget: number): string => `${budget} ${method}`;

/** Problems in the order of the evaluation, seeds ascending. */
function sorted(byProblem: CellMap, order: ReadonlySet<string>): CellRuns {
  return new Map(
    [...order].flatMap((id) => {
      const bySeed = byProblem.get(id);
      return bySeed ? [[id, [...bySeed.values()].sort((a, b) => a.seed - b.seed)] as const] : [];
    }),
  );
}

const majorityOf = ({ methods }: EvaluationRecord): string | null =>
  methods.find((method) => method.split(":")[0] === "majority") ?? null;

function evaluatedOf({ problems, ...evaluation }: EvaluationRecord): Evaluated {
  const clusters = new Set(problems.map(({ problem, cluster }) => cluster ?? `problem ${problem.id}`)).size;
  return {
    ...evaluation,
    problems: problems.length,
    clusters: clusters === problems.length ? null : clusters,
  };
}

function levelsOf(setting: Setting): Level[] {
  const { problems, methods, budgets } = setting.evaluation;
  const levels = [...Map.groupBy(problems, ({ level }) => level)];
  if (levels.length < 2) return [];
  if (levels.every(([level]) => /^\d/.test(level ?? "")))
    levels.sort(([a], [b]) => Number.parseFloat(a as string) - Number.parseFloat(b as string));
  return levels.map(([level, members]) => ({
    level: level ?? "no level",
    problems: members.length,
    cells: [...budgets.keys()].flatMap((budget) =>
      methods.map((method) => ({
        method,
        budget,
        accuracy: accuracyOn(members, setting.runsOf(method, budget), setting),
      })),
    ),
  }));
}
