/** Log-probabilities of given text, out of a reply that echoes it: vLLM's completions with `echo`, `logprobs`, `max_tokens: 0`. */
import { Failed } from "../../errors.ts";
import { Drafts, type Usage } from "./drafts.ts";
import { isRecord } from "./http.ts";

/**
 * The tokens of `whole` that reach beyond `before`. A token may straddle the border, as the server splits the text as a
 * whole; it is then scored whole.
 * @throws Failed `bad-response`
 */
export function echoedScore(
  reply: Readonly<Record<string, unknown>>,
  { id, before, whole }: { readonly id: string; readonly before: string; readonly whole: string },
): { tokens: string[]; logProbs: number[]; usage: Usage | undefined } {
  const bad = (what: string): Failed => new Failed("bad-response", `The echo of ${id} ${what}`);
  const drafts = new Drafts(id, "completions", 1);
  drafts.addReply(reply);
  const choice: unknown = Array.isArray(reply["choices"]) ? reply["choices"][0] : undefined;
  const said = isRecord(choice) && isRecord(choice["logprobs"]) ? choice["logprobs"] : {};
  const { tokens, token_logprobs: logProbs, text_offset: offsets } = said;
  if (!Array.isArray(tokens) || !Array.isArray(logProbs) || !Array.isArray(offsets))
    throw bad("has no log-probabilities: can this server echo? (vLLM can, llama-server and SGLang cannot)");
  if (tokens.length !== logProbs.length || tokens.length !== offsets.length)
    throw bad("has lists of different lengths");

  // Offsets count characters as Python does: code points.
  const [start, end] = [Array.from(before).length, Array.from(whole).length];
  const result: { tokens: string[]; logProbs: number[]; usage: Usage | undefined } = {
    tokens: [],
    logProbs: [],
    usage: drafts.usage,
  };
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
