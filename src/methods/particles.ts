/** Particle methods: populations of partial answers with weights. */
import { type ResampleName, resamplers } from "../math/resampling.ts";
import type { Node } from "../node.ts";
import type { TextState } from "../policies/text.ts";
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
  choices: { verifier: "the task's checker: wrong answers weigh 0", none: "nothing" },
  doc: "weighs finished answers; verifier for a task, else none",
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
  const { task, problem, model } = context;
  const { scorer, temper, terminal = task ? "verifier" : "none" } = settings;
  needSteps(method, model);
  if (scorer === "value-token")
    needNextTokens(model, `${method} by value-token`, "use --scorer none, or a local model");
  const verified = terminal === "verifier";
  return {
    ...(scorer === "value-token" && {
      potential: potential(scorerNamed("value-token", method, context), probabilityWeight),
      lookahead: verified,
    }),
    ...(verified && { terminal: potential(scorerNamed("verifier", method, context)) }),
    temper: (temper as number | undefined) ?? 0,
    isCut: ({ finish }) => finish === "length",
    canonical: ({ state }) => (task ? task.canonical(problem, state.text) : state.text),
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
