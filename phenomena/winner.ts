/** No method wins on every task. */
import { rankIntervals } from "../src/measure/index.ts";
import { type MethodSettings, methods, planOf } from "../src/methods.ts";
import type { Task } from "../src/task.ts";
import { countdown, productChain, swapSort } from "../src/tasks/index.ts";
import type { Effect, Measurement, Phenomenon } from "./phenomenon.ts";
import { exactly, shown, solved } from "./phenomenon.ts";
import { maxTokens, mean, modelNamed, problemOf, shareOver, solve, total } from "./samples.ts";

interface Contender {
  readonly label: string;
  readonly method: string;
  readonly settings: MethodSettings;
}

const many = 1000; // more than the budget affords: the budget ends the run

/** All know the same: the exact verdict on a whole answer. */
const contenders: readonly Contender[] = [
  { label: "best of n", method: "best-of-n", settings: { n: many } },
  { label: "refine, rewinding", method: "refine", settings: { rounds: many, parallel: 1 } },
  { label: "AB-MCTS-A", method: "ab-mcts", settings: { n: many } },
  { label: "MCTS, PUCT", method: "mcts", settings: { simulations: many } },
  { label: "tree of thoughts", method: "tree-of-thoughts", settings: { maxNodes: many } },
];

const budget = 300;

/** By contender. */
type Row = readonly { readonly right: boolean; readonly tokens: number }[];

const contest = (task: Task): Measurement<Row> => ({
  name: `winner-${task.name}`,
  units: { full: 120, quick: 1 },
  async measure(unit) {
    const problem = problemOf(task, unit);
    const model = await modelNamed("sapling");
    const row: Row[number][] = [];
    for (const { method: name, settings } of contenders) {
      const method = methods.find((one) => one.name === name);
      if (!method) throw new RangeError(`There is no method '${name}'`);
      const { search, policy, scorer } = planOf(method, { ...settings, maxTokens }, { model, problem, task });
      row.push(await solve(search, task, problem, { policy, scorer, seed: 4, budget: { tokens: budget } }));
    }
    return row;
  },
});

const tasks = [countdown, productChain, swapSort];
const contests = tasks.map(contest);

export const noWinner: Phenomenon = {
  name: "winner",
  title: "No method wins on every task",
  claim: "Across reasoning and planning tasks no inference-time technique is consistently the best.",
  source: "Parashar et al. 2025, Inference-Time Computations for LLM Reasoning and Planning",
  arxiv: "2502.12521",
  method:
    "Five methods that all use the exact verifier, at most 300 tokens a run, on 120 problems of each of the three tasks that sapling was trained on (it knows nothing of Horn worlds). On each task ranks with simultaneous intervals, at 1 − 0.05/3, so that all three hold together with 95 percent.",
  rule: "Reproduced if every method is surely beaten by another one on some task; reversed if one is surely first on all three; else not reproduced.",
  remark:
    "Some method may still be first everywhere: at 120 problems and five methods only large differences are sure.",
  measurements: contests,
  conclude(rows) {
    const scores = contests.map((one) => contenders.map((_, at) => rows(one).map((row) => Number(row[at]?.right))));
    const boards = scores.map((of) => rankIntervals(of, { level: 1 - 0.05 / tasks.length }).ranks);
    const isFirst = (at: number, surely: boolean): boolean =>
      boards.every((ranks) => (surely ? ranks?.[at]?.high === 1 : ranks?.[at]?.low === 1));
    const possible = contenders.filter((_, at) => isFirst(at, false));
    const certain = contenders.filter((_, at) => isFirst(at, true));
    const ranked = boards.every((ranks) => ranks !== undefined);
    const effect: Effect = {
      name: "methods that may be first on all three tasks",
      world: "sapling",
      unit: "methods, none for the claim",
      estimate: exactly(possible.length),
      margin: 0,
      verdict: certain.length > 0 ? "reversed" : ranked && possible.length === 0 ? "reproduced" : "not reproduced",
    };
    const leaders = boards.map((ranks) =>
      contenders
        .filter((_, at) => ranks?.[at]?.rank === 1)
        .map(({ label }) => label)
        .join(" and "),
    );
    const cell = (task: number, at: number): string => {
      const rank = boards[task]?.[at];
      return `${shown(shareOver(scores[task]?.[at] ?? []))}, rank ${rank ? `${rank.low} to ${rank.high}` : "–"}`;
    };
    const tokens = contests.flatMap((one) => rows(one).flatMap((row) => row.map(({ tokens }) => tokens)));
    return {
      effects: [effect],
      statement: `The highest share is that of ${tasks.map(({ name }, i) => `${leaders[i]} on ${name}`).join(", of ")}. ${
        possible.length === 0
          ? "Each method is surely beaten on some task."
          : `That they are first on all three cannot be ruled out for ${possible.map(({ label }) => label).join(", ")}.`
      }`,
      table: {
        head: ["method", ...tasks.map(({ name }) => name), "tokens a run"],
        rows: contenders.map(({ label }, at) => [
          label,
          ...tasks.map((_, task) => cell(task, at)),
          mean(contests.flatMap((one) => rows(one).map((row) => row[at]?.tokens ?? 0))).toFixed(0),
        ]),
      },
      panels: tasks.map(({ name }, task) => ({
        kind: "bars",
        title: name,
        x: solved,
        bars: contenders.map(({ label }, at) => ({ label, estimate: shareOver(scores[task]?.[at] ?? []) })),
      })),
      units: `${contests.map((one) => rows(one).length).join(", ")} problems, one seed`,
      tokens: total(tokens),
    };
  },
};
