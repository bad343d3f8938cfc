/** Accuracy against budget: one line a method; with a single budget one row a method. */
import type { Budget } from "../../../budget.ts";
import { limits } from "../../../budget.ts";
import type { Estimate } from "../../estimate.ts";
import { budgetText, compact, short, shown } from "../numbers.ts";
import type { Cell, Report } from "../report.ts";
import { intervalsText } from "../table.ts";
import { endLabels, heightFor, marginFor } from "./labels.ts";
import { endsOf, inPercent, type LineSeries, percentAxis, percentDomain, seriesMarks, unnamedMarks } from "./lines.ts";
import { ink, looksOf, unnamedNote } from "./looks.ts";
import type { FigurePlan } from "./plot.ts";

export function accuracyFigure(report: Report): FigurePlan | undefined {
  if (report.cells.every(({ accuracy }) => accuracy.value === undefined)) return undefined;
  return report.evaluation.budgets.length === 1 ? byMethod(report) : byBudget(report);
}

const measuredIn = (cells: readonly Cell[]): Estimate[] =>
  cells.flatMap(({ accuracy }) => (accuracy.value === undefined ? [] : [accuracy]));

function byBudget(report: Report): FigurePlan {
  const { evaluation, cells, level } = report;
  const measured = measuredIn(cells);
  const axis = axisOf(evaluation.budgets);
  const looks = looksOf(report);
  const pointsOf = (method: string) =>
    cells
      .filter((cell) => cell.method === method)
      .flatMap((cell) => {
        const point = inPercent(cell.accuracy);
        return point ? [{ ...point, x: axis.places[cell.budget] as number }] : [];
      })
      .sort((a, b) => a.x - b.x);
  const series: LineSeries[] = [...looks].map(([method, look]) => ({ name: method, look, points: pointsOf(method) }));
  const others = evaluation.methods.filter((method) => !looks.has(method)).map(pointsOf);
  const all = [...series.flatMap(({ points }) => points), ...others.flat()];
  return {
    name: "accuracy",
    title: "Accuracy against budget",
    caption: `Share of right answers at each budget, ${intervalsText(measured, level, "bands")}. A line above another at the same budget is the better use of it; bands that overlap do not say that two are equal, as differences are paired: see the table.${unnamedNote(report, looks)}`,
    plot: (plot) => ({
      height: heightFor(series.length),
      marginRight: marginFor(series.map(({ name }) => name)),
      marginLeft: 44,
      marginTop: 32,
      marginBottom: 44,
      x: { type: axis.isLog ? "log" : "linear", domain: axis.domain },
      y: { domain: percentDomain(all) },
      marks: [
        percentAxis(plot, "accuracy, %"),
        plot.axisX([...axis.places], {
          text: (place: number) => axis.names[axis.places.indexOf(place)] ?? "",
          label: axis.label,
          labelAnchor: "center",
          labelArrow: "none",
          tickSize: 4,
        }),
        unnamedMarks(plot, others),
        seriesMarks(plot, series),
        endLabels(plot, endsOf(series)),
      ],
    }),
  };
}

interface BudgetAxis {
  readonly isLog: boolean;
  readonly label: string;
  readonly places: readonly number[];
  readonly names: readonly string[];
  readonly domain: [number, number];
}

/** Budgets that limit one and the same quantity stand on its axis; others stand side by side. */
function axisOf(budgets: readonly Budget[]): BudgetAxis {
  const limit = limits.find((one) =>
    budgets.every((budget) => (budget[one] ?? 0) > 0 && Object.keys(budget).length === 1),
  );
  const amounts = limit ? budgets.map((budget) => budget[limit] as number) : [];
  if (limit && new Set(amounts).size === budgets.length) {
    const [least, most] = [Math.min(...amounts), Math.max(...amounts)];
    const label = {
      tokens: "tokens",
      promptTokens: "prompt tokens",
      calls: "calls",
      seconds: "seconds",
      dollars: "US dollars",
    }[limit];
    const names = amounts.map(compact);
    return {
      isLog: true,
      label: `budget of a run, ${label} (log scale)`,
      places: amounts,
      names,
      domain: [least * 0.94, most * 1.03],
    };
  }
  const places = [...budgets.keys()];
  const names = budgets.map((budget) => short(budgetText(budget), Math.max(8, Math.floor(80 / budgets.length))));
  return { isLog: false, label: "budget of a run", places, names, domain: [-0.2, budgets.length - 0.8] };
}

function byMethod(report: Report): FigurePlan {
  const { cells, level, baseline } = report;
  const measured = measuredIn(cells);
  const rows = cells.flatMap((cell: Cell) => {
    const point = inPercent(cell.accuracy);
    return point ? [{ ...point, method: cell.method }] : [];
  });
  const base = rows.find(({ method }) => method === baseline)?.y;
  const labels = new Map(rows.map(({ method }) => [method, short(method)]));
  return {
    name: "accuracy",
    title: `Accuracy with ${budgetText(report.evaluation.budgets[0] ?? {})}`,
    caption: `Share of right answers, ${intervalsText(measured, level, "intervals")}.${baseline === null ? "" : ` The dashed line is ${shown(baseline)}; whether a method differs from it is in the table, by pairs.`}`,
    plot: (plot) => ({
      height: 74 + 24 * rows.length,
      marginLeft: 14 + 6.6 * Math.max(4, ...[...labels.values()].map((label) => label.length)),
      marginRight: 30,
      marginBottom: 44,
      x: { domain: percentDomain(rows.map((row) => ({ ...row, x: 0 }))) },
      y: { type: "point", domain: rows.map(({ method }) => method), padding: 0.6 },
      marks: [
        plot.gridX({ stroke: "currentColor", strokeOpacity: 0.12 }),
        plot.axisX({ label: "accuracy, %", labelAnchor: "center", labelArrow: "none", tickSize: 0 }),
        plot.axisY({ tickSize: 0, label: null, tickFormat: (method: string) => labels.get(method) ?? "" }),
        base === undefined ? null : plot.ruleX([base], { strokeDasharray: "4 3", strokeOpacity: 0.6 }),
        plot.ruleY(
          rows.filter(({ low }) => low !== undefined),
          { y: "method", x1: "low", x2: "high", stroke: "#0072b2", strokeWidth: 2.2, strokeLinecap: "round" },
        ),
        plot.dot(rows, { y: "method", x: "y", fill: "#0072b2", r: 4 }),
        plot.dot(
          rows.filter(({ method }) => method === baseline),
          { y: "method", x: "y", fill: ink, r: 4 },
        ),
      ],
    }),
  };
}
