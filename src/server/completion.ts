/** Answers in the shapes of OpenAI's API, with what the search has to say under `ponderosa`. */
import type { Spent } from "../budget.ts";
import type { TextState } from "../policies/text.ts";
import type { Json } from "../problem.ts";
import type { Result } from "../run.ts";
import type { RequestReply } from "../runs/store/index.ts";
import { noAnswer, type Performed, runsJson, spentJson } from "./perform.ts";

type JsonObject = { readonly [name: string]: Json };

/** Which of the two routes asked. */
export type Shape = "chat.completion" | "text_completion";

export interface Described {
  readonly id: string;
  /** As the client named it. */
  readonly model: string;
  readonly method: string;
  readonly seed: number;
}

/** Choices that have no answer are left out; where none has, the reply is the first one's error. */
export function completionReply(
  shape: Shape,
  { id, model, method, seed }: Described,
  { results, spent }: Performed,
): RequestReply {
  const details: JsonObject = { id, method, seed, runs: runsJson(id, results), spent: spentJson(spent) };
  const choices = results.flatMap((result, index): Json[] =>
    result.text === undefined ? [] : [choiceOf(shape, index, result, result.text)],
  );
  if (choices.length === 0) return noAnswer(results[0] as Result<TextState>, details).reply;
  const body = {
    id,
    object: shape,
    created: Math.floor(Date.now() / 1000),
    model,
    choices,
    usage: usageOf(spent),
    ponderosa: details,
  };
  return { status: 200, body };
}

function choiceOf(shape: Shape, index: number, { answer }: Result<TextState>, text: string): Json {
  const finish_reason = answer?.state.finish === "length" ? "length" : "stop";
  const content = text.toWellFormed();
  return shape === "chat.completion"
    ? { index, message: { role: "assistant", content, refusal: null }, logprobs: null, finish_reason }
    : { index, text: content, logprobs: null, finish_reason };
}

/** Of all candidates: what was paid for, not what is shown. */
const usageOf = ({ tokens, promptTokens, cachedTokens }: Spent): JsonObject => ({
  prompt_tokens: promptTokens + cachedTokens,
  completion_tokens: tokens,
  total_tokens: promptTokens + cachedTokens + tokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
});

/** A finished answer as the chunks of a stream. */
export function* chunksOf(body: Json, includeUsage: boolean): Generator<JsonObject> {
  const { choices, usage, ponderosa, object, ...shared } = body as JsonObject & { choices: readonly JsonObject[] };
  const isChat = object === "chat.completion";
  const kind = isChat ? "chat.completion.chunk" : "text_completion";
  const chunk = (choice: JsonObject, more: JsonObject = {}): JsonObject => ({
    ...shared,
    object: kind,
    choices: [{ logprobs: null, finish_reason: null, ...choice }],
    ...(includeUsage && { usage: null }),
    ...more,
  });
  for (const [place, choice] of choices.entries()) {
    const { index = 0, finish_reason = null } = choice;
    if (isChat) {
      const { content = "" } = choice["message"] as JsonObject;
      yield chunk({ index, delta: { role: "assistant", content } });
    } else yield chunk({ index, text: choice["text"] ?? "" });
    const isLast = place === choices.length - 1;
    yield chunk(
      { index, finish_reason, ...(isChat ? { delta: {} } : { text: "" }) },
      isLast && ponderosa !== undefined ? { ponderosa } : {},
    );
  }
  if (includeUsage) yield { ...shared, object: kind, choices: [], usage: usage ?? null };
}
