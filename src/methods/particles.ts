/** Particle methods: populations of partial answers with weights. */
import { type ResampleName, resamplers } from "../math/resampling.ts";
import type { Node } from "../node.ts";
import type { TextState } from "../policies/text.ts";
import type { Score, Scorer } from "../scorer.ts";
import { grammar } from "../scorers/constraints/grammar.ts";
import { regular } from "../scorers/constraints/regular.ts";
import { words } from "../scorers/constraints/words.ts";
import { particleFilter } from "../search/particles/particle-filter.ts";
import { particleGibbs } from "../search/particles/particle-gibbs.ts";
import { potential, probabilityWeight } from "../search/particles/potential.ts";
import { smcSteering } from "../search/particles/smc-steering.ts";
import type { TargetOptions } from "../search/particles/sweep.ts";
import { needSteps } from "./beam.ts";
import {
  count,
  type Method,
  type MethodContext,
  type MethodOption,
  type MethodSettings,
  mostCounted,
  needNextTokens,
} from "./method.ts";
import { scorerNamed } from "./scorers.ts";

const stepOption: MethodOption = {
  name: "step",
  type: "choice",
  default: "line",
  choices: { token: "a token", line: "a line" },
  doc: "what particles grow by, between two weighings",
};
const potentialOption: MethodOption = {
  name: "scorer",
  type: "choice",
  default: "value-token",
  choices: {
    "value-token": "the model's own guess whether it is on the way to a right answer",
    none: "nothing: partial answers weigh the same",
  },
  doc: "weighs partial answers, by its probability; where there is a terminal potential too, only until they are finished",
};
const terminalOption: MethodOption = {
  name: "terminal",
  type: "choice",
  choices: { verifier: "the checker: wrong answers weigh 0", none: "nothing" },
  doc: "weighs finished answers; verifier where there is a checker, else none",
};
const temperOption: MethodOption = {
  name: "temper",
  type: "integer",
  default: 0,
  least: 0,
  doc: "steps over which the scorer's power grows to 1; 0 is full power from the start",
};
const threshold = (preset: number): MethodOption => ({
  name: "threshold",
  type: "number",
  default: preset,
  least: 0,
  most: 1,
  doc: "resamples where the effective sample size falls below this share of the particles: 1 always, 0 never",
});
const constraintOptions: readonly MethodOption[] = [
  { name: "pattern", type: "text", doc: "a regular expression that answers match as a whole; none by default" },
  { name: "grammar", type: "text", doc: "a grammar that answers keep to, in GBNF (llama.cpp); none by default" },
  { name: "words", type: "text", doc: "the only words that answers have, as in yes,no; any by default" },
  { name: "never", type: "text", doc: "words that answers do not have, as in perhaps,maybe; none by default" },
];
const needs = [
  "a model that continues partial answers",
  "with value-token: next-token distributions, and a model trained to answer it",
];

/** The target that the settings stand for, and by what its answers are compared. */
function target(
  method: string,
  settings: MethodSettings,
  context: MethodContext,
): TargetOptions<TextState> & { canonical: (node: Node<TextState>) => string | undefined } {
  const { checker, problem, model } = context;
  const { scorer, temper, terminal = checker ? "verifier" : "none" } = settings;
  needSteps(method, model);
  if (scorer === "value-token")
    needNextTokens(model, `${method} by value-token`, "use --scorer none, or a local model");
  const verified = terminal === "verifier";
  const rules = constraintsOf(settings);
  const guided = scorer === "value-token";
  const guide = guided ? scorerNamed("value-token", method, context) : undefined;
  const verifier = verified ? scorerNamed("verifier", method, context) : undefined;
  const lookahead = guided && verified;
  return {
    ...(guide && { potential: potential(keepingTo(rules, guide), probabilityWeight), lookahead }),
    ...(!guide && rules.length > 0 && { potential: potential(keepingTo(rules)) }),
    // What looks ahead is taken out again where an answer ends: there the constraints are asked once more.
    ...(verifier && { terminal: potential(lookahead ? keepingTo(rules, verifier) : verifier) }),
    temper: (temper as number | undefined) ?? 0,
    isCut: ({ finish }) => finish === "length",
    canonical: ({ state }) => (checker ? checker.canonical(problem, state.text) : state.text),
  };
}

interface Constraint {
  /** As it is said of an answer that keeps to it, or does not. */
  readonly name: string;
  readonly scorer: Scorer<TextState>;
}

/** @throws SyntaxError, RangeError where one cannot be read */
function constraintsOf({ pattern, grammar: rules, words: only, never }: MethodSettings): Constraint[] {
  return [
    ...(pattern === undefined ? [] : [{ name: "the pattern", scorer: regular<TextState>(String(pattern)) }]),
    ...(rules === undefined ? [] : [{ name: "the grammar", scorer: grammar<TextState>(String(rules)) }]),
    ...(only === undefined
      ? []
      : [{ name: "the only words", scorer: words<TextState>({ only: wordsIn("words", only) }) }]),
    ...(never === undefined
      ? []
      : [{ name: "the words never to use", scorer: words<TextState>({ never: wordsIn("never", never) }) }]),
  ];
}

