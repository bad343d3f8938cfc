/**
 * Problems of a file as a model is to see them: as a conversation that says what an answer has to look like, or as text to be
 * continued; with worked examples before the question where they are wanted (Brown et al. 2020, arXiv:2005.14165, §2).
 */
import { type Check, checkOf } from "../../check.ts";
import { Failed } from "../../errors.ts";
import type { Model } from "../../model.ts";
import type { Message, Problem } from "../../problem.ts";
import { questionAndAnswer } from "./format.ts";
import { formatNamed } from "./formats.ts";
import type { ProblemSet } from "./open.ts";

/** What a model of conversations is told, so that the checker finds its answer. */
const rules: Readonly<Record<Check["kind"], string>> = {
  exact: "Answer the question. End with a line 'Answer: …' that holds the answer and nothing else.",
  number: "Solve the problem step by step. End with a line '#### number' that holds the result and nothing else.",
  math: "Solve the problem step by step. End with the final answer in \\boxed{}.",
  choice: "Choose one of the options. You may reason first. End with a line 'Answer: X', where X is the letter.",
  contains: "Answer the question.",
  regex: "Answer the question.",
  grid: "Find the rule that turns each input grid into its output grid, and apply it to the test input. End with the output grid: a row a line, cells with spaces between them, and nothing after it.",
  expression: "End with a line 'Answer: …' that holds the expression and nothing else.",
  program:
    "Write the Python function that is asked for. Reply with the whole program, imports included, in one ```python block.",
};

export interface PromptOptions {
  /** Worked examples before a question; none before a conversation. @default 0 */
  readonly shots?: number;
  /** Where they are from: the first of them that tell a worked answer. @default the set itself */
  readonly examples?: ProblemSet;
}

/**
 * The same set, each problem with its prompt. An example never is the question that is asked, by its text, whatever its id.
 *
 * @throws RangeError where there are too few examples. Failed `unsupported` for a conversation and a model that takes none
 */
export function promptsFor(
  set: ProblemSet,
  model: Pick<Model, "id" | "capabilities">,
  { shots = 0, examples = set }: PromptOptions = {},
): ProblemSet {
  if (!(Number.isInteger(shots) && shots >= 0))
    throw new RangeError(`Cannot give examples as 'shots' must be a whole number from 0 on: current value is ${shots}`);
  const worked = examples.problems.flatMap(({ problem }): Example[] => {
    const answer = examples.worked.get(problem.id);
    return answer === undefined || typeof problem.prompt !== "string" ? [] : [{ question: problem.prompt, answer }];
  });
  const shown = (problem: Problem): readonly Example[] => {
    if (typeof problem.prompt !== "string") return [];
    const chosen: Example[] = [];
    for (const one of worked) {
      if (chosen.length === shots) break;
      if (alike(one.question) !== alike(problem.prompt)) chosen.push(one);
    }
    if (chosen.length === shots) return chosen;
    throw new RangeError(
      `Cannot give ${shots} examples before '${problem.id}' as ${examples.name} has ${chosen.length} other problems with a worked answer: give another file as 'examples'`,
    );
  };
  const promptOf = model.capabilities.messages ? chat : continued(formatNamed(set.format).beginning, model.id);
  return {
    ...set,
    problems: set.problems.map((asked) => ({
      ...asked,
      problem: { ...asked.problem, prompt: promptOf(asked.problem, shown(asked.problem)) },
    })),
  };
}

interface Example {
  readonly question: string;
  readonly answer: string;
}

const alike = (question: string): string => question.replace(/\s+/g, " ").trim().toLowerCase();

/** A conversation stays as its file has it, without examples. */
function chat(problem: Problem, examples: readonly Example[]): readonly Message[] {
  if (typeof problem.prompt !== "string") return problem.prompt;
  const check = checkOf(problem);
  return [
    ...(check ? [{ role: "system" as const, content: rules[check.kind] }] : []),
    ...examples.flatMap(({ question, answer }): Message[] => [
      { role: "user", content: question.trim() },
      { role: "assistant", content: answer },
    ]),
    { role: "user", content: problem.prompt.trim() },
  ];
}

const continued =
  (beginning: (question: string) => string = questionAndAnswer, model: string) =>
  ({ id, prompt }: Problem, examples: readonly Example[]): string => {
    if (typeof prompt !== "string")
      throw new Failed(
        "unsupported",
        `Cannot ask ${model} '${id}' as it is a conversation and the model only continues text: give 'prompt' in place of 'messages'`,
      );
    return [...examples.map((one) => workedText(one, beginning)), beginning(prompt)].join("\n\n");
  };

/** An example as text: a program goes on where its question ends, and needs no fence. */
function workedText({ question, answer }: Example, beginning: (question: string) => string): string {
  const program = /^```python\n([\s\S]*)\n```$/.exec(answer)?.[1];
  if (program === undefined) return `${beginning(question)} ${answer}`;
  if (program.startsWith(question)) return program;
  return `${beginning(question)}${program}\n[DONE]`;
}
