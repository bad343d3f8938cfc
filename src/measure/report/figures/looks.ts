/**
 * How a method is drawn: a colour, a dash and a mark, so that a figure is readable without colours and in black and white. The colours are
 * those of Okabe & Ito 2008, "Color Universal Design", without yellow, which white paper swallows; the darkest come first.
 */
import type { Report } from "../report.ts";

export interface Look {
  readonly color: string;
  readonly dash: string | undefined;
  readonly symbol: "circle" | "square" | "triangle" | "diamond" | "cross" | "star" | "wye";
}

/** Of the text: black on paper, light on a dark page. */
export const ink = "currentColor";

/** Of the page, for what is hollow. */
export const paper = "#ffffff";

const looks: readonly Look[] = [
  { color: "#0072b2", dash: undefined, symbol: "circle" },
  { color: "#d55e00", dash: "7 3", symbol: "square" },
  { color: "#009e73", dash: "2 3", symbol: "triangle" },
  { color: "#cc79a7", dash: "9 3 2 3", symbol: "diamond" },
  { color: "#e69f00", dash: "5 2", symbol: "cross" },
  { color: "#56b4e9", dash: "1 2", symbol: "star" },
];

const baselineLook: Look = { color: ink, dash: "4 3", symbol: "wye" };

/** The same hues where the page is dark. */
export const darkColors: Readonly<Record<string, string>> = {
  "#0072b2": "#4fa8e0",
  "#d55e00": "#f28a4b",
  "#009e73": "#2fc49a",
  "#cc79a7": "#e6a3c8",
  "#e69f00": "#f2b840",
  "#56b4e9": "#9bd5f6",
  [paper]: "#1b1e1d",
};

export const lookOf = (index: number): Look => looks[index % looks.length] as Look;

/** The methods that are named in a figure: the baseline, and the best at the highest budget where they have runs. */
export function looksOf({ cells, baseline, evaluation }: Report): ReadonlyMap<string, Look> {
  const lastAccuracy = (method: string): number =>
    cells.findLast((cell) => cell.method === method && cell.accuracy.value !== undefined)?.accuracy.value ?? -1;
  const others = evaluation.methods.filter((method) => method !== baseline);
  const best = others.toSorted((a, b) => lastAccuracy(b) - lastAccuracy(a)).slice(0, looks.length);
  const named = others.filter((method) => best.includes(method));
  return new Map([
    ...(baseline === null ? [] : [[baseline, baselineLook] as const]),
    ...named.map((method, i) => [method, lookOf(i)] as const),
  ]);
}

/** A sentence for the caption where not all methods are named. */
export function unnamedNote({ evaluation }: Report, looks: ReadonlyMap<string, Look>): string {
  const rest = evaluation.methods.filter((method) => !looks.has(method)).length;
  return rest === 0 ? "" : ` The ${rest} other methods are grey.`;
}
