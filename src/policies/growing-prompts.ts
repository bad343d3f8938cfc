/** Prompts that grow: with lessons, with hints, with insistence. What each adds stands behind the question. */
import type { Model } from "../model.ts";
import type { Node } from "../node.ts";
import type { Policy } from "../policy.ts";
import type { Problem, Prompt } from "../problem.ts";
import { ask, type AskOptions } from "./ask.ts";
import { goOn, named, withAdded } from "./revision.ts";
import type { TextState } from "./text.ts";

type Settings = Omit<AskOptions, "name" | "done">;

/** Answers anew, with the lessons of earlier trials in the prompt: the actor of `reflexion`. */
export function retryByPrompt(
  model: Model,
  options: Settings = {},
): (lessons: readonly Node<TextState>[]) => Policy<TextState> {
  return (lessons) => {
    const said = lessons.map(({ state }) => `- ${state.text}`).join("\n");
    const prompt = ({ prompt }: Problem): Prompt =>
      said === "" ? prompt : withAdded(prompt, `Lessons from earlier attempts that failed:\n${said}`);
    return ask(model, (_, problem) => prompt(problem), { ...options, name: named("retry", said) });
  };
}

/** Answers with the answers so far as hints, in the words of Zheng et al. 2023, arXiv:2304.09797. */
export function hintedByPrompt(model: Model, options: Settings = {}): (hints: readonly string[]) => Policy<TextState> {
  return (hints) =>
    ask(model, (_, { prompt }) => withAdded(prompt, `(Hint: The answer is near to ${hints.join(", ")}.)`), {
      ...options,
      name: named("hints", hints),
    });
}

/**
 * Asks with growing insistence: the question's own `{very}` becomes nothing, "very ", "very very ", …; where it has none,
 * a last sentence says what is wanted: "Make it very very beautiful."
 */
export function harderByPrompt(
  model: Model,
  { wish, word = "very", ...options }: Settings & { readonly wish: string; readonly word?: string },
): (strength: number) => Policy<TextState> {
  return (strength) => {
    const insistence = `${word} `.repeat(strength);
    const prompt = ({ prompt }: Problem): Prompt => {
      if (typeof prompt === "string" && prompt.includes("{very}")) return prompt.replaceAll("{very}", () => insistence);
      return strength === 0 ? prompt : withAdded(prompt, `Make it ${insistence}${wish}.`);
    };
    return ask(model, (_, problem) => prompt(problem), { ...options, name: named("harder", [wish, word, strength]) });
  };
}

/** The first output answers the question; every later one is the last output, made more so. */
export function moreByPrompt(
  model: Model,
  { wish, ...options }: Settings & { readonly wish: string },
): (strength: number) => Policy<TextState> {
  return (strength) =>
    ask(
      model,
      ({ text: answer }, problem) =>
        strength === 0
          ? problem.prompt
          : goOn({ problem, answer }, `Make it more ${wish}. Give the whole of it, and nothing else.`),
      { ...options, name: named("more", [wish, strength]) },
    );
}
