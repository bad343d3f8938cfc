/**
 * A solver without a model: a chosen law of answers for each problem, so that what a method does with many answers has a
 * closed form to be compared with. An answer may be reached by several chains, each with a probability of its own.
 */
import { type Cost, cost, noCost } from "../budget.ts";
import { random } from "../math/random.ts";
import type { Policy } from "../policy.ts";
import type { Problem } from "../problem.ts";

export interface SimulatedReply {
  readonly answer: string;
  /** How the answer was reached. @default the answer itself */
  readonly chain?: string;
  readonly probability: number;
}

export interface SimulatedState {
  /** "" at the root. */
  readonly answer: string;
  readonly chain: string;
}

export interface SimulatedSolverOptions {
  /** Replies to a problem; their probabilities sum to 1. */
  readonly law: readonly SimulatedReply[] | ((problem: Problem) => readonly SimulatedReply[]);
  /** Of one reply. @default one call and one token */
  readonly cost?: Cost;
  /** Whether it tells the probability of what it drew. @default true */
  readonly logProbs?: boolean;
  /** Needed where two solvers with different laws are used in one run. @default "simulated" */
  readonly name?: string;
}

/** One step is a whole answer. `draw: "top"` gives replies by falling probability, equals in order of the law. */
export function simulatedSolver({
  law,
  cost: paid = cost({ calls: 1, tokens: 1 }),
  logProbs = true,
  name = "simulated",
}: SimulatedSolverOptions): Policy<SimulatedState> {
  const repliesTo = (problem: Problem): readonly SimulatedReply[] => {
    const replies = typeof law === "function" ? law(problem) : law;
    const total = replies.reduce((sum, { probability }) => sum + probability, 0);
    if (!replies.every(({ probability }) => probability >= 0) || !(Math.abs(total - 1) < 1e-9))
      throw new RangeError(
        `Cannot simulate replies to '${problem.id}' as their probabilities must be >= 0 and sum to 1: their sum is ${total}`,
      );
    return replies;
  };
  return {
    name,
    root: () => ({ answer: "", chain: "" }),
    text: ({ answer }) => answer,
    bound: () => paid,
    async *extend(_, { problem, draw, seeds, ranks }) {
      const replies = repliesTo(problem);
      const weights = replies.map(({ probability }) => probability);
      const byRank = replies.toSorted((a, b) => b.probability - a.probability);
      for (const [index, seed] of seeds.entries()) {
        const reply = draw === "top" ? byRank[ranks[index] as number] : replies[random(seed).weighted(weights)];
        if (!reply) continue; // there are no more
        const { answer, chain = answer, probability } = reply;
        const logProb = logProbs ? Math.log(probability) : Number.NaN;
        yield {
          type: "extension",
          index,
          extension: {
            state: { answer, chain },
            done: true,
            logProb,
            logProposal: draw === "top" ? 0 : logProb,
            length: 1,
            cost: draw === "top" && ranks[index] !== ranks[0] ? noCost : paid, // one call brings them all
          },
        };
      }
    },
  };
}

/** Right with a probability, which stands for how easy the problem is; else wrong, by a law over wrong answers that sums to 1. */
export function successLaw(
  success: number,
  {
    right = "right",
    wrong = { wrong: 1 },
  }: { readonly right?: string; readonly wrong?: Readonly<Record<string, number>> } = {},
): SimulatedReply[] {
  if (!(success >= 0 && success <= 1))
    throw new RangeError(`Cannot simulate replies as 'success' must be in [0, 1]: current value is ${success}`);
  return [
    { answer: right, probability: success },
    ...Object.entries(wrong).map(([answer, share]) => ({ answer, probability: (1 - success) * share })),
  ];
}
