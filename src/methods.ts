/**
 * The methods by name: what each is for, what it needs, its options, and how it is made. One more method is one entry here.
 *
 * The command line, its help and its error messages are made from this table.
 */
import { majority } from "./aggregators/majority.ts";
import { Failed } from "./errors.ts";
import type { Model } from "./model.ts";
import { text, type TextState, type TextStep } from "./policies/text.ts";
import type { Policy } from "./policy.ts";
import type { Problem } from "./problem.ts";
import type { Scorer } from "./scorer.ts";
import { likelihood } from "./scorers/likelihood.ts";
import { valueToken } from "./scorers/value-token.ts";
import { verifier } from "./scorers/verifier.ts";
import type { Search } from "./search.ts";
import { beam } from "./search/beam.ts";
import { bestOfN } from "./search/best-of-n.ts";
import { mostLikely } from "./search/most-likely.ts";
import { greedy, sample } from "./search/sample.ts";
import { vote } from "./search/vote.ts";
import type { Task } from "./task.ts";

export interface MethodOption {
  /** In camelCase; on the command line `--kebab-case`. */
  readonly name: string;
  readonly type: "integer" | "number" | "choice";
  /** Absent where it follows from something else, which `doc` then says. */
  readonly default?: number | string;
  readonly least?: number;
  readonly most?: number;
  /** For `choice`: value → what it means. */
  readonly choices?: Readonly<Record<string, string>>;
  readonly doc: string;
}

export type MethodSettings = Readonly<Record<string, number | string>>;

/** What a method is made for. */
export interface MethodContext {
  readonly model: Model;
  readonly problem: Problem;
  /** Absent for free text. */
  readonly task?: Task | undefined;
}

/** What `make` decides: the search, the step that its policy takes, and the scorer of the run. */
export interface MadeMethod {
  readonly search: Search<TextState>;
  readonly step: TextStep;
  readonly scorer?: Scorer<TextState> | undefined;
}

export interface Method {
  readonly name: string;
  readonly title: string;
  /** When to use it, in one line. */
  readonly use: string;
  /** In words; `make` checks it against the model and the task. */
  readonly needs: readonly string[];
  readonly options: readonly MethodOption[];
  /** Whether it draws, so that the options of sampling are its own too. */
  readonly draws: boolean;
  readonly source: string;
  /** @throws Failed `unsupported` where the model or the problem lacks what the method needs; nothing is spent by then. */
  make(settings: MethodSettings, context: MethodContext): MadeMethod;
}

/** A method, ready for `run(search, problem, { policy, scorer })`. */
export interface Plan {
  readonly method: string;
  /** What was set and what follows by default. */
  readonly settings: MethodSettings;
  readonly search: Search<TextState>;
  readonly policy: Policy<TextState>;
  readonly scorer: Scorer<TextState> | undefined;
  /** Whether one step is a whole answer. */
  readonly whole: boolean;
}

/** Options of every method that draws: see `Sampling` for the order in which they apply, and their sources. */
export const samplingOptions: readonly MethodOption[] = [
  {
    name: "temperature",
    type: "number",
    default: 1,
    least: 0,
    doc: "0 takes the most probable token, 1 is the model's own law",
  },
  { name: "topK", type: "integer", least: 1, doc: "keep the k most probable tokens; all by default" },
  {
    name: "topP",
    type: "number",
    least: 0,
    most: 1,
    doc: "keep the fewest tokens of at least this probability in sum; all by default",
  },
  {
    name: "minP",
    type: "number",
    least: 0,
    most: 1,
    doc: "drop tokens below this share of the most probable one's; none by default",
  },
];

/** Options of every method. */
export const commonOptions: readonly MethodOption[] = [
  {
    name: "maxTokens",
    type: "integer",
    least: 1,
    doc: "tokens of one answer; 100 for a task (their answers are shorter), else 1024",
  },
];

/** More would fill the memory of a machine before the first of them is there. */
const mostCounted = 100_000;

const count = (name: string, preset: number, doc: string, most = mostCounted): MethodOption => ({
  name,
  type: "integer",
  default: preset,
  least: 1,
  most,
  doc,
});

