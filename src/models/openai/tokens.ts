/**
 * Exact numbers of tokens, by the server's own tokeniser.
 *
 * `countTokens` of a model answers at once, so it cannot ask. What is to be exact is learned before, as the prompts of an evaluation;
 * all else keeps the bound, the number of UTF-8 bytes. Only what was learned is exact: a count that depended on which replies happen to
 * be back would make a run under a budget depend on the network.
 */
import { Failed } from "../../errors.ts";
import { utf8Length } from "./drafts.ts";
import type { ServerProfile } from "./profile.ts";
import { type ProfileName, profiles } from "./profiles.ts";
import { objectOf, type ServerOptions, serverOf } from "./server.ts";

export interface ServerTokensOptions extends ServerOptions {
  readonly profile: ProfileName | ServerProfile;
}

export interface ServerTokens extends AsyncDisposable {
  /** Asks for the numbers of these texts, one request each. @throws Failed */
  learn(texts: readonly string[], options: { readonly signal: AbortSignal }): Promise<void>;
  /** For a model's `countTokens`: exact where it was learned, else the number of UTF-8 bytes. */
  countTokens(text: string): number;
}

/**
 * ```ts
 * await using tokens = serverTokens({ baseUrl, model: "qwen", profile: "vllm" });
 * await tokens.learn(prompts, { signal });
 * const model = openai({ baseUrl, model: "qwen", profile: "vllm", countTokens: tokens.countTokens });
 * ```
 * @throws Failed `unsupported` where the profile knows of no tokeniser
 */
export function serverTokens(options: ServerTokensOptions): ServerTokens {
  const { fields, title } = typeof options.profile === "string" ? profiles[options.profile] : options.profile;
  const field = fields.tokenizes;
  if (!field) throw new Failed("unsupported", `Cannot count tokens by ${title}: it has no route for that`);
  const server = serverOf(options);
  const { id } = server.connection;
  const counts = new Map<string, number>();

  async function learn(text: string, signal: AbortSignal): Promise<void> {
    // With what begins a text: a bound may be one too many, never one too few.
    const special = field === "prompt" ? { add_special_tokens: true } : { add_special: true };
    const body = { model: options.model, [field as string]: text, ...special };
    await server.exchange({ path: "../tokenize", body, stream: false, signal }, async (reply) => {
      const { tokens } = await objectOf(reply);
      if (!Array.isArray(tokens)) throw new Failed("bad-response", `${id} gave no tokens of a text`);
      counts.set(text, tokens.length);
    });
  }

  return {
    async learn(texts, { signal }) {
      const missing = new Set(texts.filter((text) => !counts.has(text)));
      await Promise.all(Array.from(missing, (text) => learn(text, signal)));
    },
    countTokens: (text) => counts.get(text) ?? utf8Length(text),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}
