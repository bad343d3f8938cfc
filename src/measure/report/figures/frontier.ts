/** What a token buys: every method at every budget by its mean cost, and the frontier of those that nothing beats. */
import { budgetText, compact, percent, plural, short } from "../numbers.ts";
import { type Frontier, isMissing, type Report } from "../report.ts";
import { endLabels, heightFor, marginFor } from "./labels.ts";
import { endsOf, type LineSeries, percentAxis, percentDomain, unnamedMarks } from "./lines.ts";
import { looksOf, paper, unnamedNote } from "./looks.ts";
import type { FigurePlan } from "./plot.ts";

export function frontierFigure(report: Report): FigurePlan | undefined {
  const { frontier, evaluation } = report;
  if (isMissing(frontier) || frontier.members.length < 2) return undefined;
  const looks = looksOf(report);
  const pointsOf = (method: string) =>
    frontier.members
      .filter((member) => member.method === method)
      .map(({ cost, quality, onFrontier, share }) => ({ x: cost, y: 100 * quality, onFrontier, share }));
  const series = [...looks].map(([method, look]) => ({ name: method, look, points: pointsOf(method) }));
  const others = evaluation.methods.filter((method) => !looks.has(method)).map(pointsOf);
  const best = frontier.members
    .filter(({ onFrontier }) => onFrontier)
    .map(({ cost, quality }) => ({ x: cost, y: 100 * quality }));
  const costs = frontier.members.map(({ cost }) => cost);
  const domain = wideEnough(Math.min(...costs) / 1.15, Math.max(...costs) * 1.15);
  const ticks = Array.from({ length: 18 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power))
    .flat()
    .filter((tick) => tick >= domain[0] && tick <= domain[1]);
  return {
    name: "frontier",
    title: "What tokens buy",
    caption: `Mean accuracy against mean tokens of a run, generated and read, on ${plural(frontier.problems, "problem")} that all have. The grey line is the frontier: full marks lie on it, hollow ones are beaten by something cheaper and at least as good. A frontier is picked from noisy figures, so it flatters: ${surenessOf(report, frontier)}${unnamedNote(report, looks)}`,
    plot: (plot) => ({
      height: heightFor(series.length),
      marginRight: marginFor(series.map(({ name }) => name)),
      marginLeft: 44,
      marginTop: 32,
      marginBottom: 44,
      x: { type: "log", domain },
      y: { domain: percentDomain([...series.flatMap(({ points }) => points), ...others.flat()]) },
      marks: [
        percentAxis(plot, "accuracy, %"),
        plot.axisX(ticks, {
          text: compact,
          label: "tokens of a run (log scale)",
          labelAnchor: "center",
          labelArrow: "none",
          tickSize: 4,
        }),
        plot.line(best, {
          x: "x",
          y: "y",
          stroke: "currentColor",
          strokeOpacity: 0.2,
          strokeWidth: 7,
          curve: "step-after",
          strokeLinecap: "round",
          strokeLinejoin: "round",
        }),
        unnamedMarks(plot, others),
        series.map(({ look: { color, dash, symbol }, points }) => [
          plot.line(points, {
            x: "x",
            y: "y",
            stroke: color,
            strokeWidth: 1.3,
            ...(dash === undefined ? {} : { strokeDasharray: dash }),
          }),
          plot.dot(
            points.filter(({ onFrontier }) => !onFrontier),
            { x: "x", y: "y", stroke: color, fill: paper, symbol, r: 4.2, strokeWidth: 1.5 },
          ),
          plot.dot(
            points.filter(({ onFrontier }) => onFrontier),
            { x: "x", y: "y", fill: color, symbol, r: 4.8 },
          ),
        ]),
        endLabels(plot, endsOf(series satisfies LineSeries[])),
      ],
    }),
  };
}

/** Those on the frontier that most often fall off it. */
function surenessOf({ evaluation }: Report, { members }: Frontier): string {
  const unsure = members
    .filter(({ onFrontier, share }) => onFrontier && share < 0.95)
    .toSorted((a, b) => a.share - b.share)
    .slice(0, 3)
    .map(
      ({ method, budget, share }) =>
        `${short(method)} at ${budgetText(evaluation.budgets[budget] ?? {})} ${percent(share)}`,
    );
  return unsure.length === 0
    ? "here each point stays on it in at least 95% of resamples of the problems."
    : `the least sure stay on it in so many resamples of the problems: ${unsure.join(", ")}.`;
}

/** A factor of three at least, so that a tick or two are inside. */
function wideEnough(least: number, most: number): [number, number] {
  const missing = Math.sqrt(Math.max(1, 3 / (most / least)));
  return [least / missing, most * missing];
}
