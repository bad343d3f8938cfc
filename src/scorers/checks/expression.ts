/**
 * Arithmetic that must use given numbers, each once, and come to a given value: the Game of 24 as in Yao et al. 2023,
 * arXiv:2305.10601, §4.1. In exact fractions, so 8 / (3 − 8 / 3) is 24.
 */
import { evaluate, fractionText, sameFraction } from "../../math/arithmetic.ts";
import { ownPart, statement } from "./statement.ts";

export interface Puzzle {
  readonly numbers: readonly number[];
  readonly value: number;
}

/**
 * The stated expression: what is announced or stands on the last line, in a box or not, without `= …` or `24 =`. Signs are
 * written `+ - * /`, without spaces; expressions that are equal but for the order of their parts are two.
 */
export function expressionIn(answer: string): string | undefined {
  const stated = statement(ownPart(answer).normalize("NFKC"))?.replace(/\\(?:boxed|fbox)\s*\{([^{}]*)\}/, "$1");
  const written = (stated ?? "")
    .replace(/\\times|\\cdot|[×·xX]/g, "*")
    .replace(/\\div|÷/g, "/")
    .replace(/\\(?:left|right|[()[\]])|[\s$]/g, "")
    .replace(/[−–]/g, "-");
  const sides = written.split("=");
  const expression = sides.find((side) => /[\d)][-+*/]/.test(side)) ?? (sides[0] as string);
  return /\d/.test(expression) ? expression : undefined;
}

/** Undefined where it is right, else what is wrong. */
export function faultOf(expression: string, { numbers, value }: Puzzle): string | undefined {
  const used = (expression.match(/[\d.]+/g) ?? []).map(Number);
  if (String(used.toSorted(ascending)) !== String(numbers.toSorted(ascending)))
    return `'${expression}' must use ${numbers.join(", ")}, each once`;
  const evaluated = evaluate(expression);
  if ("why" in evaluated) return `'${expression}' is no arithmetic: ${evaluated.why}`;
  if (sameFraction(evaluated.value, { numerator: BigInt(value), denominator: 1n })) return undefined;
  return `'${expression}' is ${fractionText(evaluated.value)}, not ${value}`;
}

const ascending = (a: number, b: number): number => a - b;
