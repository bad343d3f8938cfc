/** Shows a run while it goes on: a picture that is redrawn in a terminal, plain lines anywhere else. */
import type { Budget } from "../budget.ts";
import type { RunEvent } from "../event.ts";
import type { Node } from "../node.ts";
import type { Policy } from "../policy.ts";
import type { Run } from "../run.ts";
import { rankOf } from "../scorer.ts";
import type { Output } from "./context.ts";
import { oneLine } from "./safe-text.ts";
import { bar, type Line, paint, type Span, span, treeLines } from "./terminal.ts";
import { prune, type Sketch, sketch } from "./tree.ts";
import { fixed, limitNames, plural, scoreText, seconds, tightest, whole } from "./words.ts";

export interface ViewOptions<S> {
  readonly output: Output;
  readonly color: boolean;
  readonly run: Run<S>;
  readonly policy: Policy<S>;
  /** What is said above the tree; may be empty, as may the question. */
  readonly title: string;
  readonly question: string;
  readonly budget: Budget;
  /** Whether deltas are of whole answers, so that they can be drawn from the root on. */
  readonly whole: boolean;
  /** Where a run is no matter of answers and tokens. */
  readonly saying?: Saying<S> | undefined;
}

/** How a run is drawn and spoken of. */
export interface Saying<S> {
  readonly tree: Sketch<S>;
  /** What was done so far, as in "120 positions". */
  readonly done: () => string;
  /** The best so far in a few words, and what it is worth as far as that is known. */
  readonly best: (node: Node<S>) => readonly [what: string, worth: string | undefined];
}

export interface View {
  event(event: RunEvent): void;
  /** The last picture stays. */
  end(): void;
}

/** Shortest time between two pictures. */
const frameMs = 100;

export function liveView<S>(options: ViewOptions<S>): View {
  const { output, run, policy, color } = options;
  const tree = options.saying?.tree ?? sketch(policy.text);
  let drawnRows = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const showCursor = () => output.write("\x1b[?25h");
  process.once("exit", showCursor);
  output.write("\x1b[?25l");

  const draw = () => {
    drawnAt = performance.now();
    const { columns = 80, rows = 24 } = output;
    tree.grow(run.nodes);
    const lines = frame(tree, options, { columns: columns - 1, rows: rows - 1 }).map((line) =>
      paint(line, { color, columns: columns - 1 }),
    );
    // One write, shown at once by terminals that know synchronised updates (mode 2026); every line is cleared to its end.
    const up = drawnRows > 0 ? `\x1b[${drawnRows}A` : "";
    output.write(`\x1b[?2026h\r${up}${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J\x1b[?2026l`);
    drawnRows = lines.length;
  };
  const timer = setInterval(draw, frameMs);
  timer.unref();
  return {
    event(event) {
      if (event.type === "text-delta" && options.whole) tree.write(event.id, event.delta);
      if (performance.now() - drawnAt >= frameMs) draw();
    },
    end() {
      clearInterval(timer);
      draw();
      process.removeListener("exit", showCursor);
      showCursor();
    },
  };
}

function frame<S>(
  tree: ReturnType<typeof sketch<S>>,
  { run, title, question, budget, whole: isWhole, saying }: ViewOptions<S>,
  { columns, rows }: { columns: number; rows: number },
): Line[] {
  const root = prune(tree, { best: run.best?.node, rows: Math.max(1, rows - 5) });
  return [
    ...(title === "" ? [] : [[span(title, "faint")], []]),
    ...(question === "" ? [] : [[span(oneLine(question.trim()), "strong")]]),
    ...treeLines(root, { columns }),
    [],
    saying
      ? statusBy(saying, run, budget)
      : status(isWhole ? plural(tree.root.samples, "sample") : plural(run.nodes.length - 1, "step"), run, budget),
  ];
}

function status<S>(grown: string, { spent, best }: Run<S>, budget: Budget): Line {
  const limit = tightest(budget, spent);
  const used = limit
    ? [...usedOf(limit), ...(limit.limit === "tokens" ? [] : [span(`  ${plural(spent.tokens, "token")}`)])]
    : [span(plural(spent.tokens, "token"))];
  const score = best?.node.score;
  const found = !best
    ? "no answer yet"
    : score?.kind === "verdict"
      ? score.correct
        ? "✓ found"
        : "none right yet"
      : score
        ? scoreText(score)
        : "";
  const isRight = score?.kind === "verdict" && rankOf(score) === 1;
  return [
    ...used,
    span(`  ${grown}  ${seconds(spent.seconds)}`, "faint"),
    span(found ? `  ${found}` : "", isRight ? "best" : "faint"),
  ];
}

function statusBy<S>({ done, best: say }: Saying<S>, { spent, best }: Run<S>, budget: Budget): Line {
  const limit = tightest(budget, spent);
  const [what, worth] = best ? say(best.node) : [];
  return [
    ...(limit ? [...usedOf(limit), span("  ")] : []),
    span(done()),
    span(limit?.limit === "seconds" ? "" : `  ${seconds(spent.seconds)}`, "faint"),
    ...(best ? [span(`  ${what}`, "found"), span(worth ? `  ${worth}` : "", "value")] : []),
  ];
}

const usedOf = ({ share, used, most, limit }: NonNullable<ReturnType<typeof tightest>>): Span[] => [
  ...bar(share, 20),
  span(`  ${amount(used)} of ${amount(most)} ${limitNames[limit]}`),
];

const amount = (value: number): string => (Number.isInteger(value) ? whole(value) : fixed(value, 1));

/** A line when the run starts and a line for every better answer. One that was found wrong is none. */
export function plainView<S>({ output, run, policy, title, saying }: ViewOptions<S>): View {
  output.write(`${title}\n`);
  if (saying) return sayingView(saying, { output, run });
  let highest: number | undefined;
  let saidWrong = false;
  return {
    event(event) {
      if (event.type !== "best" || !run.best) return;
      const { node, value } = run.best;
      // An equal one from an earlier place takes over as the best, and is no news.
      if (highest !== undefined && !(value > highest)) return;
      highest = value;
      const at = plural(run.spent.tokens, "token");
      if (node.score?.kind === "verdict" && !node.score.correct) {
        if (!saidWrong) output.write(`none right yet, at ${at}\n`);
        saidWrong = true;
        return;
      }
      const text = oneLine(policy.text(node.state).trimEnd()) || "(empty)";
      output.write(`best so far, at ${at}: ${text}${node.score ? `  (${scoreText(node.score)})` : ""}\n`);
    },
    end() {},
  };
}

/** A line whenever another one is the best. */
function sayingView<S>({ tree, done, best }: Saying<S>, { output, run }: Pick<ViewOptions<S>, "output" | "run">): View {
  let said = "";
  return {
    event(event) {
      if (event.type !== "best" || !run.best) return;
      const { node } = run.best;
      if (best(node)[0] === said) return;
      tree.grow(run.nodes);
      const [what, worth] = best(node);
      said = what;
      output.write(`best so far, at ${done()}: ${what}${worth ? `  (${worth})` : ""}\n`);
    },
    end() {},
  };
}
