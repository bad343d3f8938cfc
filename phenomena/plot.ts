/** Figures as SVG texts: one or more charts side by side, drawn as the figures of reports are: `src/measure/report/figures/`. */
import * as Plot from "@observablehq/plot";
import { JSDOM } from "jsdom";
import { endLabels, marginFor } from "../src/measure/report/figures/labels.ts";
import { endsOf, type LineSeries, seriesMarks } from "../src/measure/report/figures/lines.ts";
import { lookOf } from "../src/measure/report/figures/looks.ts";
import { fonts } from "../src/measure/report/figures/plot.ts";
import type { Axis, Panel } from "./phenomenon.ts";

const ink = "#1f2328";
const family = fonts.replaceAll('"', "'");
const gap = 16;
const titleHeight = 30;

type Curves = Extract<Panel, { kind: "curves" }>;
type Bars = Extract<Panel, { kind: "bars" }>;

export function figure(panels: readonly Panel[]): string {
  const width = panels.length === 1 ? 620 : panels.length === 2 ? 430 : 330;
  const height = Math.max(...panels.map((panel) => (panel.kind === "bars" ? 74 + 40 * panel.bars.length : 320)));
  const { document } = new JSDOM("").window;
  const all = panels.length * width + (panels.length + 1) * gap;
  const whole = titleHeight + height + gap;
  const parts = panels.map((panel, i) => {
    const x = gap + i * (width + gap);
    const chart = Plot.plot({
      document,
      width,
      height,
      className: "chart",
      marginTop: 12,
      marginBottom: 46,
      ...(panel.kind === "curves" ? curves(panel) : bars(panel)),
    });
    chart.querySelector("style")?.remove();
    for (const [name, value] of Object.entries({
      x,
      y: titleHeight,
      "font-size": 12,
      "font-family": family,
      color: ink,
      overflow: "visible",
    }))
      chart.setAttribute(name, String(value));
    return `<text x="${x + 4}" y="22" font-size="14" font-weight="600">${escaped(panel.title)}</text>\n${chart.outerHTML}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${all} ${whole}" width="${all}" height="${whole}" font-family="${family}" fill="${ink}">
<rect width="100%" height="100%" rx="6" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const scaleOf = ({ log, domain }: Axis): Plot.ScaleOptions => ({
  label: null,
  ...(log === true && { type: "log" as const }),
  ...(domain ? { domain } : { nice: log !== true }),
});

/** A thousand is 1k. */
const tickFormat =
  ({ percent }: Axis) =>
  (value: number): string => {
    if (percent === true) return `${Math.round(100 * value)}%`;
    return value >= 1000 ? `${value / 1000}k` : String(Number(value.toPrecision(3)));
  };

/** Few round values are ticks themselves; on log axes powers of ten are, of short ones their 2 and 5 times, too. */
function ticksOf(axis: Axis, values: readonly number[]): number[] | number {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  if (distinct.length <= 8 && distinct.every((value) => Number.isInteger(20 * value))) return distinct;
  if (axis.log !== true) return 5;
  const [low = 1, high = 1] = [distinct[0], distinct.at(-1)];
  const digits = high < 100 * low ? [1, 2, 5] : [1];
  return Array.from({ length: 20 }, (_, i) => digits.map((digit) => digit * 10 ** (i - 10)))
    .flat()
    .filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
}

const axisLabel = (text: string, options: Plot.TextOptions): Plot.Text => Plot.text([text], { ...options, fill: ink });

function curves({ x, y, points }: Curves): Plot.PlotOptions {
  const names = [...new Set(points.map(({ series }) => series))];
  const series = (look: (typeof points)[number]["look"]): LineSeries[] =>
    names.flatMap((name, i) => {
      const own = points.filter((point) => point.series === name && point.look === look);
      return own.length === 0 ? [] : [{ name, look: lookOf(i), points: own }];
    });
  const [joined, laws, single] = [series(undefined), series("law"), series("single")];
  const ends = endsOf([...joined, ...laws, ...single]);
  const [xTicks, yTicks] = [
    ticksOf(
      x,
      points.map((point) => point.x),
    ),
    y.log === true
      ? ticksOf(
          y,
          points.map((point) => point.y),
        )
      : 5,
  ];
  const marginLeft = y.percent === true ? 60 : 80;
  return {
    marginLeft,
    marginRight: names.length > 1 ? marginFor(names) : 60,
    x: scaleOf(x),
    y: scaleOf(y),
    marks: [
      Plot.gridY({ stroke: ink, strokeOpacity: 0.12, ticks: yTicks }),
      Plot.axisY({ label: null, tickSize: 0, ticks: yTicks, text: tickFormat(y) }),
      Plot.axisX({ label: null, tickSize: 4, ticks: xTicks, text: tickFormat(x) }),
      ...laws.map(({ look, points: own }) =>
        Plot.line(own, { x: "x", y: "y", stroke: look.color, strokeWidth: 1.5, strokeDasharray: "2,3" }),
      ),
      ...seriesMarks(Plot, joined),
      ...single.flatMap(({ look, points: own }) => [
        Plot.ruleX(own, { x: "x", y1: "low", y2: "high", stroke: look.color, strokeWidth: 2, strokeOpacity: 0.5 }),
        Plot.dot(own, { x: "x", y: "y", r: 5, symbol: look.symbol, fill: look.color }),
      ]),
      Plot.text(
        points.filter(({ label }) => label !== undefined),
        {
          x: "x",
          y: "y",
          text: "label",
          dx: 8,
          dy: 12,
          textAnchor: "start",
          fill: ink,
          stroke: "white",
          strokeWidth: 4,
        },
      ),
      axisLabel(x.label, { frameAnchor: "bottom", dy: 38 }),
      axisLabel(y.label, { frameAnchor: "left", rotate: -90, dx: 10 - marginLeft, textAnchor: "middle" }),
      ...(names.length > 1 ? [endLabels(Plot, ends)] : []),
    ],
  };
}

function bars({ x, bars: all, reference }: Bars): Plot.PlotOptions {
  const { color } = lookOf(0);
  const rows = all.flatMap(({ label, estimate: { value, low = value, high = value } }) =>
    value === undefined ? [] : [{ label, value, low, high, text: tickFormat(x)(value) }],
  );
  const ticks = 5;
  return {
    marginLeft: 16 + 6.4 * Math.max(...all.map(({ label }) => label.length)),
    marginRight: 20,
    x: scaleOf(x),
    y: { domain: all.map(({ label }) => label), label: null, padding: 0.4 },
    marks: [
      Plot.gridX({ stroke: ink, strokeOpacity: 0.12, ticks }),
      Plot.axisX({ label: null, tickSize: 0, tickFormat: tickFormat(x), ticks }),
      Plot.axisY({ label: null, tickSize: 0 }),
      ...(reference === undefined ? [] : [Plot.ruleX([reference], { stroke: ink, strokeDasharray: "3,4" })]),
      Plot.link(rows, { x1: "low", x2: "high", y: "label", stroke: color, strokeWidth: 3, strokeOpacity: 0.5 }),
      Plot.dot(rows, { x: "value", y: "label", r: 5, fill: color, stroke: "white" }),
      Plot.text(rows, { x: "value", y: "label", dy: -13, text: "text", fill: color, stroke: "white", strokeWidth: 4 }),
      axisLabel(x.label, { frameAnchor: "bottom", dy: 38 }),
    ],
  };
}
