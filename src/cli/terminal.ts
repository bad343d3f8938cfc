/** The tree as lines of a terminal: branches in box drawing, one line of text a row, what is known of it at the right. */
import { fit, oneLine, widthOf } from "./safe-text.ts";
import { type Branch, bestMark, type Mark } from "./tree.ts";
import { fixed, plural, scoreText, whole } from "./words.ts";

export type Style = "plain" | "faint" | "strong" | "right" | "wrong" | "best" | "found" | "value" | "warn";

export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** One row. */
export type Line = readonly Span[];

export const span = (text: string, style: Style = "plain"): Span => ({ text, style });

// The sixteen colours that every theme defines, so that light and dark terminals both are readable.
const codes: Readonly<Record<Style, string>> = {
  plain: "",
  faint: "2",
  strong: "1",
  right: "32",
  wrong: "31",
  best: "1;32",
  found: "1;36",
  value: "36",
  warn: "33",
};

/** With colours or without; never wider than `columns`. */
export function paint(
  line: Line,
  { color, columns = Number.POSITIVE_INFINITY }: { readonly color: boolean; readonly columns?: number },
): string {
  let left = columns;
  let painted = "";
  for (const { text, style } of line) {
    const fitted = fit(text, left);
    left -= widthOf(fitted);
    painted += color && codes[style] && fitted ? `\x1b[${codes[style]}m${fitted}\x1b[0m` : fitted;
    if (fitted !== text) break;
  }
  return painted.trimEnd();
}

/** A row as several, broken between words; those after the first are indented. Words longer than a row stay whole. */
export function wrap(line: Line, { columns, indent }: { readonly columns: number; readonly indent: number }): Line[] {
  const rows: Span[][] = [[]];
  let width = 0;
  for (const { text, style } of line)
    for (const word of text.match(/\s+|\S+/g) ?? []) {
      const isBlank = word.trim() === "";
      if (!isBlank && width > indent && width + widthOf(word) > columns) {
        rows.push([span(" ".repeat(indent))]);
        width = indent;
      }
      rows.at(-1)?.push(span(word, style));
      width += widthOf(word);
    }
  return rows;
}

/** Writes rows, broken at the width of the terminal; in a file a row stays one line. */
export const writer =
  (output: { write(text: string): void; isTTY?: boolean | undefined; columns?: number | undefined }, color: boolean) =>
  (...line: Span[]): void => {
    const columns = output.isTTY ? (output.columns ?? 80) : Number.POSITIVE_INFINITY;
    const indent = (/^ */.exec(line[0]?.text ?? "")?.[0].length ?? 0) + 2;
    for (const row of wrap(line, { columns, indent })) output.write(`${paint(row, { color })}\n`);
  };

/** A command to be copied: on a line of its own, which nothing breaks. */
export const commandWriter =
  (output: { write(text: string): void }, color: boolean) =>
  (command: string): void =>
    output.write(`${paint([span(`  ${command}`, "strong")], { color })}\n`);

/** A row of the tree before its columns are set. */
interface Row {
  readonly rails: string;
  readonly railStyle: Style;
  readonly text: string;
  readonly style: Style;
  readonly notes: readonly Span[];
}

const signs: Readonly<Record<Mark, string>> = { right: "✓", wrong: "✗", answer: "•", partial: " ", failed: "!" };
const signStyles: Readonly<Record<Mark, Style>> = {
  right: "right",
  wrong: "wrong",
  answer: "value",
  partial: "plain",
  failed: "warn",
};

/**
 * The branches below the root. A branch that does not fork goes on underneath at the same depth, so that only choices
 * indent. Notes stand in a column of their own.
 */
