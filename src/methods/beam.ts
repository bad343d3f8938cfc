/** Beam search and its relatives, and the exact mode that they approximate. */
import type { Model } from "../model.ts";
import type { Node } from "../node.ts";
import type { TextState } from "../policies/text.ts";
import type { Scorer } from "../scorer.ts";
import { beam } from "../search/beam/beam.ts";
import { diverseBeam } from "../search/beam/diverse-beam.ts";
import { dvts } from "../search/beam/dvts.ts";
import { mostLikely } from "../search/tree/most-likely.ts";
import { cumulative, hamming, ngram } from "../search/beam/penalties.ts";
import { rebase } from "../search/beam/rebase.ts";
import { stochasticBeam } from "../search/beam/stochastic-beam.ts";
import {
  count,
  type Method,
  type MethodContext,
  type MethodOption,
  mostCounted,
  needNextTokens,
  unsupported,
  withoutLogProbs,
} from "./method.ts";
import { type ScorerName, scorerNamed, scorerOption } from "./scorers.ts";

export const stepNeeds: readonly string[] = [
  "a model that continues a partial answer",
  "a scorer of partial answers: by default next-token distributions",
];

/** @throws Failed `unsupported` */
export function needSteps(method: string, model: Model): void {
  if (!model.capabilities.continues)
    throw unsupported(
      method,
      "a model that continues partial answers",
      model,
      "use --method best-of-n, or a local model",
    );
}

/** What judges partial answers on the command line. */
export const stepScorerOption: MethodOption = scorerOption(
  "judges partial answers; value-token by default",
  "value-token",
  "likelihood",
  "likelihood-per-token",
);

/** @throws Failed `unsupported` where the model lacks what it needs */
export function stepScorer(name: ScorerName, method: string, context: MethodContext): Scorer<TextState> {
  if (name === "value-token")
    needNextTokens(context.model, `${method} by value-token`, "use --scorer likelihood, or a local model");
  return scorerNamed(name, method, context);
}

/** What a node appends; an end is unlike any text. */
const stepOf = ({ state, parent, done }: Node<TextState>): string =>
  `${state.text.slice(parent?.state.text.length)}${done ? "\0" : ""}`;

const penalties = {
  hamming: { make: () => hamming(stepOf), doc: "groups that take the same token at the same time" },
  cumulative: { make: () => cumulative(stepOf, { gamma: 4 }), doc: "the same, fading once the texts have diverged" },
  "n-gram": { make: () => ngram(stepOf), doc: "pairs of tokens that occur anywhere in earlier groups" },
} as const;

export const beamMethods: readonly Method[] = [
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
      else needSteps("beam over lines", model);
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
    name: "diverse-beam",
    title: "Diverse beam search",
    use: "several answers that differ, where those of a beam would be near-copies",
    needs: ["next-token distributions"],
    options: [
      count("width", 4, "partial answers kept, in all groups together"),
      {
        name: "groups",
        type: "integer",
        least: 1,
        most: mostCounted,
        doc: "must divide the width, which it is by default",
      },
      {
        name: "strength",
        type: "number",
        default: 0.5,
        least: 0,
        doc: "what resembling an earlier group costs, in nats",
      },
      {
        name: "penalty",
        type: "choice",
        default: "hamming",
        choices: Object.fromEntries(Object.entries(penalties).map(([name, { doc }]) => [name, doc])),
        doc: "what resembling is",
      },
    ],
    draws: false,
    source: "Vijayakumar et al. 2016, arXiv:1610.02424, algorithm 1, §5.1",
    make({ width, groups = width as number, strength, penalty }, { model }) {
      needNextTokens(model, "diverse-beam", "use --method sample, or a local model");
      return {
        search: diverseBeam({
          penalty: penalties[penalty as keyof typeof penalties].make(),
          width: width as number,
          groups: groups as number,
          strength: strength as number,
        }),
        step: "token",
      };
    },
  },
  {
    name: "stochastic-beam",
    title: "Stochastic beam with self-evaluation",
    use: "lines that are likely and that the model itself trusts, kept with some chance; names the line to doubt",
    needs: ["a model that continues a partial answer", "next-token distributions: they are its confidence"],
    options: [
      count("width", 4, "partial answers kept"),
      count("branch", 4, "lines drawn after each"),
      {
        name: "confidenceWeight",
        type: "number",
        default: 0.5,
        least: 0,
        most: 1,
        doc: "0 is likelihood alone, 1 confidence alone",
      },
      {
        name: "beamTemperature",
        type: "number",
        default: 0.2,
        least: 0,
        doc: "chance in what is kept; 0 keeps the best",
      },
      { name: "anneal", type: "number", default: 0.5, least: 0, most: 1, doc: "multiplies it after every line" },
    ],
    draws: true,
    source: "Xie et al. 2023, arXiv:2305.00633, §2; per token and per step, as in the authors' code",
    make({ width, branch, confidenceWeight, beamTemperature, anneal }, context) {
      needSteps("stochastic-beam", context.model);
      needNextTokens(context.model, "stochastic-beam", "use --method best-of-n, or a local model");
      if (confidenceWeight !== 1 && !context.model.capabilities.logProbs)
        throw withoutLogProbs("stochastic-beam", context.model);
      return {
        search: stochasticBeam({
          scorer: scorerNamed("value-token", "stochastic-beam", context),
          width: width as number,
          branch: branch as number,
          confidenceWeight: confidenceWeight as number,
          temperature: beamTemperature as number,
          anneal: anneal as number,
          normalize: true,
          distinct: ({ text }) => text,
        }),
        step: "line",
      };
    },
  },
  {
    name: "dvts",
    title: "Diverse verifier tree search",
    use: "a large budget and a scorer of partial answers: independent searches that cannot crowd one another out",
    needs: stepNeeds,
    options: [
      count("trees", 4, "independent searches"),
      count("branch", 4, "lines drawn at each node"),
      stepScorerOption,
    ],
    draws: true,
    source: 'Beeching, Tunstall & Rush 2024, "Scaling test-time compute with open models", Hugging Face',
    make({ trees, branch, scorer = "value-token" }, context) {
      needSteps("dvts", context.model);
      return {
        search: dvts({
          scorer: stepScorer(scorer as ScorerName, "dvts", context),
          trees: trees as number,
          branch: branch as number,
        }),
        step: "line",
      };
    },
  },
  {
    name: "rebase",
    title: "Reward balanced search (REBASE)",
    use: "as best-of-n, where a scorer of partial answers tells early which are worth more of the samples",
    needs: stepNeeds,
    options: [
      count("n", 16, "answers to end with"),
      { name: "balance", type: "number", default: 0.2, least: 1e-6, doc: "temperature of the shares: low is greedy" },
      stepScorerOption,
    ],
    draws: true,
    source: "Wu et al. 2024, arXiv:2408.00724, §3.1.2",
    make({ n, balance, scorer = "value-token" }, context) {
      needSteps("rebase", context.model);
      return {
        search: rebase({
          scorer: stepScorer(scorer as ScorerName, "rebase", context),
          n: n as number,
          balance: balance as number,
        }),
        step: "line",
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
    size: "maxNodes",
    draws: false,
    source: "Dijkstra 1959; for language models Stahlberg & Byrne 2019, arXiv:1908.10090, algorithm 1",
    make({ branch, maxNodes }, { model }) {
      needNextTokens(model, "most-likely", "use --method best-of-n --scorer likelihood, or a local model");
      return { search: mostLikely({ branch: branch as number, maxNodes: maxNodes as number }), step: "token" };
    },
  },
];