const scorers = {
  verifier: "the task's checker: it re-executes every step",
  likelihood: "the model's log-probability of the whole answer; prefers short ones",
  "likelihood-per-token": "the same, per token; prefers long and repetitive ones",
  "value-token": "the model's own guess whether it is on the way to a right answer; flawed by nature",
} as const;

type ScorerName = keyof typeof scorers;

const scorerOption = (doc: string, ...names: ScorerName[]): MethodOption => ({
  name: "scorer",
  type: "choice",
  choices: Object.fromEntries(names.map((name) => [name, scorers[name]])),
  doc,
});

export const methods: readonly Method[] = [
  {
    name: "greedy",
    title: "Greedy decoding",
    use: "one cheap answer without chance; the baseline",
    needs: [],
    options: [],
    draws: false,
    source: "the argmax of every next-token distribution; not the most likely answer, see most-likely",
    make: () => ({ search: greedy(), step: "answer" }),
  },
  {
    name: "sample",
    title: "Sampling",
    use: "one answer by chance, or a pool of n to look at; the first is the answer",
    needs: [],
    options: [count("n", 1, "answers drawn")],
    draws: true,
    source:
      "the model's own law; top-p: Holtzman et al. 2020, arXiv:1904.09751; min-p: Nguyen et al. 2024, arXiv:2407.01082",
    make: ({ n }) => ({ search: sample({ n: n as number }), step: "answer" }),
  },
  {
    name: "best-of-n",
    title: "Best of n",
    use: "an answer can be checked, or at least scored: draw n, keep the best",
    needs: ["a scorer: by default the task's verifier, by log-probabilities without a task"],
    options: [
      count("n", 16, "answers drawn"),
      scorerOption(
        "what chooses; verifier for a task, else likelihood-per-token",
        "verifier",
        "likelihood",
        "likelihood-per-token",
        "value-token",
      ),
    ],
    draws: true,
    source: "Cobbe et al. 2021, arXiv:2110.14168, §4.2",
    make({ n, scorer = undefined }, context) {
      const name = (scorer as ScorerName | undefined) ?? (context.task ? "verifier" : "likelihood-per-token");
      return { search: bestOfN({ n: n as number }), step: "answer", scorer: scorerNamed(name, "best-of-n", context) };
    },
  },
  {
    name: "majority",
    title: "Majority vote (self-consistency)",
    use: "nothing can be checked, but answers end in something that can be compared",
    needs: ["comparable answers: the task's canonical form; for free text the last line"],
    options: [count("n", 16, "votes")],
    draws: true,
    source: "Wang et al. 2022, arXiv:2203.11171, §2",
    make({ n }, { task, problem }) {
      const canonical = task ? (answer: string) => task.canonical(problem, answer) : lastLine;
      return {
        search: vote({ n: n as number, aggregator: majority({ canonical: ({ state }) => canonical(state.text) }) }),
        step: "answer",
      };
    },
  },
  {
    name: "beam",
    title: "Beam search",
    use: "over tokens: a likelier answer than greedy's; over lines with value-token: steps that look promising are followed",
    needs: ["over tokens: next-token distributions", "over lines: a model that continues a partial answer"],
    options: [
      count("width", 4, "partial answers kept"),
      { name: "branch", type: "integer", least: 1, most: mostCounted, doc: "children of each; the width by default" },
      {
        name: "step",
        type: "choice",
        default: "token",
        choices: { token: "the most probable tokens, without chance", line: "lines that are drawn" },
        doc: "what one step is",
      },
      scorerOption("ranks partial answers; likelihood by default", "likelihood", "value-token"),
      { name: "lengthPenalty", type: "number", default: 0, doc: "exponent of Wu et al. 2016, eq. 14; 0 is none" },
    ],
    draws: true,
    source: "Lowerre 1976; as in Graves 2012, arXiv:1211.3711; over steps: Snell et al. 2024, arXiv:2408.03314, §5.2",
    make({ width, branch = width as number, step, scorer = "likelihood", lengthPenalty }, context) {
      const { model } = context;
      if (step === "token") needNextTokens(model, "beam over tokens", "use --step line, or a local model");
      else if (!model.capabilities.continues)
        throw unsupported(
          "beam over lines",
          "a model that continues partial answers",
          model,
          "use --method best-of-n, or a local model",
        );
      if (scorer === "likelihood" && !model.capabilities.logProbs) throw withoutLogProbs("beam by likelihood", model);
      return {
        search: beam({
          width: width as number,
          branch: branch as number,
          draw: step === "token" ? "top" : "sample",
          lengthPenalty: lengthPenalty as number,
          distinct: ({ text }) => text,
          ...(scorer === "value-token" && { scorer: scorerNamed("value-token", "beam", context) }),
        }),
        step: step as "token" | "line",
      };
    },
  },
  {
    name: "most-likely",
    title: "The most likely answer, exactly",
    use: "to know the mode of a small model: what greedy and beam are approximations of",
    needs: ["next-token distributions"],
    options: [
      count("branch", 1000, "children looked at, most probable first; exact if that is the vocabulary"),
      count("maxNodes", 100_000, "partial answers extended before giving up", 100_000_000),
    ],
    draws: false,
    source: "Dijkstra 1959; for language models Stahlberg & Byrne 2019, arXiv:1908.10090, algorithm 1",
    make({ branch, maxNodes }, { model }) {
      needNextTokens(model, "most-likely", "use --method best-of-n --scorer likelihood, or a local model");
      return { search: mostLikely({ branch: branch as number, maxNodes: maxNodes as number }), step: "token" };
    },
  },
];

