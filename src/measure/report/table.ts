/** The columns of a report's table, said once for every form of it. A column that would say nothing is left out. */
import {
  compact,
  dollars,
  estimateText,
  none,
  percent,
  plural,
  points,
  pValue,
  short,
  shown,
  signed,
  valueText,
  whole,
} from "./numbers.ts";
import type { Estimate } from "../estimate.ts";
import type { Cell, Report } from "./report.ts";

export interface Column {
  readonly name: string;
  /** What it says, in a sentence without its end. */
  readonly meaning: string;
  readonly align: "left" | "right";
  /** Where there is no room for all, those with the highest go first. */
  readonly priority: number;
  readonly text: (cell: Cell) => string;
  /** Shows by its look whether the method is better or worse than the baseline. */
  readonly judged?: true;
}

/** All columns that have something to say in this report. */
export function columnsOf({ cells, baseline, evaluation }: Report): Column[] {
  const some = (holds: (cell: Cell) => boolean): boolean => cells.some(holds);
  const cost = (
    name: keyof Cell["cost"],
    title: string,
    meaning: string,
    priority: number,
    text: (value: number) => string = compact,
  ): Column[] =>
    some((cell) => (cell.cost[name].value ?? 0) > 0)
      ? [{ name: title, meaning, align: "right", priority, text: (cell) => valueText(cell.cost[name], text) }]
      : [];
  const count = (title: string, meaning: string, priority: number, of: (cell: Cell) => number): Column[] =>
    some((cell) => of(cell) > 0)
      ? [{ name: title, meaning, align: "right", priority, text: (cell) => whole(of(cell)) }]
      : [];
  return [
    {
      name: "method",
      meaning: "the method and its settings",
      align: "left",
      priority: 0,
      text: ({ method }) => shown(method),
    },
    {
      name: "accuracy %",
      meaning: "share of right answers with its interval",
      align: "left",
      priority: 0,
      text: ({ accuracy }) => estimateText(accuracy),
    },
    ...(baseline === null || !some(({ difference }) => difference !== null)
      ? []
      : [
          {
            name: `Δ ${short(baseline, 20)}`,
            meaning: `accuracy less that of ${shown(baseline)} on the same problems, in points, with its interval`,
            align: "left" as const,
            priority: 1,
            judged: true as const,
            text: ({ difference }: Cell) => (difference ? estimateText(difference.estimate, signed) : none),
          },
          {
            name: "p (Holm)",
            meaning: "of no difference, adjusted for all methods tried at this budget",
            align: "right" as const,
            priority: 2,
            text: ({ difference }: Cell) => (difference ? valueText(difference.holm, pValue) : none),
          },
        ]),
    ...cost("tokens", "tokens", "generated, mean of a run", 3),
    ...cost("promptTokens", "prompt", "prompt tokens evaluated, mean of a run", 8),
    ...cost("calls", "calls", "requests to the model, mean of a run", 7),
    ...cost("dollars", "cost", "US dollars charged, mean of a run", 4, dollars),
    ...cost("seconds", "seconds", "wall clock, mean of a run; replies out of the ledger take none", 9),
    ...cost("operations", "FLOPs", "2 · parameters · tokens, mean of a run", 11),
    ...(some(({ paidShare }) => paidShare.value !== undefined && paidShare.value < 1)
      ? [
          {
            name: "paid now",
            meaning: "share of the charged tokens that this evaluation really paid; the rest was in the ledger",
            align: "right" as const,
            priority: 10,
            text: ({ paidShare }: Cell) => valueText(paidShare, percent),
          },
        ]
      : []),
    {
      name: "n",
      meaning: `problems × seeds that count, of ${plural(evaluation.problems, "problem")} × ${plural(evaluation.seeds, "seed")}`,
      align: "right",
      priority: 6,
      text: ({ problems, seeds }) => (seeds > 1 ? `${whole(problems)}×${seeds}` : whole(problems)),
    },
    ...count("missing", "runs that are not recorded", 5, ({ missing }) => missing),
    ...count(
      "unpaired",
      "problems that only one of the method and the baseline has",
      12,
      ({ difference }) => difference?.unpaired ?? 0,
    ),
    ...count("failed", "runs of which every sample failed; they count as wrong", 5, ({ counts }) => counts.failed),
    ...count("failed samples", "samples that failed, of all runs", 13, ({ counts }) => counts.failedSamples),
    ...count("failed scores", "scores that failed, of all runs", 13, ({ counts }) => counts.failedScores),
    ...count("denied", "samples and scores that the budget denied", 12, ({ counts }) => counts.denied),
    ...count(
      "abstained",
      'runs that said "I don\'t know"; they count as not right',
      5,
      ({ counts }) => counts.abstained,
    ),
    ...count("unknown", "runs whose correctness nobody can tell; they do not count", 5, ({ counts }) => counts.unknown),
  ];
}

/** Whether the difference is there after adjusting, and its sign. */
export function verdictOf({ difference }: Cell, level: number): "better" | "worse" | undefined {
  if (difference?.holm.value === undefined || difference.holm.value > 1 - level) return undefined;
  const { value = 0 } = difference.estimate;
  return value > 0 ? "better" : value < 0 ? "worse" : undefined;
}

/** As in "with 95% bands"; where none of the estimates has one, why. */
export const intervalsText = (estimates: readonly Estimate[], level: number, noun: "bands" | "intervals"): string =>
  estimates.some(({ low }) => low !== undefined)
    ? `with ${levelText(level)} ${noun}`
    : `without ${noun} (${estimates.find(({ why }) => why !== undefined)?.why ?? "there is nothing to show"})`;

export const levelText = (level: number): string => `${points(level).replace(/\.0$/, "")}%`;
