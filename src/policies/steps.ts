/**
 * Where a step of text ends: given the text since the last step, the length of the first whole step in it, or undefined.
 *
 * Blank text before a step belongs to it, so that no step is empty, and the steps of an answer concatenate to it. A
 * boundary is decided by what stands before it alone: it does not move when more is written.
 */

export type StepEnd = (newText: string) => number | undefined;

/** A line with its line break. */
export const lineEnd: StepEnd = (text) => lengthOf(/^\s*\S[^\n]*\n/, text);

/** Up to `.`, `!` or `?`, closing quotes and the white space after it (`。！？` need none), or up to a line break. */
export const sentenceEnd: StepEnd = (text) =>
  lengthOf(/^\s*\S[^\n]*?(?:\s(?<=[.!?]["'”’)\]]{0,9}\s)|(?<=[。！？])|\n)/, text);

/** Lines up to a blank one, that included. */
export const paragraphEnd: StepEnd = (text) => lengthOf(/^\s*\S[^]*?\n[ \t\r]*\n/, text);

// The patterns begin with ^: a text without an end is then read once, not once from every character.
const lengthOf = (pattern: RegExp, text: string): number | undefined => pattern.exec(text)?.[0].length;
