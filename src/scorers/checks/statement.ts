/** What an answer states, where it is neither a number nor a program: the words after its mark, or its last line. */

/**
 * What a model that only continues text writes after its answer, the next question of its own making, is no part of it;
 * neither is what follows the mark `[DONE]` (Austin et al. 2021, arXiv:2108.07732).
 */
export const ownPart = (answer: string): string => answer.split(/\nQuestion:|\[DONE\]/, 1)[0] as string;

/** Letters as they compare: composed (NFC), runs of spaces as one, none at the ends. */
export const normalised = (text: string): string => text.normalize("NFC").replace(/\s+/g, " ").trim();

/**
 * What stands after the last `answer:` or `answer is`, to the end of its line; else the last line that is not empty. Marks of
 * emphasis and a full stop at the end are left out. Undefined for an empty answer.
 */
export function statement(answer: string): string | undefined {
  let after = -1;
  for (const { index, 0: mark } of answer.matchAll(/\banswer[*_]{0,3}(?: is|:)/gi)) after = index + mark.length;
  const announced = after < 0 ? undefined : plain(answer.slice(after).split("\n", 1)[0] as string);
  const last = answer.trimEnd().split("\n").at(-1) ?? "";
  return announced || plain(last) || normalised(last) || undefined; // an answer may be a mark itself: "*"
}

/** Spaces as one, without marks of emphasis around it and a full stop at its end. */
export function plain(line: string): string {
  const text = normalised(line.replace(/^[\s:*_`]+/, ""));
  let end = text.length;
  while (end > 0 && "*_`. ".includes(text[end - 1] as string)) end--;
  return text.slice(0, end);
}
