/**
 * Asks a model a question of one's own about a state, and takes the reply as the child: prompts that decompose, criticise,
 * revise or choose are policies like any other, so their replies are journaled, paid for and drawn in the tree.
 *
 *     const plan = ask(model, (state, problem) => `${promptText(problem.prompt)}\nSplit this into steps.`, { name: "plan", done: false });
 *     const [reply] = yield* extend(node, { policy: plan });
 *
 * A prompt that is a string suits every model: chat servers send it as the user's turn. The child's text is the reply alone;
 * its tokens are not kept, as they belong to another prompt.
 */
import type { Model } from "../model.ts";
import type { Extension, Policy, PolicyPart } from "../policy.ts";
import type { Problem, Prompt } from "../problem.ts";
import { replyStates } from "./reply-state.ts";
import { text, type TextOptions, type TextState } from "./text.ts";

export { promptText } from "../problem.ts";

export interface AskOptions extends Omit<TextOptions, "step" | "maxAnswerTokens"> {
  /** Names the question. Two policies of one name must ask the same of equal states. */
  readonly name: string;
  /** Whether the reply is a finished answer to the problem; false for what only leads to one. @default true */
  readonly done?: boolean;
  /** What the child's text is, made of the reply. @default the reply without the white space around it */
  readonly read?: (reply: string, state: TextState) => string;
}

export function ask(
  model: Model,
  prompt: (state: TextState, problem: Problem) => Prompt,
  { name, done = true, read = (reply) => reply.trim(), ...options }: AskOptions,
): Policy<TextState> {
  const inner = text(model, { ...options, step: "answer" });
  const asked = (state: TextState, problem: Problem): TextState =>
    inner.root({ ...problem, prompt: prompt(state, problem) });

  function replied(state: TextState, extension: Extension<TextState>): Extension<TextState> {
    const { text: reply, length, finish } = extension.state;
    const child: TextState = {
      prompt: state.prompt,
      text: read(reply, state),
      length: state.length + length,
      ...(done && finish && { finish }),
    };
    return { ...extension, state: child, done };
  }

  return {
    ...replyStates,
    name: `${name}: ${inner.name}`,
    ...(inner.batch !== undefined && { batch: inner.batch }),
    ...(inner.concurrency !== undefined && { concurrency: inner.concurrency }),
    bound: (state, problem) => inner.bound(asked(state, problem), problem),
    async *extend(state, request): AsyncGenerator<PolicyPart<TextState>> {
      for await (const part of inner.extend(asked(state, request.problem), request))
        yield part.type === "extension" ? { ...part, extension: replied(state, part.extension) } : part;
    },
  };
}
