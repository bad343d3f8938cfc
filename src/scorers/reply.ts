/** What judges that are asked in words share: one reply to one prompt, what it can cost, and how an answer is quoted. */
import type { Cost } from "../budget.ts";
import { addCosts, cost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import { fold, key, seedOf } from "../key.ts";
import type { Completion, Model } from "../model.ts";
import { countPromptTokens, nanodollars } from "../price.ts";
import type { Prompt } from "../problem.ts";

export interface ReplyOptions {
  /** @default 512 */
  readonly maxTokens?: number;
  /** @default 1 */
  readonly temperature?: number;
}

/** Replies that came; those that failed are left out, and their cost is counted, the worst where it is not known. */
export interface Replies {
  readonly texts: readonly string[];
  readonly cost: Cost;
}

/**
 * `count` replies to a prompt, in order of their seeds. Of a reply that reached `maxTokens` the last word is left out, as half a
 * number is another number. `before`: what was spent already, for the cost of a failure.
 * @throws Failed where not even one came
 */
export async function replies(
  model: Model,
  prompt: Prompt,
  count: number,
  {
    maxTokens = 512,
    temperature = 1,
    seed,
    signal,
    before = noCost,
  }: ReplyOptions & { seed: number; signal: AbortSignal; before?: Cost },
): Promise<Replies> {
  const seeds = Array.from({ length: count }, (_, i) => (i === 0 ? seed : seedOf(fold(key(seed), i))));
  const completions: (Completion | undefined)[] = seeds.map(() => undefined);
  const costs: Cost[] = seeds.map(() => repliesBound(model, prompt, 1, { maxTokens }));
  let failure = { code: "bad-response" as Failed["code"], message: `'${model.id}' gave no reply` };
  const request = { prefix: { prompt, text: "" }, seeds, maxTokens, sampling: { temperature }, signal };
  for await (const part of model.generate(request)) {
    if (part.type === "completion") {
      completions[part.index] = part.completion;
      costs[part.index] = part.completion.cost;
    } else if (part.type === "failure") {
      failure = part.failure;
      if (part.cost) costs[part.index] = part.cost;
    }
  }
  signal.throwIfAborted();
  const spent = costs.reduce(addCosts);
  const texts = completions.flatMap((completion) => (completion ? [wholeWords(completion)] : []));
  if (texts.length === 0) throw new Failed(failure.code, failure.message, { cost: addCosts(before, spent) });
  return { texts, cost: spent };
}

function wholeWords({ text, finish }: Completion): string {
  let end = text.length;
  if (finish === "length") while (end > 0 && /\S/.test(text[end - 1] as string)) end--;
  return text.slice(0, end);
}

/** The worst that `replies` can cost. */
export function repliesBound(model: Model, prompt: Prompt, count: number, { maxTokens = 512 }: ReplyOptions): Cost {
  const tokens = count * maxTokens;
  const promptTokens = count * countPromptTokens(prompt, (text) => model.countTokens(text));
  return cost({ tokens, promptTokens, calls: count, nanodollars: nanodollars(model.price, { tokens, promptTokens }) });
}

/**
 * A text between marks that do not occur in it, so that an answer cannot end its own quotation. That a judge is not talked
 * into something by what it reads is more than any quotation can promise.
 */
export function quoted(name: string, text: string): string {
  const closed = new Set(Array.from(text.matchAll(/<\/([\w-]{1,64})>/g), ([, mark]) => mark));
  let mark = name;
  for (let i = 2; closed.has(mark); i++) mark = `${name}-${i}`;
  return `<${mark}>\n${text}\n</${mark}>`;
}

/** Refuses counts that make no sense. @throws RangeError */
export function checkCount(what: string, name: string, value: number, least = 1, most = 1000): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot use ${what} as '${name}' must be a whole number in [${least}, ${most}]: current value is ${value}`,
  );
}
