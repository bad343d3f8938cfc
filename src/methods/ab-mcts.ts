/** Wider or deeper: a tree of answers and their revisions. */
import { Failed } from "../errors.ts";
import { reviseByPrompt, reviseByRewind, validLines } from "../policies/revision.ts";
import { text } from "../policies/text.ts";
import { abMcts } from "../search/tree/ab-mcts.ts";
import { count, type Method, textOptions, unsupported } from "./method.ts";
import { type ScorerName, scorerNamed, scorerOption } from "./scorers.ts";

export const abMctsMethods: readonly Method[] = [
  {
    name: "ab-mcts",
    title: "Adaptive branching tree search (AB-MCTS)",
    use: "answers are graded and can be revised, and it is not known whether to ask again or to revise",
    needs: [
      "a scorer: by default the checker as verifier, for free text the model's own grade",
      "to revise: a model that takes instructions; or a task, and a model that continues partial answers",
    ],
    options: [
      count("n", 16, "answers drawn"),
      {
        name: "beliefs",
        type: "choice",
        default: "gaussian",
        choices: {
          gaussian: "normal beliefs at each node (AB-MCTS-A)",
          beta: "Beta beliefs at each node; scores in [0, 1] (AB-MCTS-A)",
          mixed: "one mixed model of all answers below a node (AB-MCTS-M)",
        },
        doc: "what is learned from the scores",
      },
      count("batch", 1, "answers drawn at once: 1 learns most, more is faster"),
      scorerOption(
        "grades answers; verifier where there is a checker, else rubric",
        "verifier",
        "value-token",
        "p-true",
        "rubric",
      ),
    ],
    draws: true,
    source: "Inoue et al. 2025, arXiv:2503.04412",
    make(settings, context) {
      const { model, task, checker } = context;
      const { n, beliefs, batch, scorer = checker ? "verifier" : "rubric" } = settings;
      const { step: _, ...drawing } = textOptions(settings, "answer", task);
      const byPrompt = model.capabilities.messages;
      if (!byPrompt && !task)
        throw new Failed(
          "unsupported",
          "ab-mcts without a task needs a model that takes instructions: give --task, or a chat model",
        );
      if (!byPrompt && !model.capabilities.continues)
        throw unsupported("ab-mcts", "continuing partial answers", model, "use --method best-of-n, or a local model");
      const fresh = text(model, { ...drawing, step: "answer" });
      const revise = byPrompt
        ? reviseByPrompt(model, drawing)
        : reviseByRewind(model, { ...drawing, valid: validLines(task as NonNullable<typeof task>) });
      return {
        search: abMcts({
          actions: { [model.id]: (answer, score) => (answer ? revise(answer, score) : fresh) },
          n: n as number,
          beliefs: beliefs as "gaussian" | "beta" | "mixed",
          batch: batch as number,
        }),
        step: "answer",
        scorer: scorerNamed(scorer as ScorerName, "ab-mcts", context),
      };
    },
  },
];
