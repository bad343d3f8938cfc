/** The routes that answer questions: `/v1/chat/completions`, and `/v1/completions` for raw text. */
import type { Context } from "hono";
import type { Model } from "../model.ts";
import type { Json } from "../problem.ts";
import { invalid, refused } from "./api-error.ts";
import { readJson } from "./body.ts";
import { type ChatRequest, readChatRequest } from "./chat-request.ts";
import type { Shape } from "./reply.ts";
import type { Client } from "./jobs.ts";
import { type Asked, askedBy, type Caller } from "./offers.ts";
import { planFor } from "./perform.ts";
import { questionOf } from "./question.ts";
import type { ServerContext } from "./server.ts";
import { streamReply } from "./stream.ts";

/** Methods that draw one text where their size is 1, and answer with it. */
const singles: ReadonlySet<string> = new Set(["sample", "greedy"]);

export async function complete(c: Context, context: ServerContext, caller: Caller, shape: Shape): Promise<Response> {
  const { configuration, models, admission, jobs } = context;
  const body = await readJson(c.req.raw, configuration.limits.bodyBytes);
  const request = shape === "chat.completion" ? readChatRequest(body) : readTextRequest(body);
  admission.count(caller);
  const asked = askedBy(configuration, caller, request);
  const model = models.get(asked.model) as Model; // as the server was created with all
  const read = questionOf(request, asked.entry, model);
  const question =
    shape === "text_completion" && !read.task
      ? { ...read, problem: { id: "text", prompt: request.messages[0]?.content ?? "" } }
      : read;
  planFor({ model, question, method: asked.method, stop: request.stop });
  const client = jobs.open({
    shape,
    caller,
    asked,
    question,
    model,
    modelName: request.model,
    n: request.n,
    seed: request.seed,
    stop: request.stop,
    idempotencyKey: idempotencyKeyOf(c),
    content: contentOf(shape, request, asked),
  });
  c.header("x-request-id", client.id);
  if (request.stream)
    return streamReply(c, client, {
      model: request.model,
      includeUsage: request.includeUsage,
      progress: request.progress,
      shape,
      isSingle: asked.candidates === 1 && singles.has(asked.method.method.name),
    });
  return answer(c, client);
}

async function answer(c: Context, client: Client): Promise<Response> {
  const { signal } = c.req.raw;
  const onAbort = () => client.leave();
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    const { status, body } = await client.reply;
    if (status !== 200) c.header("x-should-retry", "false");
    return c.json(body, status as 200);
  } finally {
    signal.removeEventListener("abort", onAbort);
    client.leave();
  }
}

/** A raw prompt is one message, as far as reading goes. */
function readTextRequest(body: unknown): ChatRequest {
  if (typeof body !== "object" || body === null || Array.isArray(body) || !("prompt" in body))
    throw invalid("prompt", "Cannot use nothing as prompt: it must be a text");
  const { prompt, ...rest } = body;
  if (typeof prompt !== "string" || prompt === "")
    throw invalid("prompt", "Cannot use this prompt: it must be one text that is not empty");
  if ("messages" in rest) throw invalid("messages", "Cannot use messages beside a prompt");
  const request = readChatRequest({ ...rest, messages: [{ role: "user", content: prompt }] });
  if (request.progress === "reasoning")
    throw refused("ponderosa.progress", 'Cannot tell the progress as "reasoning" beside raw text: take "comments"');
  return request;
}

function idempotencyKeyOf(c: Context): string | undefined {
  const key = c.req.header("idempotency-key");
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalid("Idempotency-Key", "Cannot use this Idempotency-Key: it must be at most 255 characters of ASCII");
}

/** Whether an answer is streamed makes it no other answer; a method that the operator has changed does. */
function contentOf(
  shape: Shape,
  { stream: _, includeUsage: __, progress: ___, ...request }: ChatRequest,
  { method, budget }: Asked,
): Json {
  return { ...request, shape, method: method.label, budget } as unknown as Json;
}
