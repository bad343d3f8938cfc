/**
 * `ponderosa demo`: a problem that greedy decoding misses and search solves; then all methods on problems nobody chose.
 *
 * The problem shown is the first of the table's own problems that greedy misses and sixteen samples solve; the output says
 * so. The table is over all of them. Its rows judge the same sixteen samples, so that they differ by the choice alone.
 */
import { majority } from "../aggregators/majority.ts";
import { fold, key } from "../key.ts";
import { wilson } from "../math/intervals.ts";
import { methods, planOf } from "../methods.ts";
import type { Model } from "../model.ts";
import { comparePlaces, type Node } from "../node.ts";
import { shippedModels } from "../open-model.ts";
import type { TextState } from "../policies/text.ts";
import type { Problem } from "../problem.ts";
import { type Result, run } from "../run.ts";
import { isRightAnswer, type Task } from "../task.ts";
import { countdown, productChain } from "../tasks/index.ts";
import { type CliContext, usesColor } from "./context.ts";
import { liveView } from "./live.ts";
import { openNamed } from "./open.ts";
import { readSeed } from "./options.ts";
import { exitCodes, UsageError } from "./report.ts";
import { oneLine } from "./safe-text.ts";
import { type Line, type Span, span, treeLines, writer } from "./terminal.ts";
import { prune, sketch } from "./tree.ts";
import { plural, seconds, whole } from "./words.ts";

export interface DemoFlags {
  readonly problems?: string;
  readonly seed?: string;
  readonly model?: string;
}

const samples = 16;

/** What the methods made of one problem: right or wrong. */
interface Outcome {
  readonly problem: Problem;
  /** By row of the table. */
  readonly right: Readonly<Record<RowName, boolean>>;
  readonly tokens: Readonly<Record<RowName, number>>;
}

const rowNames = [
  "greedy",
  "one sample",
  `majority of ${samples}`,
  `best of ${samples} by likelihood`,
  `best of ${samples} by verifier`,
] as const;
type RowName = (typeof rowNames)[number];

export async function demo(this: CliContext, flags: DemoFlags): Promise<void> {
  const { stdout, stderr, env } = this.process;
  const color = usesColor(stdout, env);
  const columns = Math.min(stdout.columns ?? 100, 100);
  const say = writer(stdout, color);
  const count = countOf(flags.problems ?? "50");
  const seed = readSeed(flags.seed ?? "0");
  const startedAt = performance.now();
  const stopping = new AbortController();
  const forget = this.onInterrupt(() => stopping.abort());
  const model = await openNamed(this, flags.model ?? "sapling");
  const progress = (text: string) => {
    if (stderr.isTTY) stderr.write(`\r${text}\x1b[K`);
  };
  try {
    const trial = { model, signal: stopping.signal };
    const ships = shippedModels.find(({ name }) => name === model.id);
    say(span(`Ponderosa, with ${model.id}`, "strong"), span(ships ? `: ${ships.title}` : "", "faint"));
    say();

    const outcomes: Outcome[] = [];
    let shown: number | undefined;
    for (let i = 0; i < count && shown === undefined; i++) {
      progress(`looking for a problem that greedy misses: ${i + 1}`);
      const outcome = await judge(countdown, problemAt(countdown, seed, i), seedAt(seed, i), trial);
      outcomes.push(outcome);
      if (!outcome.right.greedy && outcome.right[`best of ${samples} by verifier`]) shown = i;
    }
    progress("");
    if (shown === undefined)
      say(
        span(
          `None of ${plural(count, "problem")} is missed by greedy decoding and solved by search: see the tables.`,
          "warn",
        ),
      );
    else await show(countdown, shown, { seed, columns, color, context: this, say, ...trial });

    for (const task of [countdown, productChain]) {
      const all = task === countdown ? outcomes : [];
      while (all.length < count) {
        progress(`${task.name}: problem ${all.length + 1} of ${count}`);
        all.push(await judge(task, problemAt(task, seed, all.length), seedAt(seed, all.length), trial));
      }
      progress("");
      for (const line of tableOf(task, all)) say(...line);
    }
    say(
      span(`The last three rows of a table choose among the same ${samples} samples. Intervals: Wilson, 95%.`, "faint"),
    );
    say(
      span("Right on product-chain is the final number, on countdown every step. Votes agree on numbers more", "faint"),
    );
    say(
      span("easily than on equations, which can be written in many ways; few problems make wide intervals.", "faint"),
    );
    say(span(`${seconds((performance.now() - startedAt) / 1000)} in all.`, "faint"));
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    progress("");
    stderr.write("interrupted\n");
    this.process.exitCode = exitCodes.interrupted;
  } finally {
    forget();
    await model[Symbol.asyncDispose]?.();
  }
}

