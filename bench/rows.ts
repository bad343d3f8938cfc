/** What `bench/methods.ts` compares: in words of the command line, or as searches with a scorer that has been made worse. */
import type { MethodSettings } from "../src/methods.ts";
import type { TextState, TextStep } from "../src/policies/text.ts";
import type { Scorer } from "../src/scorer.ts";
import { noisy } from "../src/scorers/simulated.ts";
import type { Search } from "../src/search.ts";
import {
  beam,
  bestFirst,
  bestOfN,
  dvts,
  oddsWeight,
  particleFilter,
  potential,
  rebase,
  stochasticBeam,
} from "../src/search/index.ts";

interface Common {
  readonly label: string;
  /** What decides about the answer: methods that know the same are compared. */
  readonly knows: string;
  /** What the others that know the same are compared with. */
  readonly baseline?: true;
}

export type Row = Common &
  (
    | { readonly method: string; readonly settings: MethodSettings }
    | {
        readonly step: TextStep;
        /** `value` is the model's value read-out; `seed` that of the run. */
        readonly make: (value: Scorer<TextState>, seed: number) => Search<TextState>;
      }
  );

const many = 1000; // more than any budget here affords: the budget ends the run

const row = (knows: string, label: string, method: string, settings: MethodSettings = {}, baseline?: true): Row => ({
  label,
  knows,
  method,
  settings,
  ...(baseline && { baseline }),
});

/** Sizes are those that come near to 600 tokens on countdown without running into that; searches that go on until accepted need none. */
const methods: readonly Row[] = [
  row("nothing", "greedy", "greedy"),
  row("nothing", "one sample", "sample"),
  row("nothing", "majority", "majority", { n: many }, true),

  row("log p", "best of n, likelihood", "best-of-n", { n: many, scorer: "likelihood" }, true),
  row("log p", "beam over tokens", "beam", { width: 12 }),
  row("log p", "diverse beam over tokens", "diverse-beam", { width: 12, groups: 4 }),
  row("log p", "the most likely answer", "most-likely"),

  row("value", "best of n, value", "best-of-n", { n: many, scorer: "value-token" }, true),
  row("value", "beam over lines", "beam", { width: 4, step: "line", scorer: "value-token" }),
  row("value", "stochastic beam", "stochastic-beam", { width: 4 }),
  row("value", "DVTS", "dvts", { trees: 3 }),
  row("value", "REBASE", "rebase", { n: 12 }),
  row("value", "best-first", "best-first"),
  row("value", "tournament, value", "tournament", { n: 12, compare: "value-token" }),
  row("value", "particle filter", "particle-filter", { particles: 13, terminal: "none" }),
  row("value", "particle Gibbs", "particle-gibbs", { particles: 4, iterations: 3, terminal: "none" }),
  row("value", "SMC steering", "smc-steering", { particles: 4, terminal: "none" }),

  row("verifier", "best of n, verifier", "best-of-n", { n: many }, true),
  row("verifier", "refine, rewinding", "refine", { rounds: many, parallel: 1 }),
  row("verifier", "refine, anew each time", "refine", { rounds: many, parallel: 1, back: 1 }),
  row("verifier", "AB-MCTS-A", "ab-mcts", { n: many }),
  row("verifier", "AB-MCTS-M", "ab-mcts", { n: many, beliefs: "mixed" }),
  row("verifier", "Levin", "levin", { maxNodes: many }),
  row("verifier", "Levin by value", "levin", { maxNodes: many, guide: "value-token" }),
  row("verifier", "tree of thoughts", "tree-of-thoughts", { maxNodes: many }),
  row("verifier", "MCTS, PUCT", "mcts", { simulations: many }),
  row("verifier", "MCTS, UCT", "mcts", { simulations: many, select: "uct" }),
  row("verifier", "MCTS, Gumbel", "mcts", { simulations: many, select: "gumbel", branch: 8 }),
  row("verifier", "MCTS, value at leaves", "mcts", { simulations: many, leaf: "value-token" }),
  row("verifier", "particle filter", "particle-filter", { particles: 13 }),
  row("verifier", "particle Gibbs", "particle-gibbs", { particles: 4, iterations: 3 }),
  row("verifier", "SMC steering", "smc-steering", { particles: 4 }),
];

/** Hunting the best point, and sampling from the law that the same value weights, by a value with noise in log-odds. */
const noise: readonly Row[] = [0, 1, 2, 4].flatMap((sd) => {
  const knows = `value, noise ${sd}`;
  const by = (label: string, step: TextStep, make: (value: Scorer<TextState>) => Search<TextState>): Row => ({
    label,
    knows,
    step,
    make: (value, seed) => make(sd === 0 ? value : noisy(value, { sd, seed })),
    ...(label === "best of n" && { baseline: true }),
  });
  return [
    by("best of n", "answer", (scorer) => bestOfN({ n: many, scorer })),
    by("beam", "line", (scorer) => beam({ width: 4, branch: 4, draw: "sample", scorer })),
    by("stochastic beam", "line", (scorer) => stochasticBeam({ width: 4, branch: 4, scorer, normalize: true })),
    by("DVTS", "line", (scorer) => dvts({ trees: 3, branch: 4, scorer })),
    by("REBASE", "line", (scorer) => rebase({ n: 12, balance: 0.2, scorer })),
    by("best-first", "line", (scorer) => bestFirst({ branch: 4, scorer })),
    by("particle filter", "line", (scorer) =>
      particleFilter({ particles: 13, potential: potential(scorer, oddsWeight), canonical: ({ state }) => state.text }),
    ),
  ];
});

export const studies: Readonly<Record<string, readonly Row[]>> = { methods, noise };
