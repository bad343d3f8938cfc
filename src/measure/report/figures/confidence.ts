/** Whether confidences say how often an answer is right; and what is gained by answering only where they are high. */
import { short, shown, whole } from "../numbers.ts";
import type { Confidence, Report } from "../report.ts";
import { levelText } from "../table.ts";
import { endLabels, heightFor, marginFor } from "./labels.ts";
import { endsOf, type LineSeries, percentAxis, percentDomain, seriesMarks } from "./lines.ts";
import { ink, looksOf } from "./looks.ts";
import { type FigurePlan, panelGap } from "./plot.ts";

/** Panels of a row, and rows of a figure. */
const [across, down] = [3, 2];

/** The named methods that state confidences. */
const statedOf = (report: Report): Confidence[] => {
  const looks = looksOf(report);
  return report.confidence.filter(({ method }) => looks.has(method));
};

export function reliabilityFigure(report: Report): FigurePlan | undefined {
  const looks = looksOf(report);
  const stated = statedOf(report).slice(0, across * down);
  if (stated.length === 0) return undefined;
  const columns = Math.min(across, stated.length);
  const rows = Math.ceil(stated.length / across);
  const placeOf = (i: number) => ({ fx: i % across, fy: Math.floor(i / across) });
  const bins = stated.flatMap(({ method, bins: own, items }, i) =>
    own.map(({ confidence, accuracy, low, high, count }) => ({
      ...placeOf(i),
      confidence: 100 * confidence,
      accuracy: 100 * accuracy,
      low: 100 * low,
      high: 100 * high,
      count,
      // Counts stand below 0, in a strip of their own.
      bar: -32 + 22 * (count / Math.max(...own.map((bin) => bin.count), items / 10)),
      look: looks.get(method),
    })),
  );
  const titles = stated.map(({ method, calibrationError: { value, whenCalibrated } }, i) => ({
    ...placeOf(i),
    name: short(method, columns === 1 ? 60 : 24),
    error: value === undefined ? "" : `ECE ${value.toFixed(3)}, by chance ${(whenCalibrated ?? 0).toFixed(3)}`,
  }));
  const frames = titles.map(({ fx, fy }) => ({ fx, fy, from: 0, to: 100 }));
  const width = 78 + 214 * columns;
  return {
    name: "reliability",
    title: "Are confidences what they say?",
    caption: `Answers in ten bins of stated confidence: the share that was right, with ${levelText(report.level)} intervals; below, how many answers each bin holds. On the diagonal a confidence says the truth; below it, it is too high. ECE is the mean distance, beside what perfect confidences would show by chance.`,
    plot: (plot) => ({
      width,
      height: 106 + 200 * rows + (rows - 1) * 86,
      marginLeft: 54,
      marginRight: 12,
      marginTop: 56,
      marginBottom: 46,
      x: { domain: [0, 100] },
      y: { domain: [-32, 100] },
      fx: { axis: null, domain: Array.from({ length: columns }, (_, i) => i), ...panelGap(columns, 0.12) },
      fy: { axis: null, domain: Array.from({ length: rows }, (_, i) => i), ...panelGap(rows, 0.3) },
      marks: [
        plot.gridY([0, 50, 100], { stroke: "currentColor", strokeOpacity: 0.12 }),
        plot.axisY([0, 50, 100], {
          label: "right, %",
          labelArrow: "none",
          tickSize: 0,
          fx: 0,
          labelOffset: 46,
          labelAnchor: "center",
        }),
        plot.axisX([0, 50, 100], {
          label: "stated confidence, %",
          labelAnchor: "center",
          labelArrow: "none",
          tickSize: 4,
        }),
        plot.link(frames, {
          fx: "fx",
          fy: "fy",
          x1: "from",
          y1: "from",
          x2: "to",
          y2: "to",
          stroke: "currentColor",
          strokeOpacity: 0.5,
          strokeDasharray: "4 3",
        }),
        plot.text(titles, {
          fx: "fx",
          fy: "fy",
          text: "name",
          frameAnchor: "top-left",
          dy: -36,
          fontWeight: 600,
          fontSize: 12.5,
        }),
        plot.text(titles, {
          fx: "fx",
          fy: "fy",
          text: "error",
          frameAnchor: "top-left",
          dy: -19,
          fontSize: 11,
          fillOpacity: 0.8,
        }),
        plot.ruleX(bins, {
          fx: "fx",
          fy: "fy",
          x: "confidence",
          y1: () => -32,
          y2: "bar",
          stroke: "currentColor",
          strokeOpacity: 0.3,
          strokeWidth: 8,
        }),
        plot.text(bins, {
          fx: "fx",
          fy: "fy",
          x: "confidence",
          y: "bar",
          text: ({ count }: { count: number }) => whole(count),
          dy: -6,
          fontSize: 9,
        }),
        stated.map(({ method }, i) => {
          const own = bins.filter(({ fx, fy }) => fx === placeOf(i).fx && fy === placeOf(i).fy);
          const { color = ink, symbol = "circle" } = looks.get(method) ?? {};
          return [
            plot.ruleX(own, {
              fx: "fx",
              fy: "fy",
              x: "confidence",
              y1: "low",
              y2: "high",
              stroke: color,
              strokeWidth: 1.6,
            }),
            plot.dot(own, { fx: "fx", fy: "fy", x: "confidence", y: "accuracy", fill: color, symbol, r: 3.6 }),
          ];
        }),
      ],
    }),
  };
}

export function riskCoverageFigure(report: Report): FigurePlan | undefined {
  const looks = looksOf(report);
  const series: LineSeries[] = statedOf(report).flatMap(({ method, riskCoverage }) => {
    const look = looks.get(method);
    return look
      ? [
          {
            name: method,
            look,
            points: riskCoverage.map(({ coverage, risk }) => ({ x: 100 * coverage, y: 100 * risk })),
          },
        ]
      : [];
  });
  if (series.length === 0) return undefined;
  return {
    name: "risk-coverage",
    title: "What is gained by not answering",
    caption: `Answering the most confident questions first: of those answered, the share that is wrong. At the right end everything is answered. A line that falls steeply to the left belongs to a confidence that knows what ${series.length === 1 ? shown(series[0]?.name ?? "") : "its method"} does not know; a flat one to a confidence that is worth nothing.`,
    plot: (plot) => ({
      height: heightFor(series.length) - 40,
      marginRight: marginFor(series.map(({ name }) => name)),
      marginLeft: 44,
      marginTop: 32,
      marginBottom: 44,
      x: { domain: [0, 101] },
      y: { domain: [0, percentDomain(series.flatMap(({ points }) => points))[1]] },
      marks: [
        percentAxis(plot, "wrong among the answered, %"),
        plot.axisX([0, 20, 40, 60, 80, 100], {
          label: "answered, %",
          labelAnchor: "center",
          labelArrow: "none",
          tickSize: 4,
        }),
        seriesMarks(plot, series),
        endLabels(plot, endsOf(series)),
      ],
    }),
  };
}