/** Problem i of the held-out stream of a seed, and the seed of its runs, so that each can be repeated by `solve`. */
const problemAt = (task: Task, seed: number, i: number): Problem =>
  task.make(fold(fold(key(seed), "demo"), i), { split: "test" });
const seedAt = (seed: number, i: number): number => (1000 * seed + i) % Number.MAX_SAFE_INTEGER;

interface Trial {
  readonly model: Model;
  readonly signal: AbortSignal;
}

/** A run of a method by its name in the table of methods. */
function start(name: string, task: Task, problem: Problem, seed: number, { model, signal }: Trial) {
  const method = methods.find((one) => one.name === name) as (typeof methods)[number];
  const plan = planOf(method, method.draws ? { n: samples } : {}, { model, problem, task });
  const { policy, scorer } = plan;
  return { plan, running: run(plan.search, problem, { policy, scorer, seed, signal }) };
}

async function judge(task: Task, problem: Problem, seed: number, trial: Trial): Promise<Outcome> {
  const greedy = await start("greedy", task, problem, seed, trial).running;
  const best = await start("best-of-n", task, problem, seed, trial).running;
  trial.signal.throwIfAborted();
  const drawn = answersOf(best);
  const voted = majority<TextState>({ canonical: ({ state }) => task.canonical(problem, state.text) }).aggregate(
    drawn,
  ).answer;
  const likeliest = drawn.reduce<Node<TextState> | undefined>(
    (a, b) => (a && a.totalLogProb >= b.totalLogProb ? a : b),
    undefined,
  );
  const isRight = (node: Node<TextState> | undefined) =>
    node !== undefined && isRightAnswer(task, problem, node.state.text);
  const all = best.spent.tokens;
  return {
    problem,
    right: byRow([isRight(greedy.answer), isRight(drawn[0]), isRight(voted), isRight(likeliest), isRight(best.answer)]),
    tokens: byRow([greedy.spent.tokens, drawn[0]?.length ?? 0, all, all, all]),
  };
}

const byRow = <T>(values: readonly T[]): Record<RowName, T> =>
  Object.fromEntries(rowNames.map((name, i) => [name, values[i]])) as Record<RowName, T>;

const answersOf = ({ nodes }: Result<TextState>): Node<TextState>[] =>
  nodes.filter(({ done, failure }) => done && !failure).sort((a, b) => comparePlaces(a.id, b.id));

interface Stage extends Trial {
  readonly seed: number;
  readonly columns: number;
  readonly color: boolean;
  readonly context: CliContext;
  readonly say: (...line: Span[]) => void;
}

