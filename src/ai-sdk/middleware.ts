/** The same search as a middleware of the AI SDK. */
import type { LanguageModelV4, LanguageModelV4Middleware } from "@ai-sdk/provider";
import { fromAiSdk, type FromAiSdkOptions } from "./from-ai-sdk.ts";
import { languageModel } from "./ponderosa.ts";
import { methodFor, type SearchOptions } from "./search.ts";

export interface MiddlewareOptions extends SearchOptions {
  /** How the wrapped model is asked: its price, retries, what it can do. */
  readonly wrapped?: FromAiSdkOptions;
}

/**
 * ```ts
 * const model = wrapLanguageModel({ model: openai("gpt-5-mini"), middleware: ponderosaMiddleware({ method: "majority:16" }) });
 * ```
 */
export function ponderosaMiddleware({ wrapped, ...options }: MiddlewareOptions): LanguageModelV4Middleware {
  const method = methodFor(options.method);
  const made = new WeakMap<LanguageModelV4, LanguageModelV4>();
  const searching = (model: LanguageModelV4): LanguageModelV4 => {
    const known = made.get(model) ?? languageModel(fromAiSdk(model, wrapped), method, options);
    made.set(model, known);
    return known;
  };
  return {
    specificationVersion: "v4",
    wrapGenerate: ({ model, params }) => searching(model).doGenerate(params),
    wrapStream: ({ model, params }) => searching(model).doStream(params),
  };
}
