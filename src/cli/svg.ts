/**
 * The tree of a run as a picture: left to right, a line of text a column, the way to the best answer drawn bold.
 *
 * Text stays text. The picture brings its own background, light or dark as the reader's system prefers, so that it can be
 * read on any page.
 */
import { fit, oneLine, widthOf } from "./safe-text.ts";
import { type Branch, bestMark } from "./tree.ts";
import { fixed, plural, scoreText, whole } from "./words.ts";

export interface PictureText {
  /** What is asked. */
  readonly question: string;
  readonly title: string;
  readonly footer: string;
}

// Lengths in pixels. `letter`: the advance of monospaced fonts at `font` pixels is 0.6 em or a little more.
const font = 13;
const letter = 7.83;
const row = 30;
const pill = 22;
const padding = 9;
const gap = 54;
const margin = 28;
/** Deeper trees are drawn without what lies between the ends of a chain. */
const deepest = 6;
/** Text of a branch, in columns; the rest is cut. */
const longest = 34;

interface Placed {
  readonly branch: Branch;
  readonly label: string;
  readonly notes: readonly { readonly text: string; readonly kind: string }[];
  readonly kind: string;
  readonly depth: number;
  readonly children: readonly Placed[];
  /** The middle, in rows. */
  readonly at: number;
}

