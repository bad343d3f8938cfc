/** Prompts that show a question with several answers to it: to choose among them, or to make a better one of them. */
import type { Model } from "../model.ts";
import type { Node } from "../node.ts";
import type { Policy } from "../policy.ts";
import { ask, type AskOptions } from "./ask.ts";
import { named, withAdded } from "./revision.ts";
import type { TextState } from "./text.ts";

type Settings = Omit<AskOptions, "name" | "done">;
type ByCandidates = (candidates: readonly Node<TextState>[]) => Policy<TextState>;

/** A new answer out of several; for `synthesize`. */
export function synthesizeByPrompt(model: Model, options: Settings = {}): ByCandidates {
  return byCandidates(model, "synthesize", { ...options, done: true }, (count) =>
    [
      `These are ${count} answers to the question above. Each may be right in some parts and wrong in others.`,
      "Go through them: which parts agree, which contradict each other, and who is right? Then write one new answer that is",
      "right in every part, in the same form as the answers, and nothing else.",
    ].join("\n"),
  );
}

/** Which of several answers agrees best with the others; for `universalSelfConsistency`, with `readChoice`. By default without chance. */
export function chooseByPrompt(model: Model, options: Settings = {}): ByCandidates {
  return byCandidates(model, "choose", { temperature: 0, ...options, done: false }, (count) =>
    [
      `These are ${count} answers to the question above. Which of them agrees best with what most of them say?`,
      'Begin your reply with "The most consistent answer is Answer N", where N is its number.',
    ].join("\n"),
  );
}

/** The answer that a reply names first after "most consistent", or the number that is all of it; counted from 0. */
export function readChoice({ state }: Node<TextState>, count: number): number | undefined {
  const found =
    /most consistent (?:answer|response)\s+is\W*(?:(?:answer|response)\W*)?(\d+)/i.exec(state.text) ??
    /^\W*(?:(?:answer|response)\W*)?(\d+)\W*$/i.exec(state.text);
  const place = Number(found?.[1]) - 1;
  return place >= 0 && place < count ? place : undefined;
}

function byCandidates(
  model: Model,
  name: string,
  options: Omit<AskOptions, "name">,
  wish: (count: number) => string,
): ByCandidates {
  return (candidates) => {
    const texts = candidates.map(({ state }) => state.text.trim());
    const shown = texts.map((text, i) => `Answer ${i + 1}:\n${text}`).join("\n\n");
    return ask(model, (_, { prompt }) => withAdded(prompt, `${shown}\n\n${wish(texts.length)}`), {
      ...options,
      name: named(name, texts),
    });
  };
}