/** All options of a method. */
export const optionsOf = (method: Method): readonly MethodOption[] => [
  ...method.options,
  ...(method.draws ? samplingOptions : []),
  ...commonOptions,
];

/** Defaults filled in, the method made, its policy with it. @throws Failed `unsupported`, before anything is spent */
export function planOf(method: Method, given: MethodSettings, context: MethodContext): Plan {
  const defaults = optionsOf(method).flatMap(({ name, default: preset }) =>
    preset === undefined ? [] : [[name, preset] as const],
  );
  const settings: MethodSettings = { ...Object.fromEntries(defaults), ...given };
  const { search, step, scorer } = method.make(settings, context);
  const { temperature, topK, topP, minP, maxTokens = context.task ? 100 : 1024 } = settings as Record<string, number>;
  const policy = text(context.model, {
    step,
    ...(step === "answer" ? { maxTokens } : { maxAnswerTokens: maxTokens, ...(step !== "token" && { maxTokens }) }),
    ...(temperature !== undefined && { temperature }),
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
    ...(minP !== undefined && { minP }),
  });
  return { method: method.name, settings, search, policy, scorer, whole: step === "answer" };
}

function scorerNamed(name: ScorerName, method: string, { model, task }: MethodContext): Scorer<TextState> {
  switch (name) {
    case "verifier":
      if (!task)
        throw new Failed(
          "unsupported",
          `${method} by verifier needs a task with a checker, which free text has not: give --task, or --scorer likelihood-per-token`,
        );
      return verifier(task);
    case "likelihood":
    case "likelihood-per-token":
      if (!model.capabilities.logProbs) throw withoutLogProbs(`${method} by ${name}`, model);
      return likelihood({ per: name === "likelihood" ? "sequence" : "token" });
    case "value-token":
      needNextTokens(model, `${method} by value-token`, "use --scorer verifier or likelihood, or a local model");
      return valueToken(model);
  }
}

function needNextTokens(model: Model, what: string, instead: string): void {
  if (!model.nextTokens) throw unsupported(what, "next-token distributions", model, instead);
}

const withoutLogProbs = (what: string, model: Model): Failed =>
  unsupported(what, "log-probabilities", model, "use --method greedy or majority, or a model that tells them");

const unsupported = (what: string, lacking: string, model: Model, instead: string): Failed =>
  new Failed("unsupported", `${what} needs ${lacking}, which ${model.id} does not give: ${instead}`);

const lastLine = (answer: string): string | undefined => answer.trimEnd().split("\n").at(-1)?.trim() || undefined;
