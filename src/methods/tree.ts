/** Monte Carlo tree search over partial answers. */
import { Failed } from "../errors.ts";
import type { TextState } from "../policies/text.ts";
import type { Score, Scorer } from "../scorer.ts";
import { rankOf } from "../scorer.ts";
import { mcts } from "../search/tree/mcts.ts";
import { gumbel } from "../search/tree/mcts/gumbel.ts";
import { puct, type Select, uct } from "../search/tree/mcts/select.ts";
import { needSteps } from "./beam.ts";
import { count, type Method, type MethodContext, type MethodOption, mostCounted, needNextTokens } from "./method.ts";
import { scorerNamed } from "./scorers.ts";

export const selectOption: MethodOption = {
  name: "select",
  type: "choice",
  default: "puct",
  choices: {
    uct: "an upper confidence bound: Kocsis & Szepesvári 2006",
    puct: "the same with priors: AlphaZero, MuZero",
    gumbel: "sequential halving at the first step: Danihelka et al. 2022",
  },
  doc: "which child is visited next",
};

export const treeMethods: readonly Method[] = [
  {
    name: "mcts",
    title: "Monte Carlo tree search",
    use: "partial answers can be judged, but not surely: visits go where values, priors and what is unknown point to",
    needs: ["a model that continues a partial answer", "over tokens, or by value-token: next-token distributions"],
    options: [
      count("simulations", 200, "nodes evaluated; ends sooner where a checker accepts an answer", 100_000_000),
      {
        name: "step",
        type: "choice",
        default: "line",
        choices: { line: "lines that are drawn", token: "the most probable tokens, with their priors" },
        doc: "what one step is",
      },
      {
        name: "leaf",
        type: "choice",
        default: "rollout",
        choices: {
          rollout: "an answer completed from it, judged as finished ones are",
          "value-token": "the model's own guess whether it is on the way to a right answer; flawed by nature",
        },
        doc: "what a new node is worth",
      },
      selectOption,
      {
        name: "exploration",
        type: "number",
        least: 0,
        doc: "the constant c of the rule; √2 for uct, 1.25 for puct by default",
      },
      {
        name: "widening",
        type: "number",
        least: 0,
        most: 1,
        doc: "lines after a partial answer: its visits to this power; 0.7 unless branch is given",
      },
      {
        name: "branch",
        type: "integer",
        least: 1,
        most: mostCounted,
        doc: "steps after a partial answer, all at once; 32 tokens by default, 16 lines for gumbel",
      },
      count("workers", 4, "leaves at a time: 1 learns most, more is faster"),
    ],
    draws: true,
    source:
      "Coulom 2006; Kocsis & Szepesvári 2006; Silver et al. 2018, Science 362; Danihelka et al. 2022; workers: Chaslot et al. 2008",
    make({ simulations, step, leaf, select, workers, ...more }, context) {
      const { model, checker } = context;
      const { exploration, branch, widening } = more as { exploration?: number; branch?: number; widening?: number };
      needSteps("mcts", model);
      if (step === "token") needNextTokens(model, "mcts over tokens", "use --step line, or a local model");
      if (leaf === "value-token") needNextTokens(model, "mcts by value-token", "use --leaf rollout, or a local model");
      if (branch !== undefined && widening !== undefined)
        throw new Failed("unsupported", "branch and widening exclude each other: all steps at once, or one by one");
      const atOnce = branch ?? (step === "token" ? 32 : select === "gumbel" ? 16 : undefined);
      return {
        search: mcts<TextState>({
          simulations: simulations as number,
          select: ruleNamed(select as string, exploration),
          draw: step === "token" ? "top" : "sample",
          ...(atOnce !== undefined && widening === undefined
            ? { branch: atOnce }
            : { widening: { alpha: widening ?? 0.7 } }),
          distinct: ({ text, finish }) => `${finish ?? ""} ${text}`,
          workers: workers as number,
          ...(checker && { enough: 1 }),
          ...judging(leaf as string, context),
        }),
        step: step as "token" | "line",
      };
    },
  },
];

export function ruleNamed(name: string, c: number | undefined): Select {
  if (name === "gumbel") {
    if (c !== undefined)
      throw new Failed("unsupported", "gumbel has no exploration constant: leave it out, or use --select puct or uct");
    return gumbel();
  }
  const options = c === undefined ? {} : { c };
  return name === "uct" ? uct(options) : puct(options);
}

/** Leaves by the model's guess or by roll-outs; finished answers by the checker where there is one. All values are in [0, 1]. */
function judging(
  leaf: string,
  context: MethodContext,
): { scorer?: Scorer<TextState>; verifier: Scorer<TextState>; rollout: boolean; value: (score: Score) => number } {
  const rollout = leaf === "rollout";
  const verifierName = context.checker ? "verifier" : rollout ? "likelihood-per-token" : "value-token";
  return {
    verifier: scorerNamed(verifierName, "mcts", context),
    ...(!rollout && { scorer: scorerNamed("value-token", "mcts", context) }),
    rollout,
    value: (score) => (score.kind === "log-likelihood" ? Math.exp(score.value) : rankOf(score)),
  };
}
