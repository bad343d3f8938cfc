/** Programs that reason by asking a model one small question after another, in words: for models that take instructions. */
import type { Model } from "../model.ts";
import {
  backwardChainingPrompts,
  chainOfThoughtPrompts,
  leastToMostPrompts,
  maieuticPrompts,
  type PromptOptions,
  say,
  selectionInferencePrompts,
} from "../policies/prompts.ts";
import { promptText } from "../policies/ask.ts";
import type { Problem } from "../problem.ts";
import { backwardChaining, type GoalVerdict, type ProofStep } from "../search/programs/backward-chaining.ts";
import { chainOfThought } from "../search/programs/chain-of-thought.ts";
import { leastToMost } from "../search/programs/least-to-most.ts";
import { maieutic } from "../search/programs/maieutic.ts";
import { type InferenceStep, selectionInference } from "../search/programs/selection-inference.ts";
import { sample } from "../search/sampling/sample.ts";
import type { Task } from "../task.ts";
import { type HornWorld, lineOf, opposite, worldOf } from "../tasks/horn.ts";
import { count, type Method, type MethodContext, type MethodSettings, textOptions, unsupported } from "./method.ts";

const instructions = "a model that takes instructions";

export const programs: readonly Method[] = [
  {
    name: "chain-of-thought",
    title: "Chain of thought",
    use: "questions of several steps, for an instruct model that does not reason unasked",
    needs: [`${instructions}; the shipped models write their steps in product-chain alone`],
    options: [],
    draws: true,
    source: "Wei et al. 2022, arXiv:2201.11903; in two stages: Kojima et al. 2022, arXiv:2205.11916",
    make(settings, context) {
      const { model, task } = context;
      // Trained to write its steps: nothing has to be asked twice.
      if (!model.capabilities.messages && task?.name === "product-chain")
        return { search: sample({ n: 1 }), step: "answer" };
      needInstructions("chain-of-thought", model);
      const search = chainOfThought({
        ...chainOfThoughtPrompts(model, promptOptions(settings, context)),
        ...(task && { check: (problem: Problem, reasoning: string) => task.check(problem, reasoning).steps }),
      });
      return { search, step: "answer" };
    },
  },
  {
    name: "least-to-most",
    title: "Least-to-most",
    use: "questions whose parts build upon one another",
    needs: [instructions],
    options: [count("most", 8, "sub-questions that are asked", 100)],
    draws: true,
    source: "Zhou et al. 2022, arXiv:2205.10625",
    make(settings, context) {
      needInstructions("least-to-most", context.model);
      const prompts = leastToMostPrompts(context.model, promptOptions(settings, context));
      return { search: leastToMost({ ...prompts, most: settings.most as number }), step: "answer" };
    },
  },
  {
    name: "selection-inference",
    title: "Selection-inference",
    use: "conclusions from statements that are given, where every step is to be seen",
    needs: [
      instructions,
      "statements and a question: the sentences of the text, the last one the question; or the task horn",
    ],
    options: [count("steps", 5, "inferences at most", 1000)],
    draws: true,
    source: "Creswell et al. 2022, arXiv:2205.09712",
    make(settings, context) {
      needInstructions("selection-inference", context.model);
      const { statements, question, world } = statementsOf(context);
      const prompts = selectionInferencePrompts(context.model, { ...promptOptions(settings, context), question });
      return {
        search: selectionInference({
          ...prompts,
          statements: () => statements,
          ...(world && {
            halt: (known: readonly string[]) => verdictAmong(known, world) !== "unknown",
            answer: (known: readonly string[], steps: readonly InferenceStep[]) => say(hornTrace(world, known, steps)),
          }),
          steps: settings.steps as number,
        }),
        step: "answer",
      };
    },
  },
  {
    name: "maieutic",
    title: "Maieutic prompting",
    use: "a statement is true or false, and the model contradicts itself about it",
    needs: [instructions, "a statement, or a question to be answered yes or no"],
    options: [
      count("branch", 2, "explanations of each side", 20),
      count("depth", 2, "how often explanations are explained; below the first, one of each side", 5),
    ],
    draws: true,
    source: "Jung et al. 2022, arXiv:2205.11822",
    make(settings, context) {
      needInstructions("maieutic", context.model);
      const statement = inWords(context);
      const prompts = maieuticPrompts(context.model, { ...promptOptions(settings, context), question: statement });
      const below: number[] = Array.from({ length: (settings.depth as number) - 1 }, () => 1);
      return {
        search: maieutic({ ...prompts, statement: () => statement, branch: [settings.branch as number, ...below] }),
        step: "answer",
      };
    },
  },
  {
    name: "backward-chaining",
    title: "Backward chaining (LAMBADA)",
    use: "a claim follows from facts and rules, or its opposite does, over several rules",
    needs: [
      instructions,
      "facts, rules (if …, all …) and a claim: the sentences of the text, the last one the claim; or the task horn",
    ],
    options: [count("depth", 6, "rules on top of one another", 100)],
    draws: true,
    source: "Kazemi et al. 2022, arXiv:2212.13894",
    make(settings, context) {
      needInstructions("backward-chaining", context.model);
      const { statements, question, world } = statementsOf(context);
      const facts = statements.filter((one) => !isRule(one));
      const rules = statements.filter(isRule);
      const prompts = backwardChainingPrompts(context.model, promptOptions(settings, context));
      return {
        search: backwardChaining({
          ...prompts,
          theory: () => ({ facts, rules, goal: world ? literalText(world.question) : question }),
          ...(world && {
            answer: (verdict: GoalVerdict, proof: readonly ProofStep[]) => say(hornProof(world, verdict, proof)),
          }),
          depth: settings.depth as number,
        }),
        step: "answer",
      };
    },
  },
];

