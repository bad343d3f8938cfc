/** How figures are said, the same in every form of a report. What is not defined is a dash; NaN and infinities are never printed. */
import { type Budget, limits } from "../../budget.ts";
import type { Estimate, Value } from "../estimate.ts";

/** Stands for a figure that is not defined. */
export const none = "–";

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

const minus = (text: string): string => text.replace("-", "−");

export const whole = (value: number): string => minus(grouped.format(value));

export const plural = (count: number, noun: string, nouns: string = `${noun}s`): string =>
  `${whole(count)} ${count === 1 ? noun : nouns}`;

/** In percent with one digit, without the sign. */
export const points = (share: number): string => minus((100 * share).toFixed(1)).replace(/^−(0\.0)$/, "$1");

export const percent = (share: number): string => `${points(share)}%`;

/** Three significant digits, with k, M, G, … from a thousand on. */
export function compact(value: number): string {
  const steps = ["", "k", "M", "G", "T", "P", "E"];
  const rounded = Number(value.toPrecision(3));
  const size = Math.abs(rounded);
  if (size > 0 && (size < 1e-3 || size >= 1e21)) return minus(rounded.toExponential());
  const step = Math.max(0, Math.floor(Math.log10(size || 1) / 3));
  return minus(`${Number((rounded / 1000 ** step).toPrecision(3))}${steps[step]}`);
}

export const dollars = (value: number): string =>
  value === 0 ? "$0" : value >= 100 ? `$${whole(value)}` : `$${Number(value.toPrecision(2))}`;

export const pValue = (p: number): string => (p < 0.0001 ? "<0.0001" : p < 0.1 ? p.toPrecision(2) : p.toFixed(2));

export const valueText = ({ value }: Value, text: (value: number) => string): string =>
  value === undefined ? none : text(value);

/** As in "62.0 [55.1, 68.4]". */
export const estimateText = ({ value, low, high }: Estimate, text: (value: number) => string = points): string =>
  value === undefined
    ? none
    : low === undefined || high === undefined
      ? text(value)
      : `${text(value)} [${text(low)}, ${text(high)}]`;

/** With a plus where it is positive. */
export const signed = (share: number): string => (Number(points(share)) > 0 ? `+${points(share)}` : points(share));

const limitWords = { tokens: "tokens", promptTokens: "prompt tokens", calls: "calls", seconds: "s" } as const;

/** As in "2,000 tokens, $0.01". */
export function budgetText(budget: Budget): string {
  const said = limits.flatMap((limit) => {
    const most = budget[limit];
    if (most === undefined) return [];
    return [limit === "dollars" ? dollars(most) : `${whole(most)} ${limitWords[limit]}`];
  });
  return said.length === 0 ? "no limit" : said.join(", ");
}

export const dateText = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** Labels, ids and answers come from files and models: what would move a cursor or turn the direction of text is shown as �. */
export const shown = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cs}]/gu, "\ufffd");

/** At most so many letters, of which the middle goes: labels that begin alike often end apart. */
export function short(text: string, most: number = 28): string {
  const letters = [...shown(text)];
  if (letters.length <= most) return letters.join("");
  const end = Math.floor((most - 1) * 0.4);
  return `${letters.slice(0, most - 1 - end).join("")}…${letters.slice(letters.length - end).join("")}`;
}
