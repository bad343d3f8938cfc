/**
 * A phenomenon: a finding of the field, and the small experiment that looks for it here.
 *
 * What is measured comes in units that are independent (problems, models, worlds), so that they can be spread over threads
 * and kept; what is concluded from the rows is computed at once, and is a function of them alone. Two phenomena that need the
 * same samples name the same measurement, which is then made once.
 *
 * The rule is stated before anything is measured. An effect is written so that the finding says it is positive: it is
 * *reproduced* where its 95% interval lies above the margin, *reversed* where it lies below minus the margin, and else *not
 * reproduced*. A phenomenon is reproduced where all its effects are; as it asks for all of them, nothing needs to be corrected
 * for their number. It is reversed where one of them is.
 */
import type { Estimate } from "../src/measure/index.ts";

export interface Measurement<Row = unknown> {
  /** Unique; files are named after it. */
  readonly name: string;
  /** How many units are measured, in earnest and for a quick look. */
  readonly units: { readonly full: number; readonly quick: number };
  /** The row of one unit: JSON, and the same in any thread and order. */
  measure(unit: number): Promise<Row>;
}

/** The rows of a measurement, in order of their units. */
export type Rows = <Row>(of: Measurement<Row>) => readonly Row[];

export type Verdict = "reproduced" | "not reproduced" | "reversed";

/** Where an effect is looked for: where the law of answers is known, or on the shipped models. */
export type World = "simulated" | "sapling";

export interface Effect {
  readonly name: string;
  readonly world: World;
  /** `points`: the estimate is a difference of shares, shown in percentage points. */
  readonly unit: "points" | (string & {});
  readonly estimate: Estimate;
  readonly margin: number;
  readonly verdict: Verdict;
}

export interface Axis {
  readonly label: string;
  readonly log?: boolean;
  /** Shares, shown as percentages. */
  readonly percent?: boolean;
  readonly domain?: readonly [number, number];
}

export interface Point {
  /** Named beside its last point. */
  readonly series: string;
  readonly x: number;
  readonly y: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Written at the point. */
  readonly label?: string;
  /** `single`: a point by itself, not joined to the others of its series. `law`: a dashed line without points. */
  readonly look?: "single" | "law";
}

export interface Bar {
  readonly label: string;
  readonly estimate: Estimate;
}

/** One of the charts that stand side by side in a figure. */
export type Panel =
  | {
      readonly kind: "curves";
      readonly title: string;
      readonly x: Axis;
      readonly y: Axis;
      readonly points: readonly Point[];
    }
  | {
      readonly kind: "bars";
      readonly title: string;
      readonly x: Axis;
      readonly bars: readonly Bar[];
      /** A dashed line. */
      readonly reference?: number;
    };

export const curves = (title: string, x: Axis, y: Axis, points: readonly Point[]): Panel => ({
  kind: "curves",
  title,
  x,
  y,
  points,
});

export const solved: Axis = { label: "solved", percent: true, domain: [0, 1] };

export const point = (series: string, x: number, { value, low, high }: Estimate): Point => ({
  series,
  x,
  y: value ?? 0,
  low,
  high,
});

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Findings {
  readonly effects: readonly Effect[];
  /** What came out, in a sentence or two with its numbers. */
  readonly statement: string;
  readonly table: Table;
  readonly panels: readonly Panel[];
  /** What it was measured on, in words: problems, seeds, samples. */
  readonly units: string;
  /** Tokens of sapling and seedling, readings for scores included; 0 where there is no model. */
  readonly tokens: number;
}

export interface Phenomenon {
  readonly name: string;
  readonly title: string;
  readonly claim: string;
  readonly source: string;
  /** Of the source. */
  readonly arxiv: string;
  /** What is done here. */
  readonly method: string;
  /** What has to hold for the verdict, as it was set down before the first run. */
  readonly rule: string;
  /** What the verdict alone does not tell; written after a look at the figures. */
  readonly remark?: string;
  readonly measurements: readonly Measurement[];
  conclude(rows: Rows): Findings | Promise<Findings>;
}

/** An effect with the verdict that its interval gives. */
export const judged = (
  world: World,
  name: string,
  estimate: Estimate,
  { unit = "points", margin = 0 }: { readonly unit?: Effect["unit"]; readonly margin?: number } = {},
): Effect => ({ world, name, estimate, unit, margin, verdict: verdictOf(estimate, margin) });

function verdictOf({ low, high }: Estimate, margin: number): Verdict {
  if (low === undefined) return "not reproduced";
  return low > margin ? "reproduced" : high < -margin ? "reversed" : "not reproduced";
}

export function overall(effects: readonly Effect[]): Verdict {
  if (effects.some(({ verdict }) => verdict === "reversed")) return "reversed";
  return effects.every(({ verdict }) => verdict === "reproduced") ? "reproduced" : "not reproduced";
}

/** A figure in closed form. */
export const exactly = (value: number): Estimate => ({ value, low: value, high: value });

/** An estimate plus a number that is known. */
export const shifted = (estimate: Estimate, by: number): Estimate =>
  estimate.low === undefined
    ? estimate
    : { value: estimate.value + by, low: estimate.low + by, high: estimate.high + by };

export type Format = (value: number) => string;

export const fixed =
  (digits: number): Format =>
  (value) =>
    value.toFixed(digits).replace(/^-(?=[0.]+$)/, "");

/** Shares in percent, and differences of them in points. */
export const percent: Format = (share) => fixed(1)(100 * share);

/** `12.3 (10.0 to 14.8)` */
export function shown({ value, low, high, why }: Estimate, format: Format = percent): string {
  if (value === undefined) return why ?? "–";
  return low === undefined || low === high ? format(value) : `${format(value)} (${format(low)} to ${format(high)})`;
}
