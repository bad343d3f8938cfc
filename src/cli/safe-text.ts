/**
 * Text of models and files, made safe to show: what would move the cursor, change colours or reorder the line is shown as
 * a picture of itself. And the width that text takes in a terminal.
 */

/** Controls of 7 and 8 bits, line separators, and what changes the direction of text; halves of surrogate pairs. */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cs}]/gu;

/** One line: a line break shows as ⏎, a tab as a space, an escape as ␛. */
export function oneLine(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) as number;
    if (character === "\n") return "⏎";
    if (character === "\t") return " ";
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "␡";
    return `<${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

/** The same, but line breaks and tabs stay. */
export const safeLines = (text: string): string =>
  text
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((line) => line.split("\t").map(oneLine).join("\t"))
    .join("\n");

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Columns of a terminal. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widthOfGrapheme(segment);
  return width;
}

/** The text, or its beginning and an ellipsis, in at most `columns`. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let fitted = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOfGrapheme(segment);
    if (width > columns - 1) break;
    fitted += segment;
  }
  return columns < 1 ? "" : `${fitted}…`;
}

// Unicode Standard Annex 11, East Asian Width: the blocks that are wide or full-width throughout.
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

function widthOfGrapheme(grapheme: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]+$/u.test(grapheme)) return 0;
  return wide.test(grapheme) || /\p{Emoji_Presentation}|\ufe0f/u.test(grapheme) ? 2 : 1;
}
