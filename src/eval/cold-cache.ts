/**
 * A model that is charged for its prompts as if the cache of its engine had been empty when the cell began, and had kept all
 * that the cell sent and drew since.
 *
 * What an engine finds in its cache depends on what ran before: on another method, another seed, another worker. Charged by
 * that, the second of two equal methods would be the cheaper one, and a record would depend on the number of workers. What a
 * reply says of tokens that were evaluated and cached is a fact only in its sum; here the sum is divided anew.
 */
import type { Cost } from "../budget.ts";
import type { Completion, Model, ModelPart, Prefix } from "../model.ts";
import { promptText } from "../problem.ts";

/** For one cell. Servers are left as they are: what they bill is what they say. */
export function coldCache(model: Model): Model {
  if (/^https?:/.test(model.id)) return model;
  /** Text that was evaluated → its tokens. */
  const known = new Map<string, number>();
  /** Continuations by their tokens, of which there is no text. */
  const read = new Set<string>();

  /** Tokens of the longest beginning that is known; every state was drawn from its parent, so few lengths are looked up in vain. */
  const knownOf = (text: string): number => {
    if (known.size === 0) return 0;
    for (let end = text.length; end >= 0; end--) {
      const tokens = known.get(text.slice(0, end));
      if (tokens !== undefined) return tokens;
    }
    return 0;
  };
  const charged = (cost: Cost, text: string): Cost => {
    const tokens = cost.promptTokens + cost.cachedTokens;
    const cachedTokens = Math.min(tokens, knownOf(text));
    return { ...cost, promptTokens: tokens - cachedTokens, cachedTokens };
  };
  const textOf = ({ prompt, text }: Prefix): string => `${promptText(prompt)}\n\n${text}`;

  const { scoreText, nextTokens, nextTokensAfter } = model;
  return {
    ...model,
    async *generate(request): AsyncGenerator<ModelPart> {
      const text = textOf(request.prefix);
      for await (const part of model.generate(request)) {
        if (part.type !== "completion") {
          yield part;
          continue;
        }
        const { completion } = part;
        const tokens = completion.cost.promptTokens + completion.cost.cachedTokens;
        const cost = charged(completion.cost, text);
        known.set(text, tokens);
        known.set(text + completion.text, tokens + drawn(completion));
        yield { ...part, completion: { ...completion, cost } };
      }
    },
    ...(scoreText && {
      async scoreText(prefix, text, options) {
        const scored = await scoreText.call(model, prefix, text, options);
        const whole = textOf(prefix) + text;
        const cost = charged(scored.cost, whole);
        known.set(whole, scored.cost.promptTokens + scored.cost.cachedTokens);
        return { ...scored, cost };
      },
    }),
    ...(nextTokens && {
      async nextTokens(prefix, options) {
        const next = await nextTokens.call(model, prefix, options);
        const text = textOf(prefix);
        const cost = charged(next.cost, text);
        known.set(text, next.cost.promptTokens + next.cost.cachedTokens);
        return { ...next, cost };
      },
    }),
    ...(nextTokensAfter && {
      async nextTokensAfter(prefix, continuations, options) {
        const laws = await nextTokensAfter.call(model, prefix, continuations, options);
        const [first] = laws;
        if (!first) return laws;
        const text = textOf(prefix);
        // What continuations have in common is evaluated once.
        const branches = new Set(
          continuations.flatMap((path) => path.map((_, i) => `${text}\n\n${path.slice(0, i + 1)}`)),
        );
        const tokens = first.cost.promptTokens + first.cost.cachedTokens;
        const ofPrefix = tokens - branches.size;
        const found = [...branches].filter((branch) => read.has(branch)).length;
        const cachedTokens = Math.min(ofPrefix, knownOf(text)) + found;
        known.set(text, ofPrefix);
        for (const branch of branches) read.add(branch);
        return [
          { ...first, cost: { ...first.cost, promptTokens: tokens - cachedTokens, cachedTokens } },
          ...laws.slice(1),
        ];
      },
    }),
  };
}

/** Tokens of the text alone: the one that ended it was drawn and never evaluated. */
const drawn = ({ tokens, length }: Completion): number => tokens?.length ?? length;
