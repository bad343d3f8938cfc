/** What an evaluation has found, in a few sentences: who is better, what more samples give, whose confidence to trust. */
import { budgetText, none, points, short, signed } from "./numbers.ts";
import { type Cell, isMissing, type Report } from "./report.ts";
import { verdictOf } from "./table.ts";

/** Where there is a sentence for it; none for an evaluation without runs. */
export function findingsOf(report: Report): string[] {
  const { coverage, confidence, frontier, evaluation } = report;
  const lines = comparisonOf(report);
  if (!isMissing(coverage)) {
    const last = coverage.passAtK.at(-1);
    const plateau = coverage.plateau.value;
    if (last?.value !== undefined)
      lines.push(
        `Coverage of ${short(coverage.method, 40)}: ${points(last.value)}% of problems are solved by one of ${coverage.samples} samples${plateau === undefined ? "" : `; a vote of all solves ${points(plateau)}%`}.`,
      );
  }
  for (const { method, calibrationError, auroc } of confidence.slice(0, 3))
    lines.push(
      `Confidence of ${short(method, 40)}: calibration error ${textOf(calibrationError.value)} (${textOf(calibrationError.whenCalibrated)} by chance), AUROC ${textOf(auroc.value)}.`,
    );
  if (!isMissing(frontier)) {
    const on = frontier.members.filter(({ onFrontier }) => onFrontier);
    const names = on.map(
      ({ method, budget }) =>
        `${short(method, 40)}${evaluation.budgets.length > 1 ? ` at ${budgetText(evaluation.budgets[budget] ?? {})}` : ""}`,
    );
    lines.push(`Worth their tokens: ${names.join("; ")}.`);
  }
  return lines;
}

/** At the last budget alone: the table says the rest. */
function comparisonOf({ cells, baseline, evaluation, level }: Report): string[] {
  const { budgets } = evaluation;
  const compared = cells.filter(
    ({ budget, difference }) => budget === budgets.length - 1 && difference?.holm.value !== undefined,
  );
  if (baseline === null || compared.length === 0) return [];
  const groups = [
    { verdict: "better", words: "better are" },
    { verdict: "worse", words: "worse are" },
    { verdict: undefined, words: "no difference is shown for" },
  ] as const;
  const said = groups.flatMap(({ verdict, words }) => {
    const members = compared.filter((cell) => verdictOf(cell, level) === verdict);
    return members.length === 0 ? [] : [`${words} ${namesOf(members)}`];
  });
  const place = budgets.length > 1 ? ` at ${budgetText(budgets.at(-1) ?? {})}` : "";
  return [`Against ${short(baseline, 40)}${place}, in points: ${said.join("; ")}.`];
}

const mostNamed = 6;

function namesOf(cells: readonly Cell[]): string {
  const named = cells
    .slice(0, mostNamed)
    .map(({ method, difference }) => `${short(method, 40)} (${signed(difference?.estimate.value ?? 0)})`);
  const rest = cells.length - named.length;
  return `${named.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

const textOf = (value: number | undefined): string => (value === undefined ? none : value.toFixed(2));
