/**
 * The next-token law as the engine reports it: whole where the vocabulary is small, else its most probable tokens.
 *
 * Handing 32 000 logits to JavaScript takes 9 ms a token; the top 1024, with the sum over all of them, take 1.4. Most
 * draws need no more. One that does says so, and the rest is fetched then: no draw is approximate.
 */
import type { ControlledEvaluateIndexOutput, ControlledEvaluateInputItem, Token } from "node-llama-cpp";
import type { Random } from "../../math/random.ts";
import type { Sampling } from "../../model.ts";
import { draw, transform } from "../sampling.ts";

export interface Law {
  /** In nats, at temperature 1, nothing cut off; by token id, or in the order of `tokens`. */
  readonly logProbs: Float64Array;
  /** The most probable tokens, most probable first; absent where the law is whole. */
  readonly tokens?: readonly number[];
}

export interface Drawn {
  readonly token: number;
  readonly logProb: number;
  readonly logProposal: number;
}

/** Vocabularies up to this size are reported whole; from here on the top is cheaper. */
export const largestWhole = 8192;
const topTokens = 1024;
/** What is left of the law may be ignored below this share: less than the rounding of the engine's own 32-bit sums. */
const negligible = 1e-9;
/** More tokens than any vocabulary has. */
const largestVocabulary = 1e6;

/** The law after a token, or the log-probability of one token after it. */
export type Output = "whole" | "top" | { readonly score: number };

/** What to ask of the engine along with a token. */
export function asking(token: number, output: Output): ControlledEvaluateInputItem {
  const at = token as Token;
  if (output === "whole") return [at, { generateNext: { logits: true } }];
  const tokens = output === "top" ? [] : [output.score as Token];
  const includeTop = output === "top" ? topTokens : 1;
  return [at, { generateNext: { logits: { filter: { tokens, includeTop } }, totalLogitWeight: true } }];
}

export function wholeLaw({ next: { logits } }: ControlledEvaluateIndexOutput, vocabulary: number): Law {
  if (!logits) throw new TypeError("The engine reported no logits");
  const logProbs = new Float64Array(vocabulary).fill(-Infinity);
  let highest = -Infinity;
  for (const logit of logits.values()) highest = Math.max(highest, logit);
  let total = 0;
  for (const logit of logits.values()) total += Math.exp(logit - highest);
  const logTotal = highest + Math.log(total);
  for (const [token, logit] of logits) logProbs[token] = logit - logTotal;
  return { logProbs };
}

export function topLaw({
  next: { logits, totalLogitWeight },
}: ControlledEvaluateIndexOutput): Law & { tokens: number[] } {
  if (!logits || totalLogitWeight === undefined) throw new TypeError("The engine reported no logits");
  const tokens: number[] = [...logits.keys()];
  const logTotal = Math.max(...logits.values()) + Math.log(totalLogitWeight);
  return { tokens, logProbs: Float64Array.from(logits.values(), (logit) => logit - logTotal) };
}

/** The log-probability of the token that was asked for along with the most probable one. */
export function scoreOf({ next: { logits, totalLogitWeight } }: ControlledEvaluateIndexOutput, token: number): number {
  const logit = logits?.get(token as Token);
  if (!logits || logit === undefined || totalLogitWeight === undefined)
    throw new TypeError("The engine reported no logits");
  return logit - Math.max(...logits.values()) - Math.log(totalLogitWeight);
}

/** "rest": none of the top tokens was drawn. "whole": what is asked for cannot be told from the top. */
export function drawFrom(law: Law, sampling: Sampling, random: Random): Drawn | "rest" | "whole" {
  const { tokens, logProbs } = law;
  const pick = (proposal: Float64Array): Drawn => {
    const at = draw(proposal, random);
    return { token: tokens?.[at] ?? at, logProb: logProbs[at] as number, logProposal: proposal[at] as number };
  };
  if (!tokens) return pick(transform(logProbs, sampling));

  const { temperature = 1, topK = Infinity, topP = 1, minP = 0 } = sampling;
  const least = logProbs.length - 1;
  if (temperature === 0 || topK <= least) return pick(transform(logProbs, sampling));
  if (topP < 1) {
    const kept = nucleusOf(logProbs, topP);
    return kept <= least ? pick(transform(logProbs, { ...sampling, topK: kept, topP: 1 })) : "whole";
  }
  if (minP > 0 && (logProbs[least] as number) < (logProbs[0] as number) + Math.log(minP))
    return pick(transform(logProbs, sampling));
  if (minP > 0 || topK < Infinity) return "whole";
  if (temperature === 1) {
    const share = Math.exp(logSum(logProbs));
    if (random.uniform() >= share) return "rest";
    const at = draw(normalised(logProbs), random);
    return { token: tokens[at] as number, logProb: logProbs[at] as number, logProposal: logProbs[at] as number };
  }
  const bent = transform(logProbs, { temperature });
  return Math.exp(bent[least] as number) * largestVocabulary < negligible ? pick(bent) : "whole";
}

/** A draw at temperature 1 from a whole law, given that it is none of the top tokens. */
export function drawRest(whole: Law, top: Law, random: Random): Drawn {
  const rest = whole.logProbs.slice();
  for (const token of top.tokens ?? []) rest[token] = -Infinity;
  const token = draw(normalised(rest), random);
  return { token, logProb: whole.logProbs[token] as number, logProposal: whole.logProbs[token] as number };
}

/** How many of the most probable tokens reach `topP` together; Infinity if all of these do not. */
function nucleusOf(logProbs: Float64Array, topP: number): number {
  let sum = 0;
  for (let i = 0; i < logProbs.length; i++) {
    sum += Math.exp(logProbs[i] as number);
    if (sum >= topP) return i + 1;
  }
  return Infinity;
}

function logSum(logProbs: Float64Array): number {
  return Math.log(logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0));
}

function normalised(logProbs: Float64Array): Float64Array {
  const log = logSum(logProbs);
  return logProbs.map((logProb) => logProb - log);
}
