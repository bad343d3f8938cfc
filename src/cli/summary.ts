/** What is said when a run of `ponderosa solve` has ended; and its picture. */
import type { Budget, Limit } from "../budget.ts";
import type { Plan } from "../methods.ts";
import type { TextState } from "../policies/text.ts";
import type { Result } from "../run.ts";
import { type CliContext, usesColor } from "./context.ts";
import { budgetText } from "./options.ts";
import { isAnswered, type SolveReport } from "./report.ts";
import { treeSvg } from "./svg.ts";
import { commandWriter, type Span, span, writer } from "./terminal.ts";
import { prune, sketch } from "./tree.ts";
import { failureText, percent, plural, scoreText, seconds, shellQuoted, stoppedText, usedOf } from "./words.ts";

/** As in "best-of-16 by verifier". */
export function titleOf({ method, settings, scorer }: Pick<Plan, "method" | "settings" | "scorer">): string {
  const { n, width, scorer: named } = settings;
  const by = scorer?.name.split(":")[0] ?? (named === "none" ? undefined : named);
  const size =
    width !== undefined ? ` of width ${width}` : n !== undefined && !method.endsWith("-n") && n !== 1 ? ` of ${n}` : "";
  return `${n === undefined ? method : method.replace(/-n$/, `-${n}`)}${size}${by === undefined ? "" : ` by ${by}`}`;
}

/** On standard error: what the answer is worth, why the run ended, what it cost, and how to go on. */
export function summarize(report: SolveReport, title: string, process: CliContext["process"]): void {
  const { answer, confidence, probability, cost } = report;
  const say = writer(process.stderr, usesColor(process.stderr, process.env));
  say(...verdictLine(report));
  if (probability !== undefined && probability !== null)
    say(span(`such answers are right in ${percent(probability)} of cases, by its calibration`, "faint"));
  else if (confidence !== null) say(span(`confidence ${confidence.toFixed(2)}, not calibrated`, "faint"));
  const best = isAnswered(report) ? "best" : answer === null ? "none" : "empty";
  sayEnding(report, { command: "solve", title, done: plural(cost.tokens, "token"), best }, process);
}

/** What a run came to its end by, whatever it was about. */
type Ending = Pick<SolveReport, "failures" | "stopped" | "cost" | "budget" | "journal">;

/** Why the run ended, what it cost, and how to go on. `best`: what is there if it was cut short. */
export function sayEnding(
  { failures, stopped, cost, budget, journal }: Ending,
  ending: { command: string; title: string; done: string; best: "best" | "empty" | "none" },
  { stderr, env }: CliContext["process"],
): void {
  const { command, title, done, best } = ending;
  const color = usesColor(stderr, env);
  const say = writer(stderr, color);
  const sayCommand = commandWriter(stderr, color);
  if (best !== "none" && stopped.why !== "answered")
    say(span(`stopped early, ${stoppedText(stopped)}${best === "best" ? ": this is the best so far" : ""}`, "warn"));
  if (stopped.why !== "all-failed")
    for (const failure of failures.slice(0, 3))
      say(span(`${plural(failure.count, "sample")} failed: ${failureText(failure)}`, "warn"));
  const used = [
    done,
    plural(cost.calls, "call"),
    ...(cost.dollars > 0 ? [`$${cost.dollars.toPrecision(3)}`] : []),
    seconds(cost.seconds),
  ];
  say(span(`${title} · ${used.join(", ")}`, "faint"));
  if (journal === null) {
    if (stopped.why === "aborted") say(span("nothing was kept: with --journal FILE a run can be resumed", "warn"));
    return;
  }
  const again = `ponderosa ${command} --resume ${shellQuoted(journal)}`;
  if (stopped.why === "aborted") {
    say(span("resume with:", "warn"));
    sayCommand(again);
  }
  if (stopped.why === "budget-spent") {
    say(span("go on with more:", "faint"));
    sayCommand(`${again} --budget ${budgetText(raised(budget, stopped.limit, usedOf(stopped.limit, cost)))}`);
  }
}

function verdictLine(report: SolveReport): Span[] {
  const { answer, correct, evidence, score, stopped, abstained, reason } = report;
  if (abstained) return [span("I don't know", "strong"), span(`: ${reason}`)];
  if (answer === null) return [span(`no answer: ${stoppedText(stopped)}`, "warn")];
  if (!isAnswered(report)) return [span("the model's answer is empty", "warn")];
  if (correct !== undefined)
    return [span(correct ? "✓ correct" : "✗ wrong", correct ? "best" : "wrong"), span(`: ${evidence}`)];
  if (score?.kind === "verdict" && !score.correct) return [span("✗ ", "wrong"), span(scoreText(score))];
  return [span(score ? `not checked; ${scoreText(score)}` : "not checked", "faint")];
}

/** The limit that ended the run, twice as high as it was or as what was used; the others as they are. */
export function raised(budget: Budget, limit: Limit, used: number): Budget {
  const twice = 2 * Math.max(budget[limit] ?? 0, used) || firstLimits[limit];
  return { ...budget, [limit]: limit === "dollars" ? Number(twice.toPrecision(3)) : Math.ceil(twice) };
}

/** For a limit of 0, of which there is no double: enough for an answer of the default length. */
const firstLimits: Readonly<Record<Limit, number>> = {
  tokens: 2000,
  promptTokens: 2000,
  calls: 16,
  seconds: 10,
  dollars: 0.01,
};

export function picture(
  result: Result<TextState>,
  { policy }: Plan,
  { problem: question, cost }: SolveReport,
  title: string,
): string {
  const tree = sketch(policy.text);
  tree.grow(result.nodes);
  const answers = result.nodes.filter(({ done, failure }) => done && !failure);
  const right = answers.filter(({ score }) => score?.kind === "verdict" && score.correct).length;
  const counted = answers.some(({ score }) => score?.kind === "verdict");
  const answered = counted ? `${right} of ${plural(answers.length, "answer")} right` : plural(answers.length, "answer");
  const footer = `${answered} · ${plural(cost.tokens, "token")} · ${seconds(cost.seconds)}`;
  return treeSvg(prune(tree, { best: result.answer, rows: pictureRows }), { question, title, footer });
}

/** What a reader takes in at a glance. */
const pictureRows = 48;
