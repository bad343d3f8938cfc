/** What more samples give: coverage with its law, the vote with its plateau, the best of k by each scorer. */
import { coverageAt } from "../../coverage-fit.ts";
import type { Point } from "../../pass-at-k.ts";
import { plural, points as pointsText, shown } from "../numbers.ts";
import { isMissing, type Report } from "../report.ts";
import { intervalsText } from "../table.ts";
import { endLabels, heightFor, marginFor } from "./labels.ts";
import {
  endsOf,
  inPercent,
  type LinePoint,
  type LineSeries,
  percentAxis,
  percentDomain,
  seriesMarks,
} from "./lines.ts";
import { lookOf } from "./looks.ts";
import type { FigurePlan } from "./plot.ts";

/** Scorers in the figure; there may be more in the table. */
const mostScorers = 4;

export function coverageFigure({ coverage, level }: Report): FigurePlan | undefined {
  if (isMissing(coverage) || coverage.passAtK.every(({ value }) => value === undefined)) return undefined;
  const { method, samples, law, plateau, problems } = coverage;
  const series: LineSeries[] = [
    { name: "coverage (any of k)", look: lookOf(0), points: linePoints(coverage.passAtK) },
    { name: "majority of k", look: lookOf(1), points: linePoints(coverage.majority) },
    ...coverage.bestOfK.slice(0, mostScorers).map(({ scorer, points }, i) => ({
      name: `best of k by ${scorer}`,
      look: lookOf(2 + i),
      points: linePoints(points),
    })),
  ].filter(({ points }) => points.length > 0);
  const beyond = isMissing(law) ? [] : linePoints(law.extrapolated);
  const fitted = isMissing(law) ? [] : fittedPoints(law, Math.max(samples, ...beyond.map(({ x }) => x)));
  const ends = endsOf(series);
  const last = beyond.at(-1);
  if (last && ends[0]) ends[0] = { ...ends[0], x: last.x, y: last.y };
  const most = last?.x ?? Math.max(2, samples);
  const ticks: number[] = [];
  for (let k = 1; k <= most; k *= most > 300 ? 4 : 2) ticks.push(k);
  const vote =
    plateau.value === undefined
      ? ""
      : ` A vote of all samples solves ${pointsText(plateau.value)}%, which is about where more votes end.`;
  const guess = last
    ? " Right of the rule nothing was measured: the dotted line is the fitted law exp(a·k^b) alone."
    : "";
  return {
    name: "coverage",
    title: "What more samples give",
    caption: `Of ${shown(method)}, ${plural(problems, "problem")}, ${intervalsText(coverage.passAtK, level, "bands")}. The gap between coverage and the other lines is what a better choice among the same samples could gain.${vote}${guess}`,
    plot: (plot) => ({
      height: heightFor(series.length),
      marginRight: marginFor(series.map(({ name }) => name)),
      marginLeft: 44,
      marginTop: 32,
      marginBottom: 44,
      x: { type: "log", base: 2, domain: [1, most * 1.03] },
      y: { domain: percentDomain([...series.flatMap(({ points }) => points), ...beyond]) },
      marks: [
        percentAxis(plot, "problems solved, %"),
        plot.axisX(ticks, {
          text: (k: number) => `${k}`,
          label: "k, samples a problem (log scale)",
          labelAnchor: "center",
          labelArrow: "none",
          tickSize: 4,
        }),
        last
          ? [
              plot.ruleX([samples], { stroke: "currentColor", strokeOpacity: 0.45, strokeWidth: 1 }),
              (["measured", "extrapolated"] as const).map((word) =>
                plot.text([samples], {
                  x: (k: number) => k,
                  frameAnchor: "top",
                  textAnchor: word === "measured" ? "end" : "start",
                  dx: word === "measured" ? -6 : 6,
                  dy: -14,
                  text: () => word,
                  fillOpacity: 0.75,
                  fontSize: 11,
                }),
              ),
            ]
          : null,
        plot.areaY(
          beyond.filter(({ low }) => low !== undefined),
          { x: "x", y1: "low", y2: "high", fill: lookOf(0).color, fillOpacity: 0.07 },
        ),
        plot.line(fitted, {
          x: "x",
          y: "y",
          stroke: lookOf(0).color,
          strokeWidth: 1.2,
          strokeDasharray: "2 4",
          curve: "natural",
        }),
        plot.dot(beyond, { x: "x", y: "y", stroke: lookOf(0).color, fill: "none", r: 3 }),
        seriesMarks(plot, series),
        endLabels(plot, ends),
      ],
    }),
  };
}

const linePoints = (points: readonly Point[]): LinePoint[] =>
  points.flatMap((point) => {
    const shares = inPercent(point);
    return shares ? [{ ...shares, x: point.k }] : [];
  });

/** Evenly in the log, dense enough for a smooth line. */
function fittedPoints(law: { readonly a: number; readonly b: number }, most: number): LinePoint[] {
  const steps = 48;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const x = most ** (i / steps);
    return { x, y: 100 * Math.min(1, coverageAt(law, x)) };
  });
}
