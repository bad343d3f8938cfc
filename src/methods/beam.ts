/** Beam search and its relatives, and the exact mode that they approximate. */
import { beam } from "../search/beam.ts";
import { mostLikely } from "../search/most-likely.ts";
import { count, type Method, mostCounted, needNextTokens, unsupported, withoutLogProbs } from "./method.ts";
import { scorerNamed, scorerOption } from "./scorers.ts";

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
