/** States of policies whose children are whole texts: a child's text is its own, and of its parent it has the prompt. */
import type { Policy } from "../policy.ts";
import type { Json } from "../problem.ts";
import type { TextState } from "./text.ts";

export const replyStates: Required<Pick<Policy<TextState>, "root" | "text" | "pack" | "unpack">> = {
  root: ({ prompt }) => ({ prompt, text: "", length: 0 }),
  text: (state) => state.text,
  pack: ({ prompt: _, ...own }) => own as unknown as Json,
  unpack: (packed, { prompt }) => ({ ...(packed as unknown as Omit<TextState, "prompt">), prompt }),
};
