/**
 * Observable Plot on the server: it draws into a document of jsdom, and what comes out is text. Both are optional peers, and are loaded
 * when the first figure is drawn.
 */
import type * as PlotLibrary from "@observablehq/plot";
import { darkColors } from "./looks.ts";

export type Plot = typeof PlotLibrary;

/** A figure before it is drawn. */
export interface FigurePlan {
  /** Names its file; kebab-case. */
  readonly name: string;
  readonly title: string;
  /** What is drawn, and what to read from it; sentences. */
  readonly caption: string;
  readonly plot: (plot: Plot) => PlotLibrary.PlotOptions;
}

/** @throws Error where the optional packages are not installed */
export async function figureDrawer(): Promise<(plan: FigurePlan) => string> {
  const [plot, { JSDOM }] = await Promise.all([import("@observablehq/plot"), import("jsdom")]).catch((cause) => {
    throw new Error(
      "Cannot draw figures as they need two packages that are not there: npm install @observablehq/plot jsdom",
      { cause },
    );
  });
  const { window } = new JSDOM("");
  const serializer = new window.XMLSerializer();
  return ({ name, title, caption, plot: optionsOf }) => {
    const { width = 720, height, ...options } = optionsOf(plot);
    const svg = plot.plot({
      document: window.document,
      className: "ponderosa-plot",
      width: Math.round(width),
      ...(height === undefined ? {} : { height: Math.round(height) }),
      style: { fontFamily: fonts, fontSize: "12px", background: "none", overflow: "visible" },
      ...options,
    }) as SVGSVGElement;
    svg.querySelector("style")?.remove(); // it is for pages, and says nothing that the figures need
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-labelledby", `${name}-title ${name}-description`);
    for (const [tag, id, text] of [
      ["desc", `${name}-description`, caption],
      ["title", `${name}-title`, title],
    ] as const) {
      const element = window.document.createElementNS(svgSpace, tag);
      element.id = id;
      element.textContent = text;
      svg.prepend(element);
    }
    for (const element of svg.querySelectorAll("*")) roundNumbers(element);
    return serializer.serializeToString(svg);
  };
}

const places = ["d", "transform", "x", "x1", "x2", "y", "y1", "y2", "cx", "cy", "r", "width", "height"];

/** To a hundredth of a pixel: half the size, and the same text on every machine. */
function roundNumbers(element: Element): void {
  for (const name of places) {
    const value = element.getAttribute(name);
    if (value !== null)
      element.setAttribute(
        name,
        value.replace(/-?\d+\.\d{3,}(e-\d+)?/g, (number) => `${Number(Number(number).toFixed(2))}`),
      );
  }
}

/** Between panels as a share of their distance; a single panel has no gap, of which the band scale is not aware. */
export const panelGap = (
  panels: number,
  gap: number,
): { readonly paddingInner: number; readonly paddingOuter: number } => ({
  paddingInner: panels > 1 ? gap : 0,
  paddingOuter: 0,
});

/** Generic families last, so that every viewer has one. */
export const fonts = `system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif`;

export const svgSpace = "http://www.w3.org/2000/svg";

/** For a page in a dark theme: the same figure in colours that stand out there. */
export const darkRules = (within: string): string =>
  Object.entries(darkColors)
    .flatMap(([light, dark]) => [
      `${within} [stroke="${light}"] { stroke: ${dark}; }`,
      `${within} [fill="${light}"] { fill: ${dark}; }`,
    ])
    .join("\n");
