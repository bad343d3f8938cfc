/** What a reader must know to believe the figures: what was run, which estimators, how many comparisons. */
import { fewestForBootstrap } from "./cells.ts";
import { budgetText, compact, dateText, dollars, plural, short, shown, whole } from "./numbers.ts";
import type { Report } from "./report.ts";
import { levelText } from "./table.ts";

/** What was run, from the question to the bill. */
export function headOf({ evaluation, runs }: Report): string[] {
  const { task, model, methods, budgets, problems, clusters, seeds, startedAt, finishedAt, revision } = evaluation;
  const asked = `${plural(problems, "problem")}${clusters === null ? "" : ` in ${plural(clusters, "cluster")}`}`;
  return [
    `${shown(task)} · ${shown(model)} · ${asked} × ${plural(seeds, "seed")} · ${plural(methods.length, "method")} × ${plural(budgets.length, "budget")}`,
    `${dateText(startedAt)}${finishedAt === null ? "" : ` to ${dateText(finishedAt)}`}${revision === null ? "" : ` · revision ${shown(revision)}`}`,
    `${plural(runs.recorded, "run")} · charged ${billOf(runs)}${runs.dollars > 0 ? ` · paid ${dollars(runs.paidDollars)}` : ""}`,
  ];
}

const billOf = ({ tokens, promptTokens, calls, dollars: price }: Report["runs"]): string =>
  [
    `${compact(tokens)} tokens`,
    `${compact(promptTokens)} prompt tokens`,
    `${compact(calls)} calls`,
    ...(price > 0 ? [dollars(price)] : []),
  ].join(", ");

/** What is wrong with the evaluation as a whole: nothing, mostly. */
export function warningsOf({ runs, evaluation }: Report): string[] {
  const { expected, recorded, ignored, complete } = runs;
  const warnings = [];
  if (!complete)
    warnings.push(
      recorded < expected
        ? `Unfinished: ${whole(recorded)} of ${plural(expected, "run")} are recorded, and the figures are of those`
        : "Unfinished: all runs are recorded, but the evaluation has not ended",
    );
  if (ignored > 0) warnings.push(`${plural(ignored, "record")} left out: repeated, or not of this evaluation`);
  if (evaluation.problems < 30)
    warnings.push(
      `${plural(evaluation.problems, "problem")} ${evaluation.problems === 1 ? "is" : "are"} few: intervals are wide, and tests find little`,
    );
  return warnings;
}

/** What the intervals are, and how many looks were taken; in sentences. */
export function notesOf(report: Report): string[] {
  const { level, cells, baseline, evaluation } = report;
  const once = cells.every(({ seeds }) => seeds <= 1) && evaluation.clusters === null;
  const unit = evaluation.clusters === null ? "problems" : "clusters of problems";
  const bootstrapped = `a bootstrap over ${unit}`;
  const name = report.interval === "wilson" ? "Wilson's" : "Jeffreys'";
  const compared = cells.flatMap(({ difference }) => (difference ? [difference] : []));
  const tried = compared[0]?.tried ?? 0;
  const estimator = !once
    ? bootstrapped
    : compared.length === 0
      ? name
      : `${name} for accuracies, ${bootstrapped} for differences`;
  const isFew = (evaluation.clusters ?? evaluation.problems) < fewestForBootstrap && estimator !== name;
  const bySize = evaluation.clusters === null ? "" : " if all are of one size, else none";
  const few = isFew ? ` (by betting where there are fewer than ${fewestForBootstrap}${bySize})` : "";
  const tests = [
    ...new Set(compared.map(({ test }) => (test === "McNemar" ? "McNemar's exact test" : "a sign-flip test"))),
  ];
  return [
    `Intervals are ${levelText(level)}, each by itself: ${estimator}${evaluation.seeds > 1 ? ", each problem the mean of its seeds" : ""}${few}.`,
    ...(baseline === null || compared.length === 0
      ? []
      : [
          `Δ is paired by problem with ${short(baseline, 40)} at the same budget; p is from ${tests.join(" or ")}, adjusted by Holm for the ${plural(tried, "method")} tried at a budget, ${plural(compared.length, "comparison")} in all.`,
        ]),
  ];
}

