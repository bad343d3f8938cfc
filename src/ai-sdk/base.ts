/**
 * AI SDK language models of the specifications V2, V3 and V4, told by their shape. For text they differ in three places only:
 * how usage, the reason of the end and warnings are written; these are read in `reply.ts`.
 */
import type {
  LanguageModelV2,
  LanguageModelV3,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Prompt,
  SharedV4Warning,
} from "@ai-sdk/provider";
import type { Message, Prompt } from "../problem.ts";

export type AiSdkModel = LanguageModelV4 | LanguageModelV3 | LanguageModelV2;

/** A setting that was dropped or bent, in the words of V4. */
export type AiSdkWarning = SharedV4Warning;

export function isAiSdkModel(value: object): value is AiSdkModel {
  const { specificationVersion, doGenerate, doStream } = value as Partial<AiSdkModel>;
  return /^v[234]$/.test(String(specificationVersion)) && !!doGenerate && !!doStream;
}

/** What is asked of a model of any specification: for text the three have the same fields. */
export type AnyCall = LanguageModelV4CallOptions;

/** A model of any specification, whose replies are not taken on trust. */
export interface AnyModel {
  doGenerate(call: AnyCall): PromiseLike<Readonly<Record<string, unknown>>>;
  doStream(call: AnyCall): PromiseLike<{ readonly stream: ReadableStream<Readonly<Record<string, unknown>>> }>;
}

/** Text is one message of the user. */
export function aiSdkPrompt(prompt: Prompt): LanguageModelV4Prompt {
  const messages: readonly Message[] = typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt;
  return messages.map(({ role, content }) =>
    role === "system" ? { role, content } : { role, content: [{ type: "text", text: content }] },
  );
}

/** The conversation as text; reasoning of earlier turns is left out. Undefined where a part is neither, as a file or a tool's result. */
export function messagesOf(prompt: LanguageModelV4Prompt): Message[] | undefined {
  const messages: Message[] = [];
  for (const { role, content } of prompt) {
    if (role === "tool") return undefined;
    const parts = typeof content === "string" ? [{ type: "text" as const, text: content }] : content;
    let text = "";
    for (const part of parts)
      if (part.type === "text") text += part.text;
      else if (part.type !== "reasoning") return undefined;
    messages.push({ role, content: text });
  }
  return messages;
}
