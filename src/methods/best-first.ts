/** Searches that choose one partial answer at a time out of the whole tree. */
import { bestFirst } from "../search/tree/best-first.ts";
import { levin } from "../search/tree/levin.ts";
import { treeOfThoughts } from "../search/tree/tree-of-thoughts.ts";
import { needSteps, stepNeeds, stepScorer, stepScorerOption } from "./beam.ts";
import { count, type Method, withoutLogProbs } from "./method.ts";
import { type ScorerName, scorerNamed } from "./scorers.ts";

const branch = count("branch", 4, "lines drawn after a partial answer");
const maxNodes = count("maxNodes", 100, "partial answers extended before giving up", 100_000_000);

export const bestFirstMethods: readonly Method[] = [
  {
    name: "best-first",
    title: "Best-first search",
    use: "a scorer of partial answers that can be trusted: whatever it likes most, anywhere in the tree, is grown next",
    needs: stepNeeds,
    options: [branch, maxNodes, stepScorerOption],
    size: "maxNodes",
    draws: true,
    source: "as in MindStar, Kang et al. 2024, arXiv:2405.16265",
    make({ branch, maxNodes, scorer = "value-token" }, context) {
      needSteps("best-first", context.model);
      return {
        search: bestFirst({
          scorer: stepScorer(scorer as ScorerName, "best-first", context),
          branch: branch as number,
          maxNodes: maxNodes as number,
        }),
        step: "line",
      };
    },
  },
  {
    name: "levin",
    title: "Levin tree search",
    use: "an answer that must be found and can be checked, with a bound on the work: depth over probability",
    needs: [
      "a model that continues a partial answer and tells log-probabilities",
      "a checker, which ends the search; for free text the first finished answer does",
    ],
    options: [
      branch,
      maxNodes,
      {
        name: "guide",
        type: "choice",
        default: "model",
        choices: {
          model: "the model's own probabilities of the lines",
          "value-token": "the softmax of its guesses whether they are on the way to a right answer",
        },
        doc: "whose probabilities",
      },
      { name: "guideTemperature", type: "number", default: 0.2, least: 1e-6, doc: "of that softmax" },
    ],
    size: "maxNodes",
    draws: true,
    source: "Orseau et al. 2018, arXiv:1811.10928; over reasoning steps: Kang et al. 2024, arXiv:2405.16265",
    make({ branch, maxNodes, guide, guideTemperature }, context) {
      needSteps("levin", context.model);
      if (guide === "model" && !context.model.capabilities.logProbs) throw withoutLogProbs("levin", context.model);
      return {
        search: levin({
          branch: branch as number,
          maxNodes: maxNodes as number,
          ...(context.checker && { verifier: scorerNamed("verifier", "levin", context) }),
          ...(guide === "value-token" && {
            guide: {
              scorer: scorerNamed("value-token", "levin", context),
              temperature: guideTemperature as number,
            },
          }),
        }),
        step: "line",
      };
    },
  },
  {
    name: "tree-of-thoughts",
    title: "Tree of thoughts, depth first",
    use: "wrong steps show early: the most promising is followed, what is not promising is given up, and it backtracks",
    needs: stepNeeds,
    options: [
      branch,
      maxNodes,
      { name: "threshold", type: "number", doc: "what is not worth more is pruned; nothing by default" },
      stepScorerOption,
    ],
    size: "maxNodes",
    draws: true,
    source:
      "Yao et al. 2023, arXiv:2305.10601, algorithm 2; algorithm 1 is --method beam --step line --scorer value-token",
    make({ branch, maxNodes, threshold, scorer = "value-token" }, context) {
      needSteps("tree-of-thoughts", context.model);
      return {
        search: treeOfThoughts({
          scorer: stepScorer(scorer as ScorerName, "tree-of-thoughts", context),
          ...(threshold !== undefined && { threshold: threshold as number }),
          ...(context.checker && { verifier: scorerNamed("verifier", "tree-of-thoughts", context) }),
          branch: branch as number,
          maxNodes: maxNodes as number,
        }),
        step: "line",
      };
    },
  },
];
