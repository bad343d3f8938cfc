/** What the evaluation asks of a model, by the contract of src/model.ts, so that any engine will do. */
import type { Model } from "../src/model.ts";
import { fold, type Key, seedOf } from "../src/key.ts";

export type Engine = Model & Required<Pick<Model, "nextTokens">>;

/** Opens a file with `llama-cpp` or `llama-js`. */
export async function openModel(path: string, engine: string): Promise<Engine> {
  if (engine === "llama-js")
    return (await (await import("../src/models/llama-js/index.ts")).openLlamaJs(path)) as Engine;
  return (await import("../src/models/llama-cpp/index.ts")).llamaCpp(path, { sequences: 64 });
}

const { signal } = new AbortController();
/** Longer than any right answer of any level. */
const maxTokens = 100;

/** `count` answers at a temperature; 0 is greedy. */
export async function answers(
  model: Model,
  prompt: string,
  { count, temperature, key }: { count: number; temperature: number; key: Key },
): Promise<string[]> {
  const texts = new Array<string>(count).fill("");
  const seeds = Array.from({ length: count }, (_, i) => seedOf(fold(key, i)));
  for await (const part of model.generate({
    prefix: { prompt, text: "" },
    seeds,
    maxTokens,
    sampling: { temperature },
    signal,
  })) {
    if (part.type === "failure") throw new Error(part.failure.message);
    if (part.type === "completion") texts[part.index] = part.completion.text;
  }
  return texts;
}

/** P(y) / (P(y) + P(n)) after the question: the value read-out. */
export async function valueOf(
  model: Required<Pick<Model, "nextTokens">>,
  prompt: string,
  steps: string,
): Promise<number> {
  const { texts, logProbs } = await model.nextTokens({ prompt, text: `${steps}?` }, { signal });
  const p = (text: string): number => Math.exp(logProbs[texts.indexOf(text)] as number);
  return p("y") / (p("y") + p("n"));
}
