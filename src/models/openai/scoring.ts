/**
 * Log-probabilities of given text, in the three forms that servers have for them.
 *
 * | form | asked at | read |
 * |---|---|---|
 * | `echo` | `/completions` with `echo`, `logprobs`, `max_tokens: 0` | `choices[0].logprobs` |
 * | `prompt_logprobs` | `/chat/completions` with the answer as its continued last message; one token is generated, and paid | `prompt_logprobs` |
 * | `generate` | `../generate` with `return_logprob`, `max_new_tokens: 0` | `meta_info.input_token_logprobs` |
 *
 * The last two tell no offsets: the tokens of the answer are those at the end that spell it. A token that straddles the border is
 * scored whole.
 */
import { Failed } from "../../errors.ts";
import type { Prefix } from "../../model.ts";
import { Drafts, type Usage } from "./drafts.ts";
import { isRecord } from "./http.ts";
import type { Scoring } from "./profile.ts";
import { conversationOf, type Dialect, pathOf, rawTextOf } from "./request.ts";

export interface Scored {
  readonly tokens: readonly string[];
  /** [tokens] in nats. */
  readonly logProbs: readonly number[];
  readonly usage: Usage | undefined;
}

export interface ScoringRequest {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** All that is read, for where the server does not tell how much that was. */
  readonly text: string;
  read(reply: Readonly<Record<string, unknown>>): Scored;
}

export function scoringRequest(form: Scoring, dialect: Dialect, prefix: Prefix, text: string): ScoringRequest {
  const { id, model, body } = dialect;
  if (form === "prompt_logprobs") {
    const conversation = conversationOf(dialect, { ...prefix, text: prefix.text + text });
    return {
      path: pathOf("chat"),
      body: { model, ...conversation, [dialect.maxTokensField]: 1, prompt_logprobs: 0, stream: false, ...body },
      text: conversation.messages.map(({ content }) => content).join(""),
      read: (reply) => ({
        ...tailScore(promptEntries(reply["prompt_logprobs"]), text, id),
        usage: new Drafts(id, "chat", 1).addReply(reply).usage,
      }),
    };
  }
  const before = rawTextOf(dialect, prefix);
  const whole = before + text;
  if (form === "echo")
    return {
      path: pathOf("completions"),
      body: {
        model,
        prompt: whole,
        max_tokens: 0,
        echo: true,
        logprobs: 1,
        temperature: 1,
        stream: false,
        ...body,
      },
      text: whole,
      read: (reply) => echoedScore(reply, { id, before, whole }),
    };
  return {
    path: "../generate",
    body: {
      text: whole,
      sampling_params: { max_new_tokens: 0, temperature: 1 },
      return_logprob: true,
      logprob_start_len: 0,
      return_text_in_logprobs: true,
    },
    text: whole,
    read(reply) {
      const told = isRecord(reply["meta_info"]) ? reply["meta_info"] : {};
      const promptTokens = told["prompt_tokens"];
      const usage = Number.isSafeInteger(promptTokens)
        ? { tokens: 0, promptTokens: promptTokens as number, cachedTokens: 0 }
        : undefined;
      return { ...tailScore(generateEntries(told["input_token_logprobs"]), text, id), usage };
    },
  };
}

/**
 * The tokens of `whole` that reach beyond `before`. A token may straddle the border, as the server splits the text as a
 * whole; it is then scored whole.
 * @throws Failed `bad-response`
 */
function echoedScore(
  reply: Readonly<Record<string, unknown>>,
  { id, before, whole }: { readonly id: string; readonly before: string; readonly whole: string },
): Scored {
  const bad = (what: string): Failed => new Failed("bad-response", `The echo of ${id} ${what}`);
  const { usage } = new Drafts(id, "completions", 1).addReply(reply);
  const choice: unknown = Array.isArray(reply["choices"]) ? reply["choices"][0] : undefined;
  const said = isRecord(choice) && isRecord(choice["logprobs"]) ? choice["logprobs"] : {};
  const { tokens, token_logprobs: logProbs, text_offset: offsets } = said;
  if (!Array.isArray(tokens) || !Array.isArray(logProbs) || !Array.isArray(offsets))
    throw bad("has no log-probabilities: can this server echo? (vLLM can, llama-server and SGLang cannot)");
  if (tokens.length !== logProbs.length || tokens.length !== offsets.length)
    throw bad("has lists of different lengths");

  // Offsets count characters as Python does: code points.
  const [start, end] = [Array.from(before).length, Array.from(whole).length];
  const result = { tokens: [] as string[], logProbs: [] as number[], usage };
  for (const [i, token] of tokens.entries()) {
    const from: unknown = offsets[i];
    const to: unknown = offsets[i + 1] ?? Number.POSITIVE_INFINITY;
    if (typeof from !== "number" || typeof to !== "number") throw bad("has an offset that is no number");
    if (to <= start || from >= end) continue;
    const logProb: unknown = logProbs[i];
    if (logProb === null && i === 0)
      throw new Failed("unsupported", `${id} cannot score the first token of a text: give a prompt before it`);
    if (typeof token !== "string" || typeof logProb !== "number" || !(logProb <= 1e-3))
      throw bad("has a log-probability that is none");
    result.tokens.push(token);
    result.logProbs.push(Math.min(logProb, 0));
  }
  return result;
}

/** A token of the prompt; its log-probability is null for the first one, which follows nothing. */
type Entry = readonly [token: unknown, logProb: unknown];

/** `[null, { "1234": { logprob, decoded_token } }, …]`: with `prompt_logprobs: 0` the token itself and no other. */
const promptEntries = (list: unknown): Entry[] | undefined =>
  Array.isArray(list)
    ? list.map((entry: unknown) => {
        const said = isRecord(entry) ? Object.values(entry)[0] : undefined;
        return isRecord(said) ? [said["decoded_token"], said["logprob"]] : ["", null];
      })
    : undefined;

/** `[[logProb, tokenId, text], …]` */
const generateEntries = (list: unknown): Entry[] | undefined =>
  Array.isArray(list)
    ? list.map((entry: unknown) => (Array.isArray(entry) ? [entry[2], entry[0]] : ["", null]))
    : undefined;

/** The fewest last tokens that spell the text. @throws Failed `bad-response` where none do */
function tailScore(entries: readonly Entry[] | undefined, text: string, id: string): Omit<Scored, "usage"> {
  if (!entries) throw new Failed("bad-response", `${id} gave no log-probabilities of the prompt: probe what it can do`);
  const [tokens, logProbs]: [string[], number[]] = [[], []];
  let length = 0;
  for (let at = entries.length - 1; length < text.length; at--) {
    const [token, logProb] = entries[at] ?? [];
    if (at === 0 && logProb === null)
      throw new Failed("unsupported", `${id} cannot score the first token of a text: give a prompt before it`);
    if (typeof token !== "string" || typeof logProb !== "number" || !(logProb <= 1e-3))
      throw new Failed("bad-response", `${id} gave a log-probability of a prompt's token that is none`);
    tokens.unshift(token);
    logProbs.unshift(Math.min(logProb, 0));
    length += token.length;
  }
  if (tokens.join("").endsWith(text)) return { tokens, logProbs };
  throw new Failed("bad-response", `The last tokens of ${id} do not spell the text that was to be scored`);
}
