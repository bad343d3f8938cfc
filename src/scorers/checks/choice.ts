/**
 * The letter that an answer chooses. The first of these that is there, and of several the last: a letter in a box; after
 * `answer is`, `answer:` or `correct option is`; alone on the last line, or before its text as in `B. …`, `(B) …`; the same on the
 * first line. A letter in the middle of a sentence is no choice, nor is the article of "A dog"; "B or C" chooses neither, and who
 * lists the options again chooses none.
 */
import { ownPart } from "./statement.ts";

/** Undefined where no letter is chosen, or one that is not among the letters. */
export function choiceIn(answer: string, letters: string): string | undefined {
  const own = ownPart(answer).normalize("NFKC");
  const letter = (boxed(own) ?? announced(own) ?? onLines(own))?.toUpperCase();
  return letter && letters.includes(letter) ? letter : undefined;
}

const boxes =
  /\\(?:boxed|fbox)\s{0,9}\{\s{0,9}(?:\\(?:text|math)\w{0,2}\{)?\s{0,9}\(?([A-Za-z])(?:\)?\s{0,9}\}|[.:)])/g;

const boxed = (text: string): string | undefined => [...text.matchAll(boxes)].at(-1)?.[1];

/** Longer than any way to write a letter: what follows a mark is looked at so far, however many marks there are. */
const reach = 60;

const marks = /\b(?:answer|(?:correct|right|best) (?:option|choice))[*_]{0,3}(?: is\b|:)|<answer>/gi;
const opening = /^[\s:*_`"'“‘$[]*(?:\\[([]\s*)?(?:(?:option|choice)\s+)?[*_`]*(?:\\(?:text|math)\w{0,2}\{\s*)?/i;
const lettered = /^(?:\(([A-Za-z])\)|([A-Z])(?![\w-]|['’][a-z])|([a-z])(?=[.)\]}*_`"'”’$]{0,4}\s*(?:\n|$)))/;
const article = /^[AI]\s+(?!(?:and|as|because|but|for|given|is|or|since|which|with)\b)[a-z]/;
const another = /^[\s*_`$.)\]}]*(?:(?:or|and|\/|&)\s*\(?[A-Z](?!\w|\)? is\b)|,\s*\(?[A-Z]\)?[.*_\s]*$)/;

/** Empty where the last announcement is of several. */
function announced(text: string): string | undefined {
  let found: string | undefined;
  for (const { index, 0: mark } of text.matchAll(marks)) {
    const from = index + mark.length;
    const rest = text.slice(from, from + reach).replace(opening, "");
    const [written = "", bracketed, capital, small] = lettered.exec(rest) ?? [];
    if (written === "" || article.test(rest)) continue;
    const isOne = !another.test(rest.slice(written.length).split("\n", 1)[0] as string);
    found = isOne ? (bracketed ?? capital ?? small) : "";
  }
  return found;
}

function onLines(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const [first, second, beforeLast, last] = [lines[0], lines[1], lines.at(-2), lines.at(-1)].map((line) =>
    onLine(line),
  );
  if (last !== undefined) return beforeLast === undefined || beforeLast === last ? last : undefined;
  return second === undefined || second === first ? first : undefined;
}

/** `B`, `**B**`, `(b)`, `b)`, `B. because …`, `B - because …`. */
function onLine(line = ""): string | undefined {
  const start = line.slice(0, reach);
  const [, bracketed, capital, small] =
    /^[\s*_`"'$[]*(?:\(([A-Za-z])\)|([A-Z])(?:[.):*_`"'$\]]{1,4}(?=\s|$)|\s+[-–—]\s|\s*$)|([a-z])[.)\]*_`"'$]{0,4}\s*$)/.exec(
      start,
    ) ?? [];
  return bracketed ?? capital ?? small;
}
