/** Reads what was typed: the value of an option by its entry in the table, and budgets. @throws RangeError, one clear line each */
import type { Budget, Limit } from "../budget.ts";
import { suggestion } from "../nearest.ts";
import type { MethodOption } from "./method.ts";

/** A number in plain or scientific notation; NaN for anything else, the empty text and hexadecimal included. */
export const numberOf = (text: string): number =>
  /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;

/** `as`: what the option is called where it was typed, as in `--n`. */
export function readOption(option: MethodOption, text: string, as: string): number | string {
  return checkOption(option, option.type === "integer" || option.type === "number" ? numberOf(text) : text, as, text);
}

/** A value that an option can have. `typed`: what to show of it where it is none. */
export function checkOption(
  { type, choices = {}, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }: MethodOption,
  value: unknown,
  as: string,
  typed: unknown = value,
): number | string {
  const shown = `Cannot use ${JSON.stringify(typed)} as ${as}`;
  if (type === "choice" || type === "text") {
    if (typeof value !== "string") throw new RangeError(`${shown}: it must be a text`);
    if (type === "choice" && !Object.hasOwn(choices, value))
      throw new RangeError(`${shown}: ${suggestion(value, Object.keys(choices))}`);
    if (value.trim() === "") throw new RangeError(`${shown}: it is empty`);
    return value;
  }
  const fits = typeof value === "number" && value >= least && value <= most;
  if (fits && (type === "number" || Number.isInteger(value))) return value;
  const range =
    most < Number.POSITIVE_INFINITY
      ? ` in [${least}, ${most}]`
      : least > Number.NEGATIVE_INFINITY
        ? ` >= ${least}`
        : "";
  throw new RangeError(`${shown}: it must be a ${type === "integer" ? "whole " : ""}number${range}`);
}

const limits: Readonly<Record<string, Limit>> = {
  tokens: "tokens",
  "prompt-tokens": "promptTokens",
  calls: "calls",
  seconds: "seconds",
  dollars: "dollars",
};

/** `tokens=20000,seconds=30` */
export function readBudget(text: string, as: string): Budget {
  const budget: Partial<Record<Limit, number>> = {};
  for (const part of text.split(",")) {
    const [, name, amount] = /^\s*([^=\s]+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    if (name === undefined || amount === undefined)
      throw new RangeError(
        `Cannot read ${JSON.stringify(part)} as a part of ${as}: write it as in tokens=20000,seconds=30`,
      );
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    if (!limit)
      throw new RangeError(`Cannot limit ${JSON.stringify(name)} by ${as}: ${suggestion(name, Object.keys(limits))}`);
    const value = numberOf(amount);
    const whole = limit !== "seconds" && limit !== "dollars";
    if (!(value >= 0 && (!whole || Number.isSafeInteger(value))))
      throw new RangeError(
        `Cannot use ${JSON.stringify(amount)} as a limit of ${name}: it must be a ${whole ? "whole " : ""}number >= 0`,
      );
    if (limit in budget) throw new RangeError(`Cannot use two limits of ${name} in ${as}: give one`);
    budget[limit] = value;
  }
  return budget;
}

export const budgetText = (budget: Budget): string =>
  Object.entries(limits)
    .flatMap(([name, limit]) => (budget[limit] === undefined ? [] : [`${name}=${budget[limit]}`]))
    .join(",");
