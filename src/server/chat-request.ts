/**
 * A chat request as OpenAI's clients write it. What is not honoured is refused by its name, never passed over in silence; a
 * field that asks for what is so anyway (`tools: []`, `presence_penalty: 0`) is no harm, and null is a field left out.
 */
import { z } from "zod";
import { type Budget, limits as budgetLimits } from "../budget.ts";
import type { Message } from "../problem.ts";
import { type ApiError, invalid, refused } from "./api-error.ts";
import { isKept, mistakeOf, whole } from "./schema.ts";

export interface ChatRequest {
  /** As in `sapling` or `sapling+best-of-16`. */
  readonly model: string;
  readonly messages: readonly Message[];
  readonly n: number;
  readonly seed: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** A method out of those offered, where the model's name says none. */
  readonly method: string | undefined;
  readonly scorer: string | undefined;
  readonly budget: Budget;
  readonly progress: Progress | undefined;
}

/** How a stream tells how far the search is: as SSE comments, which clients skip, or as `reasoning_content`. */
export type Progress = "comments" | "reasoning";

const between = (least: number, most: number) => {
  const wish = { error: `a number in [${least}, ${most}]` };
  return z.number(wish).min(least, wish).max(most, wish);
};
const name = z
  .string({ error: "a text" })
  .min(1, { error: "a text that is not empty" })
  .max(300, { error: "at most 300 characters" });
const text = z
  .string({ error: "a text" })
  .refine(isKept, { error: "a text without NUL and without halves of surrogate pairs" });
const part = z.looseObject(
  { type: z.literal("text", { error: '"text", as no other kind of part is understood' }), text },
  { error: "an object with type and text" },
);
/** Other fields of a message that came as an answer (`refusal`, `annotations`) say nothing that is lost. */
const noTools = z
  .unknown()
  .refine((value) => value === null || isEmpty(value), { error: "left out, as tools are not called here" })
  .optional();
const message = z.looseObject(
  {
    role: z.enum(["system", "developer", "user", "assistant"], {
      error: '"system", "developer", "user" or "assistant"',
    }),
    content: z.union([text, z.array(part).min(1)], { error: "a text or a list of text parts" }),
    tool_calls: noTools,
    function_call: noTools,
  },
  { error: "an object with role and content" },
);
const stopText = text.min(1, { error: "a text that is not empty" });
const flag = z.boolean({ error: "true or false" });
const budget = z.strictObject(
  Object.fromEntries(
    budgetLimits.map((limit) => [
      limit,
      (limit === "seconds" || limit === "dollars" ? between(0, 9e6) : whole(0, Number.MAX_SAFE_INTEGER)).optional(),
    ]),
  ) as Record<keyof Budget, z.ZodOptional<z.ZodNumber>>,
  { error: `an object with ${budgetLimits.join(", ")}` },
);

const honoured = {
  model: name,
  messages: z.array(message, { error: "a list of messages" }).min(1, { error: "a list of at least one message" }),
  n: z.int({ error: "a whole number >= 1" }).min(1, { error: "a whole number >= 1" }).default(1),
  seed: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  temperature: between(0, 2).optional(),
  top_p: between(0, 1).optional(),
  max_tokens: whole(1, 10_000_000).optional(),
  max_completion_tokens: whole(1, 10_000_000).optional(),
  stop: z
    .union([stopText, z.array(stopText).max(4, { error: "at most four texts" })], {
      error: "a text or a list of at most four",
    })
    .default([]),
  stream: flag.default(false),
  stream_options: z.looseObject({ include_usage: flag.optional() }, { error: "an object" }).optional(),
  ponderosa: z
    .strictObject(
      {
        method: name.optional(),
        scorer: name.optional(),
        budget: budget.optional(),
        progress: z.enum(["comments", "reasoning"], { error: '"comments" or "reasoning"' }).optional(),
      },
      { error: "an object with method, scorer, budget, progress" },
    )
    .prefault({}),
};

const schema = z.object(honoured, { error: "an object" });