export function treeLines(root: Branch, { columns }: { readonly columns: number }): Line[] {
  const rows: Row[] = [];
  // The way to the best is green only where it was verified.
  const mark = bestMark(root);
  const best: Style = mark === "right" ? "best" : mark === "wrong" ? "strong" : "found";
  const walk = (parent: Branch, rails: string): void => {
    const { branches, hidden } = parent;
    branches.forEach((first, i) => {
      const last = i === branches.length - 1 && hidden === 0 && (parent !== root || root.failures.length === 0);
      let head = `${rails}${last ? "╰─ " : "├─ "}`;
      const below = `${rails}${last ? "   " : "│  "}`;
      let at = first;
      for (;;) {
        rows.push(rowOf(at, head, best));
        head = below;
        const [next] = at.branches;
        if (!next || at.branches.length > 1 || at.hidden > 0 || at.answers > 0 || at.note !== undefined) break;
        at = next;
      }
      walk(at, below);
    });
    if (hidden > 0)
      rows.push({
        rails: `${rails}${parent === root && root.failures.length > 0 ? "├" : "╰"}─ `,
        railStyle: "faint",
        text: `… ${whole(hidden)} more`,
        style: "faint",
        notes: [],
      });
  };
  walk(root, "");
  const [reason] = root.failures;
  if (reason)
    rows.push({
      rails: "╰─ ",
      railStyle: "faint",
      text: plural(root.failures.length, "failed sample"),
      style: "warn",
      notes: [span(oneLine(reason.message), "warn")],
    });
  const widest = Math.max(
    0,
    ...rows.map(({ rails, text, notes }) => (notes.length > 0 ? widthOf(rails) + widthOf(text) : 0)),
  );
  const column = Math.min(widest, Math.max(24, Math.floor(columns * 0.62)));
  return rows.map(({ rails, railStyle, text, style, notes }) => {
    if (notes.length === 0) return [span(rails, railStyle), span(text, style)];
    const fitted = fit(text, column - widthOf(rails));
    const gap = " ".repeat(Math.max(0, column - widthOf(rails) - widthOf(fitted)) + 2);
    return [span(rails, railStyle), span(fitted, style), span(gap), ...notes];
  });
}

function rowOf(branch: Branch, rails: string, bestStyle: Style): Row {
  const { text, best, writing } = branch;
  const ended = branch.answers > 0;
  const style: Style = best
    ? bestStyle
    : !ended && branch.branches.length === 0 && branch.samples === 1
      ? "faint"
      : "plain";
  return {
    rails,
    railStyle: best ? bestStyle : "faint",
    text: `${oneLine(text) || (ended ? "(empty)" : "·")}${writing ? " ▌" : ""}`,
    style,
    notes: notesOf(branch),
  };
}

function notesOf({ mark, score, note, logProb, samples, answers, failures }: Branch): Span[] {
  const notes: Span[] = [];
  const add = (text: string, style: Style) => notes.push(span(`${notes.length > 0 ? "  " : ""}${text}`, style));
  if (mark !== "partial") add(signs[mark], signStyles[mark]);
  if (score)
    notes.push(
      span(
        `${notes.length > 0 ? " " : ""}${scoreText(score)}`,
        mark === "right" ? "right" : mark === "wrong" ? "faint" : "value",
      ),
    );
  if (note !== undefined) notes.push(span(`${notes.length > 0 ? " " : ""}${note}`, "value"));
  if (logProb !== undefined) add(`log p ${fixed(logProb, 1)}`, "faint");
  const count = answers > 0 ? answers : samples;
  if (count > 1) add(`×${whole(count)}`, "faint");
  const [reason] = failures;
  if (reason) add(`${plural(failures.length, "failure")}: ${oneLine(reason.message)}`, "warn");
  return notes;
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of `columns`, filled to `share` in [0, 1]. */
export function bar(share: number, columns: number): Span[] {
  const filled = Math.round(share * columns * 8);
  const text = "█".repeat(filled >> 3) + (eighths[filled & 7] as string);
  return [span(text, share >= 1 ? "warn" : "value"), span("░".repeat(columns - widthOf(text)), "faint")];
}
