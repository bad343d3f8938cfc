/**
 * The final answer in a text. The first of these that is there, and of several the last:
 *
 * 1. `\boxed{…}` with its braces closed; 2. `#### …` to the end of the line (GSM8K, Cobbe et al. 2021, arXiv:2110.14168);
 * 3. what follows "answer is" or "answer:" up to the end of the sentence; 4. the whole text, if it is one short line that can be
 * read as mathematics; 5. the last number; 6. the whole text, if short.
 *
 * Every rule is one pass over the text, whatever stands in it.
 */
import { parseAnswer } from "./parse.ts";

const shortText = 200;

/** Undefined where there is none. */
export function finalAnswer(text: string): string | undefined {
  const found = boxed(text) ?? hashed(text) ?? announced(text);
  if (found !== undefined && found.trim() !== "") return found.trim();
  const whole = text.trim();
  const isShort = whole !== "" && whole.length <= shortText && !whole.includes("\n");
  if (isShort && parseAnswer(whole).kind !== "text") return whole;
  return lastNumber(text) ?? (isShort ? whole : undefined);
}

/** The last closed one; the outer one of nested ones. One pass with a stack of open braces. */
function boxed(text: string): string | undefined {
  const open: number[] = []; // where the content of a box begins; -1 for braces of other things
  let last: string | undefined;
  let [from, to] = [-1, -1];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "\\") {
      const name = ["\\boxed", "\\fbox"].find((word) => text.startsWith(word, i));
      if (name === undefined) {
        i++; // `\{` opens nothing
        continue;
      }
      i += name.length;
      while (text[i] === " ") i++;
      if (text[i] === "{") open.push(i + 1);
      else i--;
    } else if (character === "{") open.push(-1);
    else if (character === "}") {
      const start = open.pop() ?? -1;
      if (start >= 0) [from, to] = [start, i];
    }
  }
  if (from >= 0) last = text.slice(from, to);
  return last;
}

function hashed(text: string): string | undefined {
  const at = text.lastIndexOf("####");
  return at < 0 ? undefined : (text.slice(at + 4).split("\n", 1)[0] as string).trim();
}

function announced(text: string): string | undefined {
  let after = -1;
  for (const { index, 0: words } of text.matchAll(/answer(?: is|:)/gi)) after = index + words.length;
  if (after < 0) return undefined;
  const line = text.slice(after, after + 2001).split("\n", 1)[0] as string;
  const end = line.indexOf(". ");
  return (end < 0 ? line : line.slice(0, end)).replace(/^[\s:*]+/, "").replace(/[\s*.]+$/, "");
}

/** With its sign, commas, point, exponent, a denominator and a percent sign. */
function lastNumber(text: string): string | undefined {
  let end = text.length - 1;
  while (end >= 0 && !isDigit(text[end])) end--;
  if (end < 0) return undefined;
  let start = end;
  while (
    start > 0 &&
    (isDigit(text[start - 1]) || (".,/eE".includes(text[start - 1] as string) && isDigit(text[start - 2])))
  )
    start--;
  const before = text[start - 1];
  if (before === "." && !isDigit(text[start - 2])) start--; // ".5"
  if ((text[start - 1] === "-" || text[start - 1] === "−") && !isWord(text[start - 2])) start--;
  return text.slice(Math.max(start, end - 2000), end + 1) + (text[end + 1] === "%" ? "%" : "");
}

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= "0" && character <= "9";
const isWord = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N})]/u.test(character);
