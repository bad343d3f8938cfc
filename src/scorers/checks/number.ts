/** The number that an answer states. */
import { canonicalOf } from "../math/compare.ts";
import { finalAnswer } from "../math/extract.ts";
import { parseAnswer } from "../math/parse.ts";
import { ownPart } from "./statement.ts";

/**
 * Of the final answer (`#### 18`, `\boxed{18}`, "the answer is 18 eggs", else the last number): its value, or that of the
 * first number in it, as `18` or `1/2`, without a unit or a percent sign; of an equation its last side. Undefined where there is
 * none, and for `18 or 19`.
 */
export function numberIn(answer: string): string | undefined {
  const final = finalAnswer(ownPart(answer))?.replace(/\\?%/g, "");
  if (final === undefined) return undefined;
  const stated = final.slice(final.lastIndexOf("=") + 1).trim() || final;
  const read = parseAnswer(stated);
  if (read.kind === "list" && read.items.every(({ kind }) => kind === "value")) return undefined;
  return valueOf(stated) ?? firstOf(stated);
}

/** Whole, a fraction, or a float where it is irrational; a unit after it is left out. */
function valueOf(stated: string): string | undefined {
  const read = parseAnswer(stated);
  if (read.kind !== "value") return undefined;
  return /^(-?\d+(?:\/\d+|\.\d+)?)(?: [^\d,;]*)?$/.exec(canonicalOf(read))?.[1];
}

/** What goes on as arithmetic that could not be evaluated, as `1/0` or `9^9^9`, is not its first number. */
function firstOf(stated: string): string | undefined {
  const { 0: first, index } = /[-−]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)/.exec(stated) ?? { 0: undefined, index: 0 };
  if (first === undefined) return undefined;
  const rest = stated.slice(index + first.length);
  if (/^\s{0,9}[\^*×·x+/]\s{0,9}[\d({]|^e[+-]?\d/i.test(rest)) return undefined;
  return valueOf(first.replace(/,+$/, ""));
}
