/**
 * Several questions in one prompt, each with its index, and the answers of the reply by index: for `batchPrompting`. The form `Q[1]:` and
 * `A[1]:` is that of Cheng et al. 2023, arXiv:2301.08721; examples in the problem's prompt had better have it too.
 */
import type { Model } from "../model.ts";
import type { Policy } from "../policy.ts";
import { ask, type AskOptions, promptText } from "./ask.ts";
import { named } from "./revision.ts";
import type { TextState } from "./text.ts";

export interface BatchPrompts {
  ask(questions: readonly string[]): Policy<TextState>;
  /** Undefined: no answer with this index, an empty one, several, or one that the token limit has cut. Strict also with a single question. */
  read(reply: TextState, count: number): (string | undefined)[];
}

/** The problem's prompt comes first: instructions and examples. */
export function batchPrompts(model: Model, options: Omit<AskOptions, "name" | "done" | "read"> = {}): BatchPrompts {
  return {
    ask: (questions) =>
      ask(
        model,
        (_, { prompt }) => {
          const asked = questions.map((question, i) => `Q[${i + 1}]: ${question}`).join("\n");
          return `${promptText(prompt)}\n\n${asked}\n\nAnswer every question, each with its index, as in "A[1]: …".`;
        },
        { ...options, name: named("batch", questions) },
      ),
    read({ text, finish }, count) {
      const parts = text.split(/^[ \t*]*([AQ])\[([^\]\n]{0,6})\][ \t*]*:/m); // text, then letter, index, text, …
      const answers: (string | undefined)[] = Array.from({ length: count });
      const seen = new Set<number>();
      for (let i = 1; i < parts.length; i += 3) {
        const place = Number(parts[i + 1]) - 1;
        if (parts[i] !== "A" || !(place >= 0 && place < count)) continue;
        const isCut = finish === "length" && i + 3 === parts.length;
        answers[place] = seen.has(place) || isCut ? undefined : parts[i + 2]?.trim() || undefined;
        seen.add(place);
      }
      return answers;
    },
  };
}
