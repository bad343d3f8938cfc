/**
 * What scorers share that let a model choose between (A) and (B): the probability of A against B, read off the next-token distribution
 * where the model tells it, else the share of A among sampled replies that say one of them.
 */
import { addCosts, type Cost, cost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import type { Model, Prefix } from "../model.ts";
import { countPromptTokens, nanodollars, readingBound, readingCost } from "../price.ts";
import { replies, repliesBound } from "./reply.ts";
import { shareOf } from "./value-token.ts";

const reply = { maxTokens: 8 };

export interface Choice {
  /** The letter alone is asked for at the end of it. */
  readonly question: string;
  /** Begins the line on which a model of raw text answers. */
  readonly lead: string;
  /** What (A) and (B) stand for, in small letters: some models say that in place of the letter. */
  readonly words: readonly [string, string];
}

/** The assistant's turn is begun with "(", so that the next token is A or B. */
const prefixOf = (model: Model, { question, lead }: Choice): Prefix =>
  model.capabilities.messages
    ? { prompt: [{ role: "user", content: question }], text: "(" }
    : { prompt: `${question}\n${lead} (`, text: "" };

/** The worst that `chosen` can cost; `more`: prompt tokens that are not in the question yet. */
export function choiceBound(model: Model, choice: Choice, draws: number, more = 0): Cost {
  if (!model.nextTokens) {
    const promptTokens = draws * more;
    const rest = cost({ promptTokens, nanodollars: nanodollars(model.price, { promptTokens }) });
    return addCosts(repliesBound(model, choice.question, draws, reply), rest);
  }
  const prefix = prefixOf(model, choice);
  const promptTokens =
    countPromptTokens(prefix.prompt, (one) => model.countTokens(one)) + model.countTokens(prefix.text) + more;
  return readingBound(promptTokens, model.price);
}

/**
 * The probability of A. `before`: what was spent already; it is in the cost.
 * @throws Failed `bad-response` where neither was said
 */
export async function chosen(
  model: Model,
  choice: Choice,
  { draws, seed, signal, before = noCost }: { draws: number; seed: number; signal: AbortSignal; before?: Cost },
): Promise<{ readonly value: number; readonly cost: Cost }> {
  if (model.nextTokens) {
    const next = await model.nextTokens(prefixOf(model, choice), { signal });
    return { value: shareOf(next, "A", "B", model.id), cost: addCosts(before, readingCost(next.cost, model.price)) };
  }
  const said = await replies(model, choice.question, draws, { ...reply, seed, signal, before });
  const spent = addCosts(before, said.cost);
  const letters = said.texts.map((text) => letterOf(text, choice.words)).filter((letter) => letter !== undefined);
  if (letters.length === 0)
    throw new Failed("bad-response", `'${model.id}' said neither A nor B, but ${JSON.stringify(said.texts[0])}`, {
      cost: spent,
    });
  return { value: letters.filter((letter) => letter === "A").length / letters.length, cost: spent };
}

/** "(A)", or "B." alone, or the first of the two words where nothing is denied; undefined where none of these is said. */
function letterOf(text: string, [yes, no]: Choice["words"]): "A" | "B" | undefined {
  const said = text.slice(0, 64);
  const letter = /\(([AB])\)/.exec(said)?.[1] ?? /^\W*([AB])\W*$/.exec(said)?.[1];
  if (letter === "A" || letter === "B") return letter;
  if (/\bnot\b|n['’]t\b/i.test(said)) return undefined;
  const word = new RegExp(`\\b(${yes}|${no})\\b`, "i").exec(said)?.[1]?.toLowerCase();
  return word === undefined ? undefined : word === yes ? "A" : "B";
}