async function show(task: Task, i: number, { seed, columns, color, context, say, ...trial }: Stage): Promise<void> {
  const { stdout } = context.process;
  const problem = problemAt(task, seed, i);
  const question = String(problem.prompt).trim();
  const runSeed = seedAt(seed, i);
  const heading = (number: number, title: string, rest: string) =>
    say(span(`${number}  ${title}`, "strong"), span(`  ${rest}`, "faint"));
  const verdictOf = (text: string | undefined): Line => {
    const { correct, evidence } = task.check(problem, text ?? "");
    return [span(`   ${correct ? "✓" : "✗"} ${evidence}`, correct ? "best" : "wrong")];
  };
  say(span(`${task.title.split(":")[0]}.`));
  say(
    span(
      `Problem ${i + 1} of those below is the first that greedy decoding misses and ${samples} samples solve:`,
      "faint",
    ),
  );
  say();
  say(span(`   ${question}`, "strong"));
  say();

  heading(1, "Greedy decoding", "the most probable token, again and again");
  const greedy = await start("greedy", task, problem, runSeed, trial).running;
  for (const line of (greedy.text ?? "").trimEnd().split("\n")) say(span(`   ${oneLine(line)}`));
  say(...verdictOf(greedy.text), span(`  ${plural(greedy.spent.tokens, "token")}`, "faint"));
  say();

  heading(2, `Best of ${samples}`, "the same model, sampled; the checker re-executes every step");
  const { plan, running } = start("best-of-n", task, problem, runSeed, trial);
  const { policy, whole: isWhole } = plan;
  if (stdout.isTTY) {
    const view = liveView({
      output: stdout,
      color,
      run: running,
      policy,
      title: "",
      question: "",
      budget: {},
      whole: isWhole,
    });
    try {
      for await (const event of running) view.event(event);
    } finally {
      view.end();
    }
  }
  const best = await running;
  if (!stdout.isTTY) {
    const tree = sketch(policy.text);
    tree.grow(best.nodes);
    for (const line of treeLines(prune(tree, { best: best.answer, rows: 60 }), { columns: columns - 3 }))
      say(span("   "), ...line);
  }
  say(
    ...verdictOf(best.text),
    span(`  ${plural(best.spent.tokens, "token")}, ${seconds(best.spent.seconds)}`, "faint"),
  );
  say();

  heading(3, `Majority of ${samples}`, "no checker: the answer that most samples agree on");
  const voted = await start("majority", task, problem, runSeed, trial).running;
  const share = voted.confidence === undefined ? "" : `  ${Math.round(100 * voted.confidence)}% of the votes`;
  for (const line of (voted.text ?? "").trimEnd().split("\n")) say(span(`   ${oneLine(line)}`));
  say(...verdictOf(voted.text), span(`${share}  ${plural(voted.spent.tokens, "token")}`, "faint"));
  say();
  say(span("Again, with the tree as a picture:", "faint"));
  say(span(`   npx ponderosa solve --task ${task.name} --seed ${runSeed} --svg tree.svg "${question}"`, "faint"));
  say();
  trial.signal.throwIfAborted();
}

const rightOf = (outcomes: readonly Outcome[], name: RowName): number =>
  outcomes.filter(({ right }) => right[name]).length;

/** Columns of the plot from 0 to 100%. */
const plotColumns = 33;

function* tableOf(task: Task, outcomes: readonly Outcome[]): Generator<Line> {
  const widest = Math.max(...rowNames.map((name) => name.length));
  yield [span(task.name, "strong"), span(`  ${plural(outcomes.length, "held-out problem")}, none chosen`, "faint")];
  yield [
    span(
      `  ${"".padEnd(widest)}  right  95% interval  0%${"50%".padStart(plotColumns / 2)}${"100%".padStart(plotColumns / 2)}  tokens each`,
      "faint",
    ),
  ];
  for (const name of rowNames) {
    const right = rightOf(outcomes, name);
    const share = right / outcomes.length;
    const { low, high } = wilson(right, outcomes.length);
    const tokens = outcomes.reduce((sum, outcome) => sum + outcome.tokens[name], 0) / outcomes.length;
    const interval = `${Math.round(100 * low)}–${Math.round(100 * high)}%`;
    const at = (value: number) => Math.round(value * (plotColumns - 1));
    const plot = Array.from({ length: plotColumns }, (_, i) =>
      i === at(share) ? "●" : i >= at(low) && i <= at(high) ? "━" : "·",
    );
    const style = name.endsWith("verifier") ? "best" : "value";
    yield [
      span(`  ${name.padEnd(widest)}`),
      span(`  ${`${Math.round(100 * share)}%`.padStart(5)}`, "strong"),
      span(`  ${interval.padStart(12)}  `, "faint"),
      ...plot.map((sign) => span(sign, sign === "·" ? "faint" : style)),
      span(`  ${whole(tokens).padStart(11)}`, "faint"),
    ];
  }
  yield [];
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1000) return count;
  throw new UsageError(`Cannot use ${JSON.stringify(text)} as --problems: it must be a whole number in [1, 1000]`);
}