export interface Explained {
  readonly what: string;
  readonly how: string;
  readonly source?: string;
}

/** How the figures are made, with their sources. */
export function explained({ interval, evaluation, coverage }: Report): Explained[] {
  const unit = evaluation.clusters === null ? "problems" : "clusters";
  const asIndependent =
    evaluation.clusters === null ? "" : " Problems count as independent here, which those of a cluster are not.";
  return [
    {
      what: "Accuracy",
      how: "Mean over problems of the share of seeds that are right. An abstention is not right; no answer is wrong; runs whose correctness nobody can tell are left out and counted.",
    },
    {
      what: "Its interval",
      how: `With one seed and independent problems ${interval === "wilson" ? "Wilson's score interval" : "Jeffreys' interval, the posterior under Beta(1/2, 1/2)"}. Else BCa bootstrap over ${unit}, as the seeds of a problem are no news of other problems; with fewer than 100, or where all are alike, by betting, which holds for any number${evaluation.clusters === null ? "" : " of clusters of one size; for those of several sizes there is none"}.`,
      source: "Wilson 1927; Efron 1987; Miller 2024, arXiv:2411.00640; Waudby-Smith & Ramdas, arXiv:2010.09686",
    },
    {
      what: "Difference",
      how: "On the problems that both have, each the mean over its seeds; interval by the same bootstrap over the differences, also with one seed.",
    },
    {
      what: "p",
      how: "Exact McNemar with one seed and independent problems, else 9,999 random signs of the differences. Adjusted by Holm for every method of the evaluation at that budget, whether it is shown or not.",
      source: "McNemar 1947; Fisher 1935, §21; Holm 1979",
    },
    {
      what: "Cost",
      how: "What the method is charged, as if it had paid for everything; “paid now” is the share that was not in the ledger already. FLOPs are 2 · parameters · (tokens + prompt tokens). Seconds are of each run's own clock: runs side by side share the machine, and replies out of the ledger take no time.",
      source: "Kaplan et al. 2020, arXiv:2001.08361, §2.1",
    },
    {
      what: "Coverage, votes, best of k",
      how: `Averages over all k-subsets of each problem's candidates, unbiased; bootstrap over ${unit}.${"why" in coverage ? "" : ` From ${shown(coverage.method)} at ${budgetText(evaluation.budgets[coverage.budget] ?? {})}, the method with the most independent samples a problem: ${whole(coverage.samples)}.`} The law exp(a·k^b) is fitted by least squares; beyond the last k it is a guess that the data cannot check.`,
      source: "Chen et al. 2021, arXiv:2107.03374, §2.1; Brown et al. 2024, arXiv:2407.21787",
    },
    {
      what: "Calibration",
      how: `One run a problem. The expected calibration error is over ten bins of equal width, beside what perfect confidences would show by chance; Brier's score is the mean of (confidence − right)²; AUROC is the chance that a right answer has the higher confidence, with DeLong's interval.${asIndependent}`,
      source: "Guo et al. 2017, arXiv:1706.04599; Brier 1950; DeLong et al. 1988",
    },
    {
      what: "Risk and coverage",
      how: "Answering the most confident first: the share of wrong answers among those given. AURC is its mean over coverages.",
      source: "El-Yaniv & Wiener 2010; Geifman et al. 2018, arXiv:1805.08206",
    },
    {
      what: "Frontier",
      how: `On problems that every method has at every budget. A point is on it if nothing is both as cheap and as good; the share says in how many of 2,000 resamples of the problems it stays on it. The hypervolume is accuracy × powers of ten of tokens below the reference. Accuracies at matched cost lie between a method's budgets, on their line in log cost.${asIndependent}`,
      source: "Zitzler & Thiele 1998",
    },
  ];
}
