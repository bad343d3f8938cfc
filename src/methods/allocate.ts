/** How many answers to draw is decided on the way. */
import { majority } from "../aggregators/majority.ts";
import { adaptiveConsistency } from "../allocate/adaptive-consistency.ts";
import { dial } from "../allocate/effort.ts";
import { optimalStopping } from "../allocate/optimal-stopping.ts";
import { agreement, betaCriterion, type Criterion, dirichletCriterion } from "../allocate/stopping.ts";
import { count, lastLine, type Method, mostCounted } from "./method.ts";
import { type ScorerName, scorerNamed, scorerOption } from "./scorers.ts";

export const allocateMethods: readonly Method[] = [
  {
    name: "adaptive-vote",
    title: "Adaptive vote (adaptive consistency)",
    use: "as majority, at less cost where answers agree: it draws until the vote is decided",
    needs: ["comparable answers: the task's canonical form; for free text the last line"],
    options: [
      {
        name: "criterion",
        type: "choice",
        default: "beta",
        choices: {
          beta: "the leader is likely ahead of the runner-up",
          dirichlet: "the leader is likely ahead of all others",
          agreement: "the last answers are all the same",
        },
        doc: "what decides the vote",
      },
      {
        name: "effort",
        type: "number",
        default: 0.5,
        least: 0,
        most: 1,
        doc: "one dial for most and threshold: 0 is one draw, 1 is at most 64",
      },
      { name: "most", type: "integer", least: 1, most: mostCounted, doc: "answers drawn at most; by effort, 8 at 0.5" },
      {
        name: "threshold",
        type: "number",
        least: 0.51,
        most: 0.999999,
        doc: "posterior probability that decides, for beta and dirichlet; by effort, 0.969 at 0.5; the paper's is 0.95",
      },
      count("window", 5, "for agreement: answers that must be the same"),
      {
        name: "batch",
        type: "integer",
        least: 1,
        most: mostCounted,
        doc: "answers drawn at once: 1 draws least, more is faster; for agreement the window by default",
      },
    ],
    draws: true,
    source: "Aggarwal et al. 2023, arXiv:2305.11860; agreement: Li et al. 2024, arXiv:2401.10480",
    make({ criterion, effort, most, threshold, window, batch }, { task, problem }) {
      const canonical = task ? (answer: string) => task.canonical(problem, answer) : lastLine;
      const byEffort = dial(effort as number);
      const sure = threshold === undefined ? byEffort.threshold : (threshold as number);
      const criteria: Readonly<Record<string, () => Criterion>> = {
        beta: () => betaCriterion({ threshold: sure }),
        dirichlet: () => dirichletCriterion({ threshold: sure }),
        agreement: () => agreement({ window: window as number }),
      };
      return {
        search: adaptiveConsistency({
          aggregator: majority({ canonical: ({ state }) => canonical(state.text) }),
          criterion: (criteria[criterion as string] as () => Criterion)(),
          most: (most as number | undefined) ?? byEffort.most,
          ...(batch !== undefined && { batch: batch as number }),
        }),
        step: "answer",
      };
    },
  },
  {
    name: "optimal-stopping",
    title: "Optimal stopping",
    use: "as best-of-n by a score in a unit that means something: it draws while one more is worth its cost",
    needs: ["a scorer that gives numbers, not verdicts: by default value-token, where the model allows it"],
    options: [
      {
        name: "cost",
        type: "number",
        default: 0.02,
        least: 0.000001,
        doc: "what one more answer costs, in units of the score",
      },
      count("most", 32, "answers drawn at most"),
      count("batch", 1, "answers drawn at once: 1 draws least, more is faster"),
      scorerOption(
        "what chooses; value-token where the model gives next-token distributions, else likelihood-per-token",
        "value-token",
        "p-true",
        "rubric",
        "likelihood-per-token",
      ),
    ],
    draws: true,
    source: "Weitzman 1979, Econometrica 47(3), 641; scores taken for normal",
    make({ cost, most, batch, scorer = undefined }, context) {
      const name =
        (scorer as ScorerName | undefined) ?? (context.model.nextTokens ? "value-token" : "likelihood-per-token");
      return {
        search: optimalStopping({ cost: cost as number, most: most as number, batch: batch as number }),
        step: "answer",
        scorer: scorerNamed(name, "optimal-stopping", context),
      };
    },
  },
];
