/** What `ponderosa play` says at its end: the board with the move on it, what it is worth, and what was thought of. */
import type { Budget, Spent } from "../budget.ts";
import type { Stopped } from "../event.ts";
import type { GameOutcome, Position } from "../methods/games.ts";
import type { MethodSettings } from "../methods.ts";
import { pathTo } from "../node.ts";
import type { GameState } from "../policies/game.ts";
import type { Result } from "../run.ts";
import { type CliProcess, type Output, usesColor } from "./context.ts";
import { type GameTree, playerName, valueText } from "./game-tree.ts";
import type { Play, PlaySettings } from "./play.ts";
import { failuresOf, type SolveReport } from "./report.ts";
import { widthOf } from "./safe-text.ts";
import { bar, type Line, paint, span, wrap } from "./terminal.ts";
import { whole } from "./words.ts";

/** One object on standard output, in one line, with `--json`. */
export interface PlayReport {
  /** Raised when a field changes its meaning or goes away. */
  readonly version: 1;
  readonly game: string;
  /** Played before. */
  readonly moves: readonly string[];
  /** Who is to move; x moved first. */
  readonly turn: "x" | "o";
  /** Null where none was found. */
  readonly move: string | null;
  /** Of the position for x, in [−1, 1]. */
  readonly value: number | null;
  /** What that value proves, if anything. */
  readonly proof: string | null;
  /** The best play of both sides as far as it was looked at, from `move` on. */
  readonly line: readonly string[];
  /** Moves that were looked at, the most visited first. `visits`: positions below, counted as often as they were evaluated. */
  readonly considered: readonly ConsideredMove[];
  readonly failures: SolveReport["failures"];
  readonly stopped: Stopped;
  readonly cost: Spent & { readonly dollars: number };
  readonly budget: Budget;
  readonly seed: number;
  readonly method: { readonly name: string; readonly settings: MethodSettings; readonly scorer: string };
  readonly journal: string | null;
}

export interface ConsideredMove {
  readonly move: string;
  readonly visits: number;
  /** For x; null where it is not known but for a bound. */
  readonly value: number | null;
}

export function playReport(
  result: Result<GameState<Position>, GameOutcome>,
  tree: GameTree<Position>,
  { rules, position, method, made, settings }: Play,
  { moves, seed, budget, journal }: PlaySettings,
): PlayReport {
  const { answer, outcome, stopped, spent, nodes } = result;
  const considered = [...tree.root.twigs.values()].map((twig) => {
    const { low, high } = tree.valueAt(twig) ?? {};
    return { move: twig.text.trim(), visits: twig.samples, value: low === high ? low : undefined };
  });
  const line = answer ? pathTo(answer).map(({ state }) => rules.moveName(state.move ?? -1)) : [];
  const value = outcome?.value ?? considered.find(({ move }) => move === line[0])?.value;
  return {
    version: 1,
    game: rules.name,
    moves,
    turn: playerName(rules.turn(position)),
    move: line[0] ?? null,
    value: value ?? null,
    proof: stopped.why === "answered" && value !== undefined ? proofOf(value, made) : null,
    line,
    considered: considered
      .filter(({ visits }) => visits > 0)
      .sort((a, b) => b.visits - a.visits) // stable
      .map(({ value, ...rest }) => ({ ...rest, value: value ?? null })),
    failures: failuresOf(nodes),
    stopped,
    cost: { ...spent, dollars: spent.nanodollars / 1e9 },
    budget,
    seed,
    method: { name: method.name, settings, scorer: made.scorer.name },
    journal: journal?.path ?? null,
  };
}

function proofOf(value: number, { value: kind, size }: Play["made"]): string | null {
  if (kind === "guess") return null;
  if (Math.abs(value) === 1) return `${playerName(value === 1 ? 1 : -1)} wins by force`;
  return kind === "exact" ? "a draw with best play" : `undecided within ${size.replace(" ahead", "")}`;
}

/** Rows of a table that are taken in at a glance. */
const mostRows = 8;

/** The board, and beside it, or where there is no room below it, what was found. */
export function playText(
  report: PlayReport,
  { rules, position }: Pick<Play, "rules" | "position">,
  { output, env }: { output: Output; env: CliProcess["env"] },
): void {
  if (report.move === null) return;
  const color = usesColor(output, env);
  const columns = output.isTTY ? (output.columns ?? 80) - 1 : Number.POSITIVE_INFINITY;
  const move = rules.moves(position).find((one) => rules.moveName(one) === report.move) as number;
  const board = markedBoard(rules.draw(position), rules.draw(rules.play(position, move)));
  const left = Math.max(...board.map(widthOfLine)) + 4;
  const beside = found(report, columns - left);
  const fits = Math.max(...beside.map(widthOfLine)) + left <= columns;
  const rows = fits
    ? Array.from({ length: Math.max(board.length, beside.length) }, (_, i): Line => {
        const cells = board[i] ?? [];
        return [...cells, span(" ".repeat(left - widthOfLine(cells))), ...(beside[i] ?? [])];
      })
    : [...board, [], ...found(report, columns)];
  for (const row of rows) output.write(`${paint(row, { color })}\n`);
}

const widthOfLine = (line: Line): number => line.reduce((sum, { text }) => sum + widthOf(text), 0);

/** The board after the move, the stone that is new in brackets. */
function markedBoard(before: string, after: string): Line[] {
  // A bracket needs a place before the first cell.
  const rowsOf = (board: string) => (/^[.xo]/.test(board) ? board.replace(/^/gm, " ") : board).split("\n");
  const was = rowsOf(before);
  return rowsOf(after).map((row, i) => {
    const at = [...row].findIndex((character, j) => character !== was[i]?.[j]);
    if (at < 0) return [span(row)];
    return [span(row.slice(0, at - 1)), span(`[${row[at]}]`, "found"), span(row.slice(at + 2))];
  });
}

/** A bar without its empty part. */
function shareBar(share: number, columns: number): Line {
  const [filled = span("")] = bar(share, columns);
  return [span(filled.text, "value"), span(" ".repeat(columns - widthOf(filled.text)))];
}

function found({ turn, move, value, proof, line, considered, method }: PlayReport, columns: number): Line[] {
  const head: Line = [
    span(`${turn} plays ${move}`, "strong"),
    span("  value for x ", "faint"),
    span(value === null ? "unknown" : valueText(value), "value"),
    ...(proof === null ? [] : [span(`: ${proof}`)]),
  ];
  if (method.name === "alpha-beta")
    return [
      head,
      [],
      [span("best play of both sides", "faint")],
      ...wrap([span(line.join(" "))], { columns, indent: 0 }),
    ];
  const shown = considered.slice(0, considered.length > mostRows ? mostRows - 1 : mostRows);
  const rest = considered.length - shown.length;
  const most = Math.max(...shown.map(({ visits }) => visits));
  const width = Math.max(6, ...shown.map(({ visits }) => whole(visits).length));
  return [
    head,
    [],
    [span(`move  ${"visits".padStart(width)}              value`, "faint")],
    ...shown.map(
      (one): Line => [
        span(one.move.padEnd(4), one.move === move ? "found" : "plain"),
        span(`  ${whole(one.visits).padStart(width)}  `),
        ...shareBar(one.visits / most, 10),
        span(`  ${one.value === null ? "" : valueText(one.value).padStart(5)}`, "value"),
      ],
    ),
    ...(rest > 0 ? [[span(`… ${rest} more`, "faint")]] : []),
  ];
}