/** @throws Failed `unsupported`; nothing is spent by then */
function needInstructions(method: string, model: Model): void {
  if (!model.capabilities.messages)
    throw unsupported(method, instructions, model, "use --method majority or beam, or an instruct model");
}

/** Replies of a program are longer than the answers of tasks. */
function promptOptions(settings: MethodSettings, { problem, task }: MethodContext): PromptOptions {
  const { step: _, ...options } = textOptions({ maxTokens: 512, ...settings }, "answer", undefined);
  return {
    ...options,
    ...(task?.name === "horn" ? { question: hornQuestion(problem) } : {}),
    ...(task && { form: formOf(task) }),
  };
}

const formOf = (task: Task): string =>
  task.name === "horn" ? "The answer is yes, no or unknown." : `What is asked: ${task.title}.`;

/** Sentences of a text, the question apart; a horn world is put into words. */
function statementsOf({ problem, task }: MethodContext): {
  readonly statements: readonly string[];
  readonly question: string;
  readonly world: HornWorld | undefined;
} {
  if (task?.name === "horn") {
    const world = worldOf(problem);
    return { statements: hornStatements(world), question: `Is it so that ${literalText(world.question)}?`, world };
  }
  const sentences = promptText(problem.prompt)
    .split(/(?<=[.!?])\s+|\n+/)
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .map((one) => (one.endsWith(".") ? one.slice(0, -1) : one));
  return { statements: sentences.slice(0, -1), question: sentences.at(-1) ?? "", world: undefined };
}

const inWords = ({ problem, task }: MethodContext): string =>
  task?.name === "horn" ? hornQuestion(problem) : promptText(problem.prompt);

/** A sentence that speaks of whatever meets a condition. */
const isRule = (sentence: string): boolean =>
  /\b(?:if|then|all|every|each|any|anyone|anything|everyone|everything|whenever|when|no one|nothing|implies)\b/i.test(
    sentence,
  );

const literalText = (literal: string): string =>
  literal.startsWith("-") ? `${opposite(literal)} is false` : `${literal} is true`;

const hornStatements = ({ facts, rules }: HornWorld): string[] => [
  ...facts.map(literalText),
  ...rules.map(
    ({ premises, conclusion }) => `if ${premises.map(literalText).join(" and ")}, then ${literalText(conclusion)}`,
  ),
];

function hornQuestion(problem: Problem): string {
  const world = worldOf(problem);
  return `${hornStatements(world).join(".\n")}.\nIs it so that ${literalText(world.question)}?`;
}

const plain = (statement: string): string => statement.trim().toLowerCase();

function verdictAmong(known: readonly string[], { question }: HornWorld): "yes" | "no" | "unknown" {
  const said = new Set(known.map(plain));
  if (said.has(literalText(question))) return "yes";
  return said.has(literalText(opposite(question))) ? "no" : "unknown";
}

/** The rules that were selected, as the checker reads them, where what was inferred is what they conclude. */
function hornTrace(world: HornWorld, known: readonly string[], steps: readonly InferenceStep[]): string {
  const lines = steps.flatMap(({ from, inferred }) =>
    from
      .map((place) => place - world.facts.length)
      .filter((rule) => world.rules[rule] && literalText(world.rules[rule].conclusion) === plain(inferred))
      .slice(0, 1)
      .map((rule) => lineOf(world, rule)),
  );
  return `${lines.join("")}${verdictAmong(known, world)}`;
}

function hornProof(world: HornWorld, verdict: GoalVerdict, proof: readonly ProofStep[]): string {
  const lines = proof.flatMap(({ rule }) => (rule === undefined ? [] : [lineOf(world, rule)]));
  return `${lines.join("")}${{ proved: "yes", disproved: "no", unknown: "unknown" }[verdict]}`;
}
