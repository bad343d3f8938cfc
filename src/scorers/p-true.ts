/**
 * P(True): shown the question and a proposed answer, the model says whether it is true; the score is how much it believes so.
 *
 * Kadavath et al. 2022, arXiv:2207.05221: the answers "(A) True" and "(B) False", and the probability of the token A
 * against B. They find larger models better calibrated, and that it helps to show the model some of its own samples first:
 * `samples`. Where the model tells next-token distributions the probability is read off, P(A) / (P(A) + P(B)), in one call of
 * one token; else `draws` replies are sampled and the score is the share of A among those that say A or B, which departs from
 * the paper: its steps are 1/draws wide. Replies that say neither do not count; if none does, the node is unscored.
 *
 * A model judges its own mistakes with the knowledge that made them: measure calibration before trusting the number. Not for
 * models that follow no instructions. Cost: one call (or `draws`), and `samples` answers for each score, which are not shared
 * between nodes.
 */
import { addCosts, cost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import { fold, key, seedOf } from "../key.ts";
import type { Model, Prefix } from "../model.ts";
import { countPromptTokens, nanodollars, readingCost } from "../price.ts";
import { type Problem, promptText } from "../problem.ts";
import type { Scorer } from "../scorer.ts";
import { checkCount, quoted, replies, repliesBound } from "./reply.ts";
import { shareOf } from "./value-token.ts";

export interface PTrueOptions {
  /** The model's own answers to show before the question. @default 0 */
  readonly samples?: number;
  /** Tokens of each of them. @default 256 */
  readonly maxSampleTokens?: number;
  /** Replies to draw where the model tells no next-token distribution. @default 8 */
  readonly draws?: number;
}

export function pTrue<S>(model: Model, options: PTrueOptions = {}): Scorer<S> {
  const { samples = 0, maxSampleTokens = 256, draws = 8 } = options;
  checkCount("P(True)", "samples", samples, 0);
  checkCount("P(True)", "draws", draws);
  const reply = { maxTokens: 8 };
  const { nextTokens } = model;

  /** The assistant's turn is begun with "(", so that the next token is A or B. */
  const prefixOf = (question: string): Prefix =>
    model.capabilities.messages
      ? { prompt: [{ role: "user", content: question }], text: "(" }
      : { prompt: `${question}\nThe proposed answer is: (`, text: "" };

  return {
    name: `p-true:${model.id}${samples > 0 ? `, ${samples} samples` : ""}${nextTokens ? "" : `, ${draws} draws`}`,
    kind: "probability",
    bound({ state }, { problem, text }) {
      const shown = repliesBound(model, problem.prompt, samples, { maxTokens: maxSampleTokens });
      const question = questionOf(
        problem,
        text(state),
        Array.from({ length: samples }, () => ""),
      );
      const sampleTokens = samples * (maxSampleTokens + 8); // read again, between marks that may have a number
      if (!nextTokens) {
        const asked = repliesBound(model, question, draws, reply);
        const promptTokens = draws * sampleTokens;
        return addCosts(
          addCosts(shown, asked),
          cost({ promptTokens, nanodollars: nanodollars(model.price, { promptTokens }) }),
        );
      }
      const prefix = prefixOf(question);
      const promptTokens =
        countPromptTokens(prefix.prompt, (one) => model.countTokens(one)) +
        model.countTokens(prefix.text) +
        sampleTokens;
      const read = cost({ promptTokens, calls: 1, nanodollars: nanodollars(model.price, { promptTokens }) });
      return addCosts(shown, readingCost(read, model.price));
    },
    async score({ state }, { problem, text, seed, signal }) {
      const own =
        samples === 0
          ? { texts: [], cost: noCost }
          : await replies(model, problem.prompt, samples, {
              maxTokens: maxSampleTokens,
              seed: seedOf(fold(key(seed), "samples")),
              signal,
            });
      const question = questionOf(problem, text(state), own.texts);
      if (nextTokens) {
        const next = await nextTokens.call(model, prefixOf(question), { signal });
        return {
          score: { kind: "probability", value: shareOf(next, "A", "B", model.id) },
          cost: addCosts(own.cost, readingCost(next.cost, model.price)),
        };
      }
      const said = await replies(model, question, draws, { ...reply, seed, signal, before: own.cost });
      const letters = said.texts.map(letterOf).filter((letter) => letter !== undefined);
      if (letters.length === 0)
        throw new Failed("bad-response", `'${model.id}' said neither A nor B, but ${JSON.stringify(said.texts[0])}`, {
          cost: addCosts(own.cost, said.cost),
        });
      const value = letters.filter((letter) => letter === "A").length / letters.length;
      return { score: { kind: "probability", value }, cost: addCosts(own.cost, said.cost) };
    },
  };
}

function questionOf({ prompt }: Problem, answer: string, ideas: readonly string[]): string {
  return [
    quoted("question", promptText(prompt)),
    ...(ideas.length > 0 ? ["Here are some ideas that came up:", ...ideas.map((idea) => quoted("idea", idea))] : []),
    quoted("proposed-answer", answer),
    "Is the proposed answer:\n (A) True\n (B) False\nReply with (A) or (B) alone.",
  ].join("\n");
}

/** "(A)", or "B." alone, or the first "true" or "false" where nothing is denied; undefined where none of these is said. */
function letterOf(reply: string): "A" | "B" | undefined {
  const said = reply.slice(0, 64);
  const letter = /\(([AB])\)/.exec(said)?.[1] ?? /^\W*([AB])\W*$/.exec(said)?.[1];
  if (letter === "A" || letter === "B") return letter;
  if (/\bnot\b|n['’]t\b/i.test(said)) return undefined;
  const word = /\b(true|false)\b/i.exec(said)?.[1]?.toLowerCase();
  return word === undefined ? undefined : word === "true" ? "A" : "B";
}
