/**
 * Policies that make a new answer out of an earlier one and what was found wrong with it: by asking for it, or by taking back the
 * end of the answer and drawing it anew. Each is made for one node, and hangs its child below that node:
 *
 *     const revise = reviseByPrompt(model);
 *     const [better] = yield* extend(answer, { policy: revise(answer, score) });
 */
import { type Cost, cost } from "../budget.ts";
import { fingerprint, fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import type { Model } from "../model.ts";
import type { Node } from "../node.ts";
import type { Policy, PolicyPart } from "../policy.ts";
import type { Json, Message, Problem, Prompt } from "../problem.ts";
import type { Score } from "../scorer.ts";
import type { Task } from "../task.ts";
import { ask, type AskOptions } from "./ask.ts";
import { replyStates } from "./reply-state.ts";
import { text, type TextOptions, type TextState } from "./text.ts";

/** What a prompt for a revision is made of. */
export interface Revised {
  readonly problem: Problem;
  readonly answer: string;
  /** Undefined where the scorer failed, or there is none. */
  readonly score: Score | undefined;
  /** Critiques of the answer. */
  readonly notes: readonly string[];
}

export interface ReviseByPromptOptions extends Omit<AskOptions, "name" | "done"> {
  /** @default revisionPrompt */
  readonly template?: (revised: Revised) => Prompt;
}

type ByPrompt = (
  answer: Node<TextState>,
  score: Score | undefined,
  notes?: readonly Node<TextState>[],
) => Policy<TextState>;

/** For models that take instructions: question, earlier answer and feedback in one prompt, a new answer as the reply. */
export function reviseByPrompt(
  model: Model,
  { template = revisionPrompt, ...options }: ReviseByPromptOptions = {},
): ByPrompt {
  return (answer, score, notes = []) =>
    byPrompt("revise", { model, template, options: { ...options, done: true } }, { answer, score, notes });
}

/** A critique of an answer, which is no answer itself: the model's own feedback to it. */
export function critiqueByPrompt(
  model: Model,
  { template = critiquePrompt, ...options }: ReviseByPromptOptions = {},
): ByPrompt {
  return (answer, score, notes = []) =>
    byPrompt("critique", { model, template, options: { ...options, done: false } }, { answer, score, notes });
}

/** A lesson from a failed trial, for the prompt of the next one. */
export function reflectByPrompt(
  model: Model,
  { template = reflectionPrompt, ...options }: ReviseByPromptOptions = {},
): ByPrompt {
  return (answer, score, notes = []) =>
    byPrompt("reflect", { model, template, options: { ...options, done: false } }, { answer, score, notes });
}

function byPrompt(
  name: string,
  made: { model: Model; template: (revised: Revised) => Prompt; options: Omit<AskOptions, "name"> },
  of: { answer: Node<TextState>; score: Score | undefined; notes: readonly Node<TextState>[] },
): Policy<TextState> {
  const notes = of.notes.map(({ state }) => state.text);
  return ask(made.model, (state, problem) => made.template({ problem, answer: state.text, score: of.score, notes }), {
    ...made.options,
    name: named(name, { score: of.score ?? null, notes }),
  });
}

/** A name for a prompt that depends on more than the state. */
export const named = (name: string, on: Json): string => `${name}#${fingerprint(JSON.stringify(on))}`;

/** `Question, answer, feedback, and the wish for a better answer`; as turns where the question is a conversation. */
export function revisionPrompt(revised: Revised): Prompt {
  return goOn(revised, `${feedbackOf(revised)}\nGive a better answer, in the same form, and nothing else.`);
}

export function critiquePrompt(revised: Revised): Prompt {
  return goOn(
    revised,
    `${feedbackOf(revised, "")}\nCriticise this answer: say what is wrong in it and how to make it better. Do not answer again.`.trim(),
  );
}

export function reflectionPrompt(revised: Revised): Prompt {
  return goOn(
    revised,
    `${feedbackOf(revised)}\nIn a few sentences: why did this attempt fail, and what should be done differently next time? Do not answer again.`,
  );
}

/** What is known about an answer, in words: verdict or score, evidence, critiques. */
function feedbackOf({ score, notes }: Revised, nothing = "This answer can be improved."): string {
  const judged =
    score === undefined
      ? []
      : score.kind === "verdict"
        ? [score.correct ? "This answer is right." : "This answer is not right."]
        : score.kind === "log-likelihood"
          ? []
          : [`This answer is scored ${score.value}.`];
  const lines = [...judged, ...(score?.evidence ? [score.evidence] : []), ...notes];
  return lines.length > 0 ? lines.join("\n") : nothing;
}

/** A question, the answer to it, and what is said next. */
export function goOn({ problem, answer }: Pick<Revised, "problem" | "answer">, said: string): Prompt {
  if (typeof problem.prompt === "string")
    return `${problem.prompt.trimEnd()}\n\nAn earlier answer:\n${answer.trim()}\n\n${said}`;
  return [...problem.prompt, { role: "assistant", content: answer.trim() }, { role: "user", content: said }];
}

/** A question with something added to its last words: to the last turn of the user, where it is a conversation. */
export function withAdded(prompt: Prompt, added: string): Prompt {
  if (typeof prompt === "string") return `${prompt.trimEnd()}\n\n${added}`;
  const last = prompt.findLastIndex(({ role }) => role === "user");
  if (last < 0) return [...prompt, { role: "user", content: added }];
  return prompt.map((turn, i): Message => (i === last ? { ...turn, content: `${turn.content}\n\n${added}` } : turn));
}

export interface ReviseByRewindOptions extends Omit<TextOptions, "step" | "maxAnswerTokens"> {
  /** How many lines of an answer hold, from its first on: `validLines(task)`. It must not know the solution. */
  readonly valid: (answer: string, problem: Problem) => number;
  /**
   * Probability of taking back one more line, and so on. 0 takes back no more than what was refused: best where valid lines never
   * lead astray, stuck where they do. 1 begins anew.
   * @default 0.75, as a refused line is often the outcome of an earlier one
   */
  readonly back?: number;
}

/**
 * For models that only continue: keeps the lines before the first one that was refused and draws the rest of the answer anew.
 * Where all lines hold and the answer is wrong all the same, the last line counts as refused; of an answer of n lines at
 * most n − 1 are kept. A valid line can still lead nowhere, so each further line is taken back with probability `back`.
 *
 * The log-probability of a revision is that of what was drawn anew, given the lines that were kept.
 */
export function reviseByRewind(
  model: Model,
  { valid, back = 0.75, ...options }: ReviseByRewindOptions,
): () => Policy<TextState> {
  if (!(back >= 0 && back <= 1))
    throw new RangeError(`Cannot revise by rewinding as 'back' must be in [0, 1]: current value is ${back}`);
  const inner = text(model, { ...options, step: "answer" });

  /** The beginning of an answer that is kept, as a state that can be continued. */
  function kept(state: TextState, lines: number): TextState {
    const beginning = linesOf(state.text).slice(0, lines).join("");
    const length = Math.max(0, Math.min(model.countTokens(beginning), state.length - 1));
    return { prompt: state.prompt, text: beginning, length };
  }

  const most = (state: TextState, problem: Problem): number =>
    Math.max(0, Math.min(valid(state.text, problem), linesOf(state.text).length - 1));

  function drawn(most: number, seed: number): number {
    const stream = random(fold(key(seed), "rewind"));
    let lines = most;
    while (lines > 0 && stream.uniform() < back) lines--;
    return lines;
  }

  const policy: Policy<TextState> = {
    ...replyStates,
    name: `rewind ${back}: ${inner.name}`,
    ...(inner.batch !== undefined && { batch: inner.batch }),
    ...(inner.concurrency !== undefined && { concurrency: inner.concurrency }),
    bound(state, problem): Cost {
      const [all, none] = [kept(state, most(state, problem)), kept(state, 0)].map((one) => inner.bound(one, problem));
      return cost({
        tokens: (none as Cost).tokens,
        promptTokens: (all as Cost).promptTokens,
        calls: 1,
        nanodollars: Math.max((none as Cost).nanodollars, (all as Cost).nanodollars),
      });
    },
    async *extend(state, request): AsyncGenerator<PolicyPart<TextState>> {
      const limit = most(state, request.problem);
      const groups = Map.groupBy(request.seeds.keys(), (place) =>
        request.draw === "top" ? limit : drawn(limit, request.seeds[place] as number),
      );
      for (const [lines, places] of groups) {
        const [seeds, ranks] = [request.seeds, request.ranks].map((of) => places.map((place) => of[place] as number));
        const asked = { ...request, seeds: seeds as number[], ranks: ranks as number[] };
        for await (const part of inner.extend(kept(state, lines), asked))
          yield { ...part, index: places[part.index] as number };
      }
    },
  };
  return () => policy;
}

/** How many lines a task's checker lets pass, from the first on; what a right answer would be, it is not asked. */
export const validLines =
  (task: Task) =>
  (answer: string, problem: Problem): number =>
    task.check(problem, answer).steps.filter(({ valid }) => valid).length;

const linesOf = (answer: string): readonly string[] => answer.match(/[^\n]*\n|[^\n]+$/g) ?? [];
