/** Names at the ends of lines, in the right margin, moved apart where they would lie on one another. */
import type * as PlotLibrary from "@observablehq/plot";
import { short } from "../numbers.ts";
import type { Look } from "./looks.ts";
import { svgSpace, type Plot } from "./plot.ts";

export interface EndLabel {
  /** Of the line's last point, in the units of the axes. */
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly look: Look;
}

/** Pixels between the baselines of two labels. */
const lineHeight = 16;

/** Pixels for labels as long as these, at 12 px; the longest are cut. */
export const marginFor = (texts: readonly string[]): number =>
  38 + 6.9 * Math.max(4, ...texts.map((text) => [...short(text)].length));

/** Pixels that as many labels need under one another. */
export const heightFor = (labels: number): number => Math.max(380, labels * lineHeight + 90);

/** A leader from the last point to the margin, then the mark and the name. */
export function endLabels(plot: Plot, labels: readonly EndLabel[]): PlotLibrary.Markish {
  return (_index, { x, y }, _values, { width, marginRight, height, marginTop, marginBottom }, { document }) => {
    const group = element(document, "g", { "font-size": "12", "text-anchor": "start" });
    const placed = labels.map((label) => ({ ...label, px: x?.(label.x) as number, py: y?.(label.y) as number }));
    const spread = apart(
      placed.map(({ py }) => py),
      { gap: lineHeight, least: marginTop, most: height - marginBottom },
    );
    const edge = width - marginRight;
    for (const [i, { px, py, text, look }] of placed.entries()) {
      const at = spread[i] as number;
      const path = `M${round(px + 7)},${round(py)}L${round(edge + 4)},${round(py)}L${round(edge + 14)},${round(at)}`;
      group.append(
        element(document, "path", {
          d: path,
          fill: "none",
          stroke: "currentColor",
          "stroke-opacity": "0.3",
          "stroke-width": "0.8",
        }),
        symbol(plot, document, look, edge + 21, at),
        element(
          document,
          "text",
          { x: round(edge + 30), y: round(at), dy: "0.34em", fill: "currentColor" },
          short(text),
        ),
      );
    }
    return group;
  };
}

/** Values moved as little as need be, so that neighbours are `gap` apart; in their order. Those that are too many fill the range. */
export function apart(
  values: readonly number[],
  { gap, least, most }: { readonly gap: number; readonly least: number; readonly most: number },
): number[] {
  const order = [...values.keys()].sort((a, b) => (values[a] as number) - (values[b] as number));
  const step = values.length < 2 ? gap : Math.min(gap, (most - least) / (values.length - 1));
  // Neighbours that collide become a block around the mean of where its members would be.
  const blocks: { sum: number; members: number[] }[] = [];
  const topOf = ({ sum, members }: { sum: number; members: number[] }): number =>
    Math.min(
      Math.max(sum / members.length - ((members.length - 1) * step) / 2, least),
      most - (members.length - 1) * step,
    );
  for (const i of order) {
    blocks.push({ sum: values[i] as number, members: [i] });
    for (;;) {
      const [above, below] = blocks.slice(-2);
      if (!above || !below || topOf(above) + above.members.length * step <= topOf(below) + 1e-9) break;
      blocks.splice(-2, 2, { sum: above.sum + below.sum, members: [...above.members, ...below.members] });
    }
  }
  const places = Array<number>(values.length);
  for (const block of blocks) for (const [n, i] of block.members.entries()) places[i] = topOf(block) + n * step;
  return places;
}

function symbol(plot: Plot, document: Document, look: Look, x: number, y: number): SVGElement {
  const drawn = plot.plot({
    document,
    width: 20,
    height: 20,
    margin: 0,
    axis: null,
    x: { domain: [0, 1] },
    y: { domain: [0, 1] },
    marks: [plot.dot([0], { x: 0.5, y: 0.5, r: 4, symbol: look.symbol, fill: look.color })],
  });
  const mark = drawn.querySelector("g[aria-label='dot'] > *") as SVGElement;
  for (const name of ["cx", "cy"]) mark.removeAttribute(name);
  mark.setAttribute("transform", `translate(${round(x)},${round(y)})`);
  mark.setAttribute("fill", look.color);
  return mark;
}

const round = (value: number): string => value.toFixed(1);

function element(
  document: Document,
  tag: string,
  attributes: Readonly<Record<string, string>>,
  text?: string,
): SVGElement {
  const made = document.createElementNS(svgSpace, tag) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