function wordsIn(option: string, text: number | string): string[] {
  const listed = String(text)
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  if (listed.length > 0) return listed;
  throw new RangeError(`Cannot use ${JSON.stringify(text)} as --${option} as it lists no word: write yes,no`);
}

/**
 * The product of constraints and of a judge: the first that refuses makes it 0, and the judge is not asked. Without a judge
 * a verdict.
 */
function keepingTo(constraints: readonly Constraint[], judge?: Scorer<TextState>): Scorer<TextState> {
  if (judge && constraints.length === 0) return judge;
  const kept = `keeps to ${constraints.map(({ name }) => name).join(" and ")}`;
  return {
    name: [...constraints.map(({ scorer }) => scorer), ...(judge ? [judge] : [])].map(({ name }) => name).join(" × "),
    kind: judge?.kind ?? "verdict",
    ...(judge?.bound && { bound: judge.bound.bind(judge) }),
    async score(node, request) {
      for (const { name, scorer } of constraints) {
        const verdict = (await scorer.score(node, request)) as Score & { kind: "verdict" };
        if (verdict.correct) continue;
        const evidence = `against ${name}${verdict.evidence === "incomplete" ? ": incomplete" : ""}`;
        return judge?.kind === "probability"
          ? { kind: "probability", value: 0, evidence }
          : { kind: "verdict", correct: false, evidence };
      }
      if (judge) return judge.score(node, request);
      return { kind: "verdict", correct: true, ...(node.done && { evidence: kept }) };
    },
  };
}

export const particleMethods: readonly Method[] = [
  {
    name: "particle-filter",
    title: "Particle filter",
    use: "a scorer of partial answers is right on average but not to be followed blindly: promising ones are copied, by chance",
    needs,
    options: [
      count("particles", 16, "partial answers side by side"),
      stepOption,
      potentialOption,
      terminalOption,
      ...constraintOptions,
      {
        name: "resample",
        type: "choice",
        default: "systematic",
        choices: {
          systematic: "one draw for all; copies are the expected number rounded down or up",
          stratified: "one draw for each",
          residual: "the expected number rounded down, the rest by chance",
          ssp: "rounded down or up, with proofs that systematic lacks",
          multinomial: "independent draws; the noisiest",
        },
        doc: "how the population is drawn anew",
      },
      threshold(0.5),
      temperOption,
    ],
    draws: true,
    source: "Gordon, Salmond & Smith 1993; over steps of a language model: Puri et al. 2025, arXiv:2502.01618",
    make(settings, context) {
      const search = particleFilter({
        ...target("particle-filter", settings, context),
        particles: settings.particles as number,
        resample: resamplers[settings.resample as ResampleName],
        threshold: settings.threshold as number,
      });
      return { search, step: settings.step as "token" | "line" };
    },
  },
  {
    name: "particle-gibbs",
    title: "Particle Gibbs",
    use: "one particle filter of the size that fits is too small: several, each of which goes on from the answer of the last",
    needs,
    options: [
      {
        name: "particles",
        type: "integer",
        default: 8,
        least: 2,
        most: mostCounted,
        doc: "partial answers side by side, the retained one among them",
      },
      count("iterations", 4, "particle filters, one after the other"),
      stepOption,
      potentialOption,
      terminalOption,
      ...constraintOptions,
      threshold(1),
      temperOption,
    ],
    draws: true,
    source: "Andrieu, Doucet & Holenstein 2010; over steps of a language model: Puri et al. 2025, arXiv:2502.01618",
    make(settings, context) {
      const search = particleGibbs({
        ...target("particle-gibbs", settings, context),
        particles: settings.particles as number,
        iterations: settings.iterations as number,
        threshold: settings.threshold as number,
      });
      return { search, step: settings.step as "token" | "line" };
    },
  },
  {
    name: "smc-steering",
    title: "SMC steering",
    use: "as the particle filter, with no partial answer there twice: over tokens with few plausible ones at each place",
    needs: [...needs, "over tokens: next-token distributions"],
    options: [
      count("particles", 8, "partial answers kept"),
      count("factor", 3, "children of each"),
      stepOption,
      potentialOption,
      terminalOption,
      ...constraintOptions,
      temperOption,
    ],
    draws: true,
    source: "Lew et al. 2023, arXiv:2306.03081; resampling: Fearnhead & Clifford 2003",
    make(settings, context) {
      const listed = settings.step === "token";
      if (listed) needNextTokens(context.model, "smc-steering over tokens", "use --step line, or a local model");
      const search = smcSteering({
        ...target("smc-steering", settings, context),
        particles: settings.particles as number,
        factor: settings.factor as number,
        draw: listed ? "top" : "sample",
        distinct: ({ text }) => text,
      });
      return { search, step: settings.step as "token" | "line" };
    },
  },
];
