/** `/v1/embeddings`: vectors of texts by a server behind this one; no search, but the same keys, budgets and places. */
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import { z } from "zod";
import { cost } from "../budget.ts";
import { nanodollars } from "../price.ts";
import { failedUpstream, invalid, refused } from "./api-error.ts";
import { failureOf } from "../errors.ts";
import { readJson } from "./body.ts";
import { overQuota } from "./jobs.ts";
import { accountOf, limitsOf } from "./keys.ts";
import { type Caller, embeddersOf, notOffered } from "./offers.ts";
import { isKept, mistakeOf } from "./schema.ts";
import type { ServerContext } from "./server.ts";

/** As OpenAI's own. */
const mostTexts = 2048;

const texts = { error: `a text, or a list of at most ${mostTexts}; none empty` };
const text = z.string(texts).min(1, texts).refine(isKept, texts);
const schema = z.object({
  model: z.string({ error: "a text" }),
  input: z.union([text, z.array(text).min(1, texts).max(mostTexts, texts)], texts),
  encoding_format: z.enum(["float", "base64"], { error: '"float" or "base64"' }).default("float"),
});

export async function embed(c: Context, context: ServerContext, caller: Caller): Promise<Response> {
  const { configuration, embedders, admission, books, jobs } = context;
  const { model, texts, isPacked } = readRequest(await readJson(c.req.raw, configuration.limits.bodyBytes));
  admission.count(caller);
  const names = embeddersOf(configuration, caller);
  const embedder = names.includes(model) ? embedders.get(model) : undefined;
  if (!embedder) throw notOffered("model", model, names);
  return jobs.during(caller, c.req.raw.signal, async (signal) => {
    const id = `emb_${randomUUID().replaceAll("-", "")}`;
    const promptTokens = texts.reduce((sum, text) => sum + (embedder.countTokens?.(text) ?? 0), 0);
    const worst = cost({ promptTokens, calls: 1, nanodollars: nanodollars(embedder.price, { promptTokens }) });
    const begun = await books.begin({
      id,
      caller: caller.name,
      account: accountOf(caller, Date.now()),
      fingerprint: id,
      runs: 0,
      seed: 0,
      worst,
      limits: limitsOf(caller),
    });
    if (begun.type === "denied") throw overQuota(begun.limit);
    const { vectors, cost: spent } = await embedder.embed(texts, { signal }).catch(async (error: unknown) => {
      await jobs.book(id, worst);
      throw signal.aborted ? signal.reason : failedUpstream([failureOf(error)], { id });
    });
    await jobs.book(id, spent);
    const tokens = spent.promptTokens + spent.cachedTokens;
    return c.json({
      object: "list",
      model,
      data: vectors.map((vector, index) => ({
        object: "embedding",
        index,
        embedding: isPacked ? packed(vector) : Array.from(vector),
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  });
}

function readRequest(body: unknown): { model: string; texts: readonly string[]; isPacked: boolean } {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalid("body", "Cannot use this as a request: it must be an object");
  for (const [field, value] of Object.entries(body))
    if (value !== null && field !== "user" && !Object.hasOwn(schema.shape, field))
      throw refused(field.slice(0, 100), `Cannot honour ${JSON.stringify(field.slice(0, 100))} for embeddings`);
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    const { field, wish } = mistakeOf(parsed.error, body);
    throw invalid(field, `Cannot use this as ${field}: it must be ${wish}`);
  }
  const { model, input, encoding_format } = parsed.data;
  return { model, texts: typeof input === "string" ? [input] : input, isPacked: encoding_format === "base64" };
}

/** 32-bit floats, little-endian: what OpenAI's clients ask for unless told otherwise. */
function packed(vector: ArrayLike<number>): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i] as number, 4 * i);
  return bytes.toString("base64");
}
