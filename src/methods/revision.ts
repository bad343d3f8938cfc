/** Answers that are improved: refined, tried again with lessons or hints, or searched for in the prompt itself. */
import { Failed } from "../errors.ts";
import type { Model } from "../model.ts";
import type { AskOptions } from "../policies/ask.ts";
import {
  askForTries,
  checkArithmetic,
  checkByTask,
  checkResult,
  pickTry,
  readTries,
  tryScorer,
} from "../policies/asked-tree.ts";
import { hintedByPrompt, retryByPrompt } from "../policies/growing-prompts.ts";
import {
  critiqueByPrompt,
  reflectByPrompt,
  reflectionPrompt,
  reviseByPrompt,
  reviseByRewind,
  type Revised,
  revisionPrompt,
  validLines,
} from "../policies/revision.ts";
import { promptText } from "../problem.ts";
import type { Score } from "../scorer.ts";
import { verifier } from "../scorers/verifier.ts";
import { askForSearch } from "../search/revision/ask-for-search.ts";
import { hints } from "../search/revision/hints.ts";
import { refine } from "../search/revision/refine.ts";
import { reflexion } from "../search/revision/reflexion.ts";
import type { Task } from "../task.ts";
import {
  canonicalIn,
  comparable,
  count,
  type Method,
  type MethodSettings,
  mostCounted,
  textOptions,
  unsupported,
} from "./method.ts";