/** Said to whoever bills or looks on; no answer depends on it. */
const ignored: ReadonlySet<string> = new Set([
  "user",
  "metadata",
  "store",
  "safety_identifier",
  "prompt_cache_key",
  "service_tier",
  "parallel_tool_calls",
]);

/** What a field may say that changes nothing, and why it may not say more. */
const neutral: Readonly<Record<string, { readonly allows: (value: unknown) => boolean; readonly why: string }>> = {
  tools: { allows: isEmpty, why: "tools are not called here: call the model itself" },
  tool_choice: { allows: (value) => value === "none" || value === "auto", why: "there are no tools to choose" },
  functions: { allows: isEmpty, why: "functions are not called here: call the model itself" },
  function_call: { allows: (value) => value === "none" || value === "auto", why: "there are no functions to call" },
  logprobs: {
    allows: (value) => value === false,
    why: "an answer that was chosen among many has no law of its own: ponderosa.runs tells its confidence",
  },
  top_logprobs: { allows: (value) => value === 0, why: "log-probabilities are not told" },
  response_format: {
    allows: (value) => (value as { type?: unknown } | null)?.type === "text",
    why: 'only {"type": "text"} is honoured: ask for the form in words',
  },
  presence_penalty: { allows: (value) => value === 0, why: "penalties are not applied: vary temperature or top_p" },
  frequency_penalty: { allows: (value) => value === 0, why: "penalties are not applied: vary temperature or top_p" },
  logit_bias: { allows: (value) => isEmpty(Object.keys(Object(value))), why: "biases of tokens are not applied" },
  modalities: { allows: (value) => JSON.stringify(value) === '["text"]', why: "answers are texts" },
};

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** @throws ApiError that names the field, what it must be, and what it is */
export function readChatRequest(body: unknown): ChatRequest {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalid("body", `Cannot use ${shown(body)} as a request: it must be an object`);
  const given: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(body)) {
    if (value === null || ignored.has(field)) continue;
    const only = Object.hasOwn(neutral, field) ? neutral[field] : undefined;
    if (only) {
      if (!only.allows(value)) throw refused(field, `Cannot honour ${field}: ${only.why}`);
    } else if (Object.hasOwn(honoured, field)) given[field] = value;
    else throw refused(shorten(field, 100), `Cannot honour ${shown(field)}: there is no parameter of this name here`);
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw mistaken(parsed.error, given);
  const { ponderosa, stop, messages, max_tokens, max_completion_tokens, ...rest } = parsed.data;
  if (max_tokens !== undefined && max_completion_tokens !== undefined && max_tokens !== max_completion_tokens)
    throw invalid("max_tokens", "Cannot use max_tokens beside another max_completion_tokens: give one of them");
  return {
    model: rest.model,
    messages: messages.map(({ role, content }) => ({
      role: role === "developer" ? "system" : role,
      content: typeof content === "string" ? content : content.map((one) => one.text).join(""),
    })),
    n: rest.n,
    seed: rest.seed,
    temperature: rest.temperature,
    topP: rest.top_p,
    maxTokens: max_completion_tokens ?? max_tokens,
    stop: typeof stop === "string" ? [stop] : stop,
    stream: rest.stream,
    includeUsage: rest.stream_options?.include_usage ?? false,
    method: ponderosa.method,
    scorer: ponderosa.scorer,
    budget: Object.fromEntries(Object.entries(ponderosa.budget ?? {}).filter(([, limit]) => limit !== undefined)),
    progress: ponderosa.progress,
  };
}

function mistaken(error: z.ZodError, body: unknown): ApiError {
  const { field, value, wish, unknown } = mistakeOf(error, body);
  if (unknown === undefined) return invalid(field, `Cannot use ${shown(value)} as ${field}: it must be ${wish}`);
  const name = `${field}.${shorten(unknown, 100)}`;
  return refused(name, `Cannot honour ${name}: there is no parameter of this name here`);
}

/** Of what a client sent, however large or deep: lists and objects are not looked into. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return shorten(JSON.stringify(value), 60);
}

const shorten = (value: string, most: number): string => (value.length > most ? `${value.slice(0, most)}…` : value);
