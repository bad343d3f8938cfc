/** What line figures share: bands, lines with marks, and axes in percent. */
import type * as PlotLibrary from "@observablehq/plot";
import type { EndLabel } from "./labels.ts";
import type { Look } from "./looks.ts";
import type { Plot } from "./plot.ts";

export interface LinePoint {
  readonly x: number;
  /** In percent, as are the bounds. */
  readonly y: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

export interface LineSeries {
  readonly name: string;
  readonly look: Look;
  readonly points: readonly LinePoint[];
}

/** A share as percent, where there is one. */
export const inPercent = ({
  value,
  low,
  high,
}: {
  readonly value: number | undefined;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}): Omit<LinePoint, "x"> | undefined =>
  value === undefined
    ? undefined
    : { y: 100 * value, ...(low === undefined || high === undefined ? {} : { low: 100 * low, high: 100 * high }) };

/** Of all bands first, then of all lines, so that no band hides a line. */
export function seriesMarks(plot: Plot, series: readonly LineSeries[]): PlotLibrary.Markish[] {
  return [
    ...series.map(({ look, points }) =>
      plot.areaY(
        points.filter(({ low }) => low !== undefined),
        { x: "x", y1: "low", y2: "high", fill: look.color, fillOpacity: series.length > 4 ? 0.06 : 0.1 },
      ),
    ),
    ...series.flatMap(({ look: { color, dash, symbol }, points }) => [
      plot.line(points, {
        x: "x",
        y: "y",
        stroke: color,
        strokeWidth: 1.8,
        strokeLinejoin: "round",
        ...(dash === undefined ? {} : { strokeDasharray: dash }),
      }),
      ...(points.length <= 24 ? [plot.dot(points, { x: "x", y: "y", fill: color, symbol, r: 3.4 })] : []),
    ]),
  ];
}

/** Faint lines for what is not named. */
export const unnamedMarks = (plot: Plot, series: readonly (readonly LinePoint[])[]): PlotLibrary.Markish[] =>
  series.map((points) =>
    plot.line(points, { x: "x", y: "y", stroke: "currentColor", strokeOpacity: 0.22, strokeWidth: 1 }),
  );

export const endsOf = (series: readonly LineSeries[]): EndLabel[] =>
  series.flatMap(({ name, look, points }) => {
    const last = points.at(-1);
    return last ? [{ x: last.x, y: last.y, text: name, look }] : [];
  });

/** Percent from and to multiples of ten around everything that is drawn. */
export function percentDomain(points: readonly LinePoint[]): [number, number] {
  const all = points.flatMap(({ y, low = y, high = y }) => [y, low, high]);
  if (all.length === 0) return [0, 100];
  const least = Math.max(0, 10 * Math.floor(Math.min(...all) / 10));
  const most = Math.min(100, 10 * Math.ceil(Math.max(...all) / 10));
  return most > least ? [least, most] : [Math.max(0, least - 10), Math.min(100, most + 10)];
}

/** A faint grid, and no more lines than needed. */
export const percentAxis = (plot: Plot, label: string): PlotLibrary.Markish[] => [
  plot.gridY({ stroke: "currentColor", strokeOpacity: 0.12, ticks: 6 }),
  plot.axisY({ label, ticks: 6, tickSize: 0, labelArrow: "none" }),
];
