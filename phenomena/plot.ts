/**
 * Figures as SVG texts: one or more charts side by side, with intervals, and names beside the curves in place of a legend.
 *
 * Colours are those of Okabe & Ito, which people of every colour vision tell apart; ink on white, so that a figure reads the same on
 * light and dark pages.
 */
import * as Plot from "@observablehq/plot";
import { JSDOM } from "jsdom";
import type { Axis, Bar, Panel, Point } from "./phenomenon.ts";

const colours = ["#0072B2", "#D55E00", "#009E73", "#AA4499", "#8A6D00", "#56606B"];
const ink = "#1f2328";
const faint = "#8b949e";
const font = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
const gap = 16;
const titleHeight = 30;

export function figure(panels: readonly Panel[]): string {
  const width = panels.length === 1 ? 620 : panels.length === 2 ? 430 : 330;
  const height = 320;
  const { document } = new JSDOM("").window;
  const all = panels.length * width + (panels.length + 1) * gap;
  const whole = titleHeight + height + gap;
  const parts = panels.map((panel, i) => {
    const chart =
      panel.kind === "curves" ? curves(panel, { document, width, height }) : bars(panel, { document, width, height });
    const x = gap + i * (width + gap);
    chart.setAttribute("x", String(x));
    chart.setAttribute("y", String(titleHeight));
    return `<text x="${x + 4}" y="22" font-size="14" font-weight="600">${escaped(panel.title)}</text>\n${chart.outerHTML}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${all} ${whole}" width="${all}" height="${whole}" font-family="${font}" fill="${ink}">
<rect width="100%" height="100%" rx="6" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

interface Canvas {
  readonly document: Document;
  readonly width: number;
  readonly height: number;
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const percentage = (value: number): string => `${Math.round(100 * value)}%`;

function scaleOf(axis: Axis): Plot.ScaleOptions {
  return {
    label: null,
    ...(axis.log === true && { type: "log" as const }),
    ...(axis.domain ? { domain: axis.domain } : { nice: axis.log !== true }),
  };
}

/** A thousand is 1k. */
function tickFormat({ percent = false }: Axis): (value: number) => string {
  if (percent) return percentage;
  return (value) => (value >= 1000 ? `${value / 1000}k` : String(Number(value.toPrecision(3))));
}

/** Few different values are ticks themselves; on log axes powers of ten are; else as many as Plot thinks fit. */
function ticksOf({ log = false }: Axis, values: readonly number[]): number[] | number {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  if (distinct.length <= 8 && distinct.every(Number.isInteger)) return distinct;
  if (!log) return distinct.length <= 7 && distinct.every((value) => Number.isInteger(4 * value)) ? distinct : 5;
  const [low, high] = [distinct[0] as number, distinct.at(-1) as number].map(Math.log10) as [number, number];
  const between = high - low < 2 ? [1, 2, 5] : [1];
  const round = Array.from({ length: 20 }, (_, i) => between.map((digit) => digit * 10 ** (i - 10))).flat();
  return round.filter((tick) => {
    const at = Math.log10(tick);
    return at >= low - 1e-9 && at <= high + 1e-9;
  });
}

const base = ({ document, width, height }: Canvas): Plot.PlotOptions => ({
  document,
  width,
  height,
  className: "chart",
  style: { fontFamily: font, fontSize: "12px", color: ink, background: "none", overflow: "visible" },
});

function svg(options: Plot.PlotOptions): ReturnType<typeof Plot.plot> {
  const chart = Plot.plot(options);
  chart.removeAttribute("style"); // of its own sheet: what is needed is on the elements
  for (const sheet of chart.querySelectorAll("style")) sheet.remove();
  chart.setAttribute("font-size", "12");
  chart.setAttribute("font-family", font);
  chart.setAttribute("color", ink);
  return chart;
}

function curves(panel: Extract<Panel, { kind: "curves" }>, canvas: Canvas): ReturnType<typeof Plot.plot> {
  const series = [...new Set(panel.points.map((point) => point.series))];
  const colour = (name: string): string => colours[series.indexOf(name) % colours.length] as string;
  const ofSeries = (point: Point): string => colour(point.series);
  const named = series.length > 1;
  const joined = panel.points.filter(({ look }) => look === undefined);
  const laws = panel.points.filter(({ look }) => look === "law");
  const widest = Math.max(...series.map((name) => name.length));
  const marginLeft = panel.y.percent === true ? 60 : 80;
  const options: Plot.PlotOptions = {
    ...base(canvas),
    marginTop: 12,
    marginLeft,
    marginBottom: 46,
    marginRight: named ? 24 + 7.8 * widest : 40,
    x: scaleOf(panel.x),
    y: scaleOf(panel.y),
  };
  const [xTicks, yTicks] = [
    ticksOf(
      panel.x,
      panel.points.map(({ x }) => x),
    ),
    ticksOf(
      panel.y,
      panel.points.map(({ y }) => y),
    ),
  ];
  const marks: Plot.Markish[] = [
    Plot.gridY({ stroke: faint, strokeOpacity: 0.22, ticks: yTicks }),
    Plot.axisY({ label: null, tickSize: 0, ticks: yTicks, text: tickFormat(panel.y) }),
    Plot.axisX({ label: null, tickSize: 4, ticks: xTicks, text: tickFormat(panel.x) }),
    Plot.ruleX(
      panel.points.filter(({ low }) => low !== undefined),
      {
        x: "x",
        y1: "low",
        y2: "high",
        stroke: ofSeries,
        strokeWidth: 5,
        strokeOpacity: 0.28,
      },
    ),
    Plot.line(laws, { x: "x", y: "y", z: "series", stroke: ofSeries, strokeWidth: 1.5, strokeDasharray: "5,4" }),
    Plot.line(joined, { x: "x", y: "y", z: "series", stroke: ofSeries, strokeWidth: 2 }),
    Plot.dot(
      panel.points.filter(({ look }) => look !== "law"),
      { x: "x", y: "y", r: ({ look }: Point) => (look === "single" ? 5 : 3), fill: ofSeries, stroke: "white" },
    ),
    Plot.text(
      panel.points.filter(({ label }) => label !== undefined),
      {
        x: "x",
        y: "y",
        text: "label",
        dx: 8,
        dy: 12,
        textAnchor: "start",
        fill: ofSeries,
        stroke: "white",
        strokeWidth: 4,
      },
    ),
    Plot.text([panel.x.label], { frameAnchor: "bottom", dy: 38, text: (label: string) => label, fill: ink }),
    Plot.text([panel.y.label], {
      frameAnchor: "left",
      rotate: -90,
      dx: 10 - marginLeft,
      text: (label: string) => label,
      fill: ink,
      textAnchor: "middle",
    }),
  ];
  const scales = svg({ ...options, marks, r: { type: "identity" }, color: { type: "identity" } });
  const right = Math.max(...panel.points.map(({ x }) => x));
  const labels = named ? labelsOf(panel.points, series, scales) : [];
  return svg({
    ...options,
    marks: [
      ...marks,
      ...[true, false].map((beside) =>
        Plot.text(
          labels.filter(({ x }) => (x === right) === beside),
          {
            x: "x",
            y: "y",
            text: "series",
            textAnchor: beside ? "start" : "end",
            dx: beside ? 9 : -8,
            dy: beside ? 0 : 8,
            fill: ofSeries,
            fontWeight: 600,
          },
        ),
      ),
    ],
    r: { type: "identity" },
    color: { type: "identity" },
    ...(panel.y.domain === undefined && { y: { ...scaleOf(panel.y), domain: scales.scale("y")?.domain ?? [0, 1] } }),
  });
}

/** One for each series, at its last point, moved apart where they would lie upon one another at the right end. */
function labelsOf(points: readonly Point[], series: readonly string[], chart: Plot.Plot): Point[] {
  const [x, y] = [chart.scale("x"), chart.scale("y")];
  const right = Math.max(...points.map((point) => point.x));
  const ends = series
    .map((name) =>
      points.filter((point) => point.series === name).reduce((last, point) => (point.x >= last.x ? point : last)),
    )
    .map((point) => ({ point, at: Number(y?.apply(point.y)) }))
    .sort((a, b) => a.at - b.at);
  const beside = ends.filter(({ point }) => Number(x?.apply(right)) - Number(x?.apply(point.x)) < nearRight);
  for (let round = 0; round < 50; round++)
    for (const [i, lower] of beside.entries()) {
      const upper = beside[i - 1];
      if (!upper || lower.at - upper.at >= lineHeight) continue;
      const push = (lineHeight - (lower.at - upper.at)) / 2;
      upper.at -= push;
      lower.at += push;
    }
  return ends.map((end) => ({
    ...end.point,
    x: beside.includes(end) ? right : end.point.x,
    y: Number(y?.invert?.(end.at) ?? end.point.y),
  }));
}

/** In pixels. */
const lineHeight = 14;
const nearRight = 60;

function bars(panel: Extract<Panel, { kind: "bars" }>, canvas: Canvas): ReturnType<typeof Plot.plot> {
  const labels = panel.bars.map(({ label }) => label);
  const shownBars = panel.bars.filter(({ estimate }) => estimate.value !== undefined);
  const series = [...new Set(panel.bars.map((bar) => bar.series))];
  const colour = ({ series: name }: Bar): string =>
    series.length === panel.bars.length
      ? (colours[0] as string)
      : (colours[series.indexOf(name) % colours.length] as string);
  const value = ({ estimate }: Bar): number => estimate.value ?? 0;
  return svg({
    ...base(canvas),
    marginTop: 12,
    marginLeft: 16 + 6.4 * Math.max(...labels.map((label) => label.length)),
    marginRight: 20,
    marginBottom: 46,
    x: { ...scaleOf(panel.x), ...(panel.x.percent === true && { percent: false }) },
    y: { domain: labels, label: null, padding: 0.4 },
    marks: [
      Plot.gridX({ stroke: faint, strokeOpacity: 0.22 }),
      Plot.axisX({ label: null, tickSize: 0, tickFormat: tickFormat(panel.x), ticks: 5 }),
      Plot.axisY({ label: null, tickSize: 0 }),
      ...(panel.reference === undefined
        ? []
        : [Plot.ruleX([panel.reference], { stroke: ink, strokeDasharray: "3,4", strokeOpacity: 0.6 })]),
      Plot.link(
        shownBars.filter(({ estimate }) => estimate.low !== undefined),
        {
          x1: ({ estimate }: Bar) => estimate.low,
          x2: ({ estimate }: Bar) => estimate.high,
          y: "label",
          stroke: colour,
          strokeWidth: 8,
          strokeOpacity: 0.3,
          strokeLinecap: "round",
        },
      ),
      Plot.dot(shownBars, { x: value, y: "label", r: 5, fill: colour, stroke: "white" }),
      Plot.text(shownBars, {
        x: value,
        y: "label",
        dy: -14,
        text: (bar: Bar) => tickFormat(panel.x)(value(bar)),
        fill: colour,
        stroke: "white",
        strokeWidth: 4,
        fontWeight: 600,
      }),
      Plot.text([panel.x.label], { frameAnchor: "bottom", dy: 38, text: (label: string) => label, fill: ink }),
    ],
    r: { type: "identity" },
    color: { type: "identity" },
  });
}