/** `Branch` is what `prune` gives; about 40 rows is what a reader takes in. */
export function treeSvg(tall: Branch, { question, title, footer }: PictureText): string {
  const root = depthOf(tall) > deepest ? withoutChains(tall) : tall;
  let rows = 0;
  const place = (branch: Branch, depth: number): Placed => {
    const children = branch.branches.map((next) => place(next, depth + 1));
    if (branch.hidden > 0) children.push({ ...more(branch, depth + 1), at: rows++ });
    const [first, last] = [children[0], children.at(-1)];
    const label = depth === 0 ? oneLine(question.trim()) : fit(oneLine(branch.text) || "(empty)", longest);
    const at = first && last ? (first.at + last.at) / 2 : rows++;
    return { branch, label, notes: notesOf(branch, depth), kind: kindOf(branch, depth), depth, children, at };
  };
  const tree = place(root, 0);
  const all = flatten(tree);

  const widthOfPill = ({ label }: Placed) => widthOf(label) * letter + 2 * padding;
  const widthOfNotes = ({ notes }: Placed) =>
    notes.reduce((sum, { text }) => sum + (widthOf(text) + 2) * letter * 0.88, 12);
  /** The notes of a branch that goes on stand between it and its children, so its column has room for them. */
  const widthBefore = (placed: Placed) =>
    widthOfPill(placed) + (placed.children.length > 0 && placed.notes.length > 0 ? widthOfNotes(placed) : 0);

  const columns: number[] = [];
  for (const placed of all) columns[placed.depth] = Math.max(columns[placed.depth] ?? 0, widthBefore(placed));
  const lefts = columns.map((_, depth) => columns.slice(0, depth).reduce((x, width) => x + width + gap, margin));
  const top = 68;
  const x = ({ depth }: Placed) => lefts[depth] as number;
  const y = ({ at }: Placed) => top + at * row + row / 2;
  const right = (placed: Placed) => x(placed) + widthOfPill(placed);

  const smallest = Math.max(widthOf(title), widthOf(footer)) * 7.6 + 2 * margin;
  const width = Math.ceil(Math.max(smallest, ...all.map((placed) => right(placed) + widthOfNotes(placed) + margin)));
  const height = Math.ceil(top + rows * row + 58);

  // The way to the best is green only where it was verified.
  const found = bestMark(root) === "right" ? " on found" : " on";
  const on = ({ kind, branch }: Placed) => (branch.best && kind !== "more" ? found : "");

  const edges = all
    .flatMap((from) => from.children.map((to) => ({ from, to })))
    .sort((a, b) => Number(a.to.branch.best) - Number(b.to.branch.best)) // the best path is drawn last, on top
    .map(({ from, to }) => {
      const [x0, y0, x1, y1] = [x(from) + widthBefore(from), y(from), x(to), y(to)].map(round) as [
        number,
        number,
        number,
        number,
      ];
      const bend = round(Math.min(gap, x1 - x0) * 0.55);
      const thickness = round(1.1 + 0.75 * Math.log2(Math.max(1, to.branch.samples)));
      const kind = to.kind === "more" ? "edge faded" : `edge${on(to)}`;
      return `<path class="${kind}" stroke-width="${to.branch.best ? Math.max(2.6, thickness) : thickness}" d="M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}"/>`;
    });

  const pills = all.map((placed) => {
    const { kind, label, notes } = placed;
    const [left, middle] = [round(x(placed)), round(y(placed))];
    const best = on(placed);
    const box =
      kind === "more"
        ? ""
        : `<rect class="${kind}${best}" x="${left}" y="${middle - pill / 2}" width="${round(widthOfPill(placed))}" height="${pill}" rx="7"/>`;
    const text = `<text class="label ${kind}${best}" x="${left + padding}" y="${round(middle + 4.5)}">${escape(label)}</text>`;
    const spans = notes
      .map(
        ({ text: note, kind: style }, i) => `<tspan class="${style}"${i > 0 ? ' dx="7"' : ""}>${escape(note)}</tspan>`,
      )
      .join("");
    const beside =
      notes.length === 0
        ? ""
        : `<text class="note" x="${round(right(placed) + 9)}" y="${round(middle + 4.5)}">${spans}</text>`;
    return box + text + beside;
  });

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escape(title)}: ${escape(footer)}</title>
<style>
${style}
</style>
<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="14"/>
<text class="title" x="${margin}" y="40">${escape(title)}</text>
<g fill="none" stroke-linecap="round">
${edges.join("\n")}
</g>
${pills.join("\n")}
<text class="footer" x="${margin}" y="${height - 22}">${escape(footer)}</text>
</svg>
`;
}

interface Theme {
  readonly card: string;
  readonly rim: string;
  readonly ink: string;
  readonly soft: string;
  readonly edge: string;
  readonly box: string;
  readonly right: string;
  readonly rightBox: string;
  readonly wrong: string;
  readonly value: string;
}

const light: Theme = {
  card: "#fcfbf8",
  rim: "#e2ded3",
  ink: "#2a2d2b",
  soft: "#85877f",
  edge: "#d0ccbf",
  box: "#f0eee6",
  right: "#1b7f4d",
  rightBox: "#dcf1e3",
  wrong: "#b4503f",
  value: "#2f6f9f",
};

const dark: Theme = {
  card: "#1b1e1d",
  rim: "#343936",
  ink: "#e3e5df",
  soft: "#949a93",
  edge: "#454c48",
  box: "#2a2f2c",
  right: "#58c48a",
  rightBox: "#1d3b2b",
  wrong: "#e0826f",
  value: "#78b4e0",
};

const fonts = {
  text: `${font}px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace`,
  words: `system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif`,
};

// Plain values, not custom properties: renderers that are no browsers do not know those.
const colors = ({
  card,
  rim,
  ink,
  soft,
  edge,
  box,
  right,
  rightBox,
  wrong,
  value,
}: Theme): string => `.card { fill: ${card}; stroke: ${rim}; }
text { fill: ${ink}; }
.footer, .note, text.wrong, text.more, tspan.plain { fill: ${soft}; }
tspan.sign-right, tspan.right { fill: ${right}; }
tspan.sign-wrong { fill: ${wrong}; }
tspan.value { fill: ${value}; }
.edge { stroke: ${edge}; }
.edge.on { stroke: ${value}; }
.edge.found { stroke: ${right}; }
text.root { fill: ${card}; }
rect.partial, rect.answer, rect.wrong, rect.failed { fill: ${box}; }
rect.right { fill: ${rightBox}; }
rect.on { stroke: ${value}; }
rect.found { fill: ${rightBox}; stroke: ${right}; }
rect.root { fill: ${ink}; stroke: none; }`;

const style = `text { font: ${fonts.text}; }
.title { font: 600 15px ${fonts.words}; }
.footer { font: 13px ${fonts.words}; }
.note, .note tspan { font-size: 11.5px; }
tspan.sign-right, tspan.sign-wrong { font-weight: 700; }
.edge.faded { stroke-dasharray: 2 5; }
rect.on { stroke-width: 1.4; }
text.more { font-style: italic; }
text.root, text.label.on { font-weight: 700; }
${colors(light)}
@media (prefers-color-scheme: dark) {
${colors(dark)}
}`;

const depthOf = ({ branches }: Branch): number => Math.max(0, ...branches.map((next) => 1 + depthOf(next)));

/** Of lines that follow each other without a fork, the first and the last. */
function withoutChains(branch: Branch): Branch {
  let [last, skipped] = [branch, 0];
  for (; last.branches.length === 1 && last.hidden === 0 && last.answers === 0; skipped++)
    last = last.branches[0] as Branch;
  if (skipped < 2) return { ...branch, branches: branch.branches.map(withoutChains) };
  const between = skipped - 1;
  const text = `${fit(oneLine(branch.text), longest - 8)} … +${between}`;
  return { ...branch, text, branches: [withoutChains(last)] };
}

function kindOf({ mark }: Branch, depth: number): string {
  return depth === 0 ? "root" : mark;
}

function notesOf(
  { mark, score, note, logProb, samples, answers, failures, branches }: Branch,
  depth: number,
): Placed["notes"] {
  if (depth === 0) return [];
  const notes: { text: string; kind: string }[] = [];
  if (mark === "right") notes.push({ text: "✓", kind: "sign-right" });
  if (mark === "wrong") notes.push({ text: "✗", kind: "sign-wrong" });
  if (score)
    notes.push({
      text: fit(scoreText(score), 40),
      kind: mark === "right" ? "right" : score.kind === "verdict" ? "plain" : "value",
    });
  if (note !== undefined) notes.push({ text: note, kind: "value" });
  if (logProb !== undefined && score?.kind !== "verdict" && !(score && branches.length > 0))
    notes.push({ text: `log p ${fixed(logProb, 1)}`, kind: "plain" });
  const count = note === undefined ? answers : samples;
  if (count > 1) notes.push({ text: `×${whole(count)}`, kind: "plain" });
  else if (answers === 0 && samples === 0) notes.push({ text: plural(failures.length, "failure"), kind: "sign-wrong" });
  return notes;
}

function more(branch: Branch, depth: number): Omit<Placed, "at"> {
  return {
    branch: { ...branch, best: false, samples: 1 },
    label: `… ${whole(branch.hidden)} more`,
    notes: [],
    kind: "more",
    depth,
    children: [],
  };
}

const flatten = (placed: Placed): Placed[] => [placed, ...placed.children.flatMap(flatten)];

const round = (value: number): number => Math.round(value * 10) / 10;

/** For text and attributes of XML. What XML cannot hold at all was made visible by `oneLine`. */
const escape = (text: string): string =>
  oneLine(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