export const revisionMethods: readonly Method[] = [
  {
    name: "refine",
    title: "Sequential refinement",
    use: "a wrong answer says where it is wrong: keep what holds, make the rest anew; for free text the model is its own critic",
    needs: [
      "with a task: a model that continues a partial answer, or one that takes instructions",
      "without: a model that takes instructions",
    ],
    options: [
      {
        name: "rounds",
        type: "integer",
        least: 1,
        most: mostCounted,
        doc: "answers of one chain, the first included; 8 with a checker, 3 for free text by default",
      },
      {
        name: "parallel",
        type: "integer",
        least: 1,
        most: mostCounted,
        doc: "chains side by side; 2 with a checker, 1 for free text by default",
      },
      {
        name: "back",
        type: "number",
        least: 0,
        most: 1,
        default: 0.75,
        doc: "by rewind: probability of taking back one more line; 0 where valid lines never lead astray",
      },
      {
        name: "by",
        type: "choice",
        choices: {
          prompt: "question, answer and feedback in a prompt; the model must take instructions",
          rewind: "the lines before the first wrong one are kept, the rest is drawn anew; for a task",
        },
        doc: "how an answer is revised; prompt where the model takes instructions, else rewind",
      },
    ],
    draws: true,
    source: "Madaan et al. 2023, arXiv:2303.17651; chains side by side: Snell et al. 2024, arXiv:2408.03314, §6",
    make(settings, { model, task, checker }) {
      const {
        rounds = checker ? 8 : 3,
        parallel = checker ? 2 : 1,
        back,
        by = model.capabilities.messages ? "prompt" : "rewind",
      } = settings;
      const chains = { rounds: rounds as number, parallel: parallel as number };
      const { step: _, ...drawing } = textOptions(settings, "answer", task);
      if (by === "rewind") {
        if (!task)
          throw new Failed(
            "unsupported",
            "refine by rewind needs a task that knows which steps hold: give --task, or --by prompt with a model that takes instructions",
          );
        if (!model.capabilities.continues)
          throw unsupported(
            "refine by rewind",
            "continuing partial answers",
            model,
            "use --by prompt, or a local model",
          );
        const revise = reviseByRewind(model, { ...drawing, valid: validLines(task), back: back as number });
        return { search: refine({ ...chains, revise, name: "rewind" }), step: "answer", scorer: verifier(task) };
      }
      needInstructions("refine by prompt", model, "use --by rewind with a task, or --method best-of-n");
      if (!checker)
        return {
          search: refine({
            ...chains,
            revise: reviseByPrompt(model, drawing),
            critique: critiqueByPrompt(model, replyOptions(settings)),
            scorer: null,
          }),
          step: "answer",
        };
      const revise = reviseByPrompt(model, { ...drawing, ...(task && { template: told(task, revisionPrompt) }) });
      return { search: refine({ ...chains, revise }), step: "answer", scorer: verifier(checker) };
    },
  },
  {
    name: "reflexion",
    title: "Reflexion",
    use: "an answer can be checked, and the model can put into words what it did wrong",
    needs: ["a model that takes instructions", "a checker; without one every trial counts as failed"],
    options: [count("trials", 4, "answers at most"), count("memory", 3, "reflections kept for the next trial")],
    draws: true,
    source: "Shinn et al. 2023, arXiv:2303.11366, algorithm 1",
    make(settings, { model, task, checker }) {
      needInstructions("reflexion", model, "use --method refine or best-of-n");
      const { step: _, ...drawing } = textOptions(settings, "answer", task);
      const template = task && told(task, reflectionPrompt);
      return {
        search: reflexion({
          ...(!checker && { scorer: null }),
          reflect: reflectByPrompt(model, { ...replyOptions(settings), ...(template && { template }) }),
          retry: retryByPrompt(model, drawing),
          trials: settings.trials as number,
          memory: settings.memory as number,
        }),
        step: "answer",
        scorer: checker && verifier(checker),
      };
    },
  },
  {
    name: "hints",
    title: "Progressive hints",
    use: "nothing can be checked, and answers end in something that can be compared: earlier answers are hints until two agree",
    needs: ["a model that takes instructions", comparable],
    options: [count("rounds", 8, "answers at most")],
    draws: true,
    source: "Zheng et al. 2023, arXiv:2304.09797",
    make(settings, context) {
      const { model, task } = context;
      needInstructions("hints", model, "use --method majority");
      const { step: _, ...drawing } = textOptions(settings, "answer", task);
      const canonical = canonicalIn(context);
      return {
        search: hints({
          canonical: ({ state }) => canonical(state.text),
          hinted: hintedByPrompt(model, drawing),
          rounds: settings.rounds as number,
        }),
        step: "answer",
      };
    },
  },
  {
    name: "ask-for-search",
    title: "Asking for search in the prompt",
    use: "the model is good at following instructions, and one long reply is all that is wanted; every try in it is checked",
    needs: ["a model that takes instructions"],
    options: [count("tries", 3, "tries asked for", 12)],
    draws: true,
    source:
      "one prompt, and a reader for its notation; checked by the checker, or by arithmetic where the question is some",
    make(settings, { model, task, checker, problem }) {
      needInstructions("ask-for-search", model, "use --method best-of-n or beam");
      const scorer = task
        ? tryScorer(task.name, checkByTask(task, problem))
        : checker
          ? tryScorer(checker.name, checkResult(checker, problem))
          : tryScorer("arithmetic", checkArithmetic(promptText(problem.prompt)));
      return {
        search: askForSearch({
          ask: askForTries(model, { ...replyOptions(settings), tries: settings.tries as number }),
          read: readTries(
            task
              ? { asText: ({ steps, result }) => (steps.length > 0 ? `${steps.join("\n")}\n` : (result ?? "")) }
              : {},
          ),
          pick: pickTry,
          scorer,
        }),
        step: "answer",
      };
    },
  },
];

function needInstructions(what: string, model: Model, instead: string): void {
  if (!model.capabilities.messages) throw unsupported(what, "answers to instructions", model, instead);
}

/** For replies in words, which are longer than a task's answers. */
function replyOptions(settings: MethodSettings): Omit<AskOptions, "name" | "done"> {
  const { step: _, ...options } = textOptions(settings, "answer", undefined);
  return options;
}

/**
 * What the model is told about a wrong answer: which line is the first wrong one. The checker's own words would sometimes tell the
 * result, which is what is asked.
 */
const told =
  <P>(task: Task, template: (revised: Revised) => P) =>
  (revised: Revised): P => {
    const { problem, answer, score } = revised;
    if (score?.kind !== "verdict" || score.correct) return template(revised);
    const { steps } = task.check(problem, answer);
    const wrong = steps.findIndex(({ valid }) => !valid);
    const evidence =
      wrong < 0 ? "Every line holds, but the result is not what is asked." : `Line ${wrong + 1} is wrong.`;
    return template({ ...revised, score: { ...(score as Score), evidence } });
  };
