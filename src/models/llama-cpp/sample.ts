/** One sample: draw a token, read it, look for an end, evaluate it, and again. */
import { type Cost, cost } from "../../budget.ts";
import { failureOf } from "../../errors.ts";
import { type Random, random } from "../../math/random.ts";
import type { Completion, GenerateRequest, ModelPart } from "../../model.ts";
import { endingOf, shownLength } from "../ending.ts";
import { type Drawn, drawFrom, drawRest } from "./law.ts";
import type { Lease, PrefixTree } from "./prefix-tree.ts";
import type { Tokens } from "./tokens.ts";

export interface SampleJob {
  readonly index: number;
  readonly seed: number;
  /** Tokens of the request's prefix. */
  readonly prompt: readonly number[];
  readonly request: GenerateRequest;
}

export async function sample(
  { index, seed, prompt, request }: SampleJob,
  { tree, tokens: vocabulary }: { readonly tree: PrefixTree; readonly tokens: Tokens },
  emit: (part: ModelPart) => void,
  signal: AbortSignal,
): Promise<void> {
  const { maxTokens, sampling, stop } = request;
  const stream = random(seed);
  const reader = vocabulary.reader(prompt);
  const tokens: number[] = [];
  /** Length of the text after so many tokens; NaN inside a character. */
  const lengths = [0];
  let text = "";
  let shown = 0;
  let [length, logProb, logProposal] = [0, 0, 0];
  let finish: Completion["finish"] = "length";
  let spent: Cost = cost({ calls: 1 });

  const show = (upTo: number): void => {
    if (request.stream && upTo > shown) emit({ type: "text-delta", index, delta: text.slice(shown, upTo) });
    shown = Math.max(shown, upTo);
  };

  try {
    using lease = await tree.lease(prompt, { group: request, signal });
    spent = cost({ calls: 1, promptTokens: lease.evaluated, cachedTokens: lease.cached });
    while (length < maxTokens) {
      const { token, ...one } = await drawn(lease, sampling, stream);
      length++;
      logProb += one.logProb;
      logProposal += one.logProposal;
      if (vocabulary.ends.includes(token)) {
        finish = "end";
        break;
      }
      tokens.push(token);
      text += reader.push(token);
      lengths.push(reader.pending ? Number.NaN : text.length);
      const ending = endingOf(text, request);
      show(ending?.length ?? shownLength(text, stop));
      if (ending) {
        text = text.slice(0, ending.length);
        finish = ending.finish;
        break;
      }
      if (length < maxTokens) await lease.append(token);
    }
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return emit({ type: "failure", index, failure: failureOf(thrown), cost: { ...spent, tokens: length } });
  }
  if (finish === "end" || finish === "length") text += reader.end();
  show(text.length);
  const kept = finish === "end" || finish === "length" ? tokens.length : lengths.indexOf(text.length);
  emit({
    type: "completion",
    index,
    completion: {
      text,
      ...(kept >= 0 && { tokens: tokens.slice(0, kept) }), // a text cut inside a token has no tokens
      length,
      logProb,
      logProposal,
      finish,
      cost: { ...spent, tokens: length },
    },
  });
}

async function drawn(lease: Lease, sampling: GenerateRequest["sampling"], stream: Random): Promise<Drawn> {
  const top = lease.law;
  const first = drawFrom(top, sampling, stream);
  if (typeof first === "object") return first;
  const whole = await lease.whole();
  return first === "rest" ? drawRest(whole, top, stream) : (drawFrom(whole, sampling, stream) as Drawn);
}
