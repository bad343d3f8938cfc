/**
 * Confidence in words: shown its question and an answer, the model says how sure it is that the answer is right, as a
 * percentage or by a word; the score is the number that this stands for.
 *
 * Lin, Hilton & Evans 2022, arXiv:2205.14334: percentages, and five words from lowest to highest that stand for 10, 30, 50, 70 and 90%.
 * They fine-tune a model to say it; asked without training, models say round and high numbers (Xiong et al. 2023,
 * arXiv:2306.13063). What is said need not be what is believed: compare it with `pTrue`, and calibrate before using the number.
 * Replies without a readable confidence do not count; with several `draws` the score is the mean of the others.
 * Cost: `draws` calls of a few tokens.
 */
import { Failed } from "../errors.ts";
import { estimativeWordIn, estimativeWords } from "../math/estimative-words.ts";
import type { Model } from "../model.ts";
import { type Problem, promptText } from "../problem.ts";
import type { Scorer } from "../scorer.ts";
import { checkCount, quoted, replies, repliesBound } from "./reply.ts";

export interface VerbalConfidenceOptions {
  /** @default "percentage" */
  readonly as?: "percentage" | "word";
  /** @default 1 */
  readonly draws?: number;
}

const reply = { maxTokens: 16 };

export function verbalConfidence<S>(
  model: Model,
  { as = "percentage", draws = 1 }: VerbalConfidenceOptions = {},
): Scorer<S> {
  checkCount("confidence in words", "draws", draws);
  const form =
    as === "percentage"
      ? "Reply with a percentage alone, as in: Confidence: 40%"
      : `Reply with one word of ${Object.keys(levels).join(", ")}, as in: Confidence: medium`;
  const promptOf = ({ prompt }: Problem, answer: string): string =>
    [
      quoted("question", promptText(prompt)),
      quoted("proposed-answer", answer),
      `How confident are you that the proposed answer is right? ${form}`,
    ].join("\n");
  return {
    name: `verbal-confidence:${model.id}, ${draws > 1 ? `${draws} draws, ` : ""}${as}`,
    kind: "probability",
    bound: ({ state }, { problem, text }) => repliesBound(model, promptOf(problem, text(state)), draws, reply),
    async score({ state }, { problem, text, seed, signal }) {
      const said = await replies(model, promptOf(problem, text(state)), draws, { ...reply, seed, signal });
      const values = said.texts.map(readConfidence).filter((value) => value !== undefined);
      if (values.length === 0)
        throw new Failed("bad-response", `'${model.id}' said no confidence, but ${JSON.stringify(said.texts[0])}`, {
          cost: said.cost,
        });
      const value = values.reduce((sum, one) => sum + one, 0) / values.length;
      return { score: { kind: "probability", value }, cost: said.cost };
    },
  };
}

const levels: Readonly<Record<string, number>> = { lowest: 0.1, low: 0.3, medium: 0.5, high: 0.7, highest: 0.9 };

/**
 * The confidence that a text states, in [0, 1]: `85%`, `85 percent`, `0.85`, `8/10`, `8 out of 10`, a level from lowest to highest, a word
 * of estimative probability. Of the text after the last "confidence", where there is one. A bare `85` is a percentage; a bare
 * `1` could be either, and is nothing. Undefined also for numbers out of range, for two different ones and for words that differ.
 */
export function readConfidence(text: string): number | undefined {
  const after = text.split(/confidence(?:\s+(?:level|score))?\s*(?:is|[:=])?/i).at(-1) as string;
  if (range.test(after)) return undefined;
  const said = [...new Set(Array.from(after.matchAll(stated), numberOf))];
  if (said.length > 0) return said.length === 1 ? said[0] : undefined;
  const named = new Set(
    Array.from(after.matchAll(/\b(lowest|low|medium|high|highest)\b/gi), ([one]) => one.toLowerCase()),
  );
  if (named.size > 0) return named.size === 1 ? levels[[...named][0] as string] : undefined;
  const word = estimativeWordIn(after);
  return word === undefined ? undefined : estimativeWords[word];
}

// "80-90%": two numbers, the second of which would look like a negative one.
const range = /\d\s*%?\s*[-–—]\s*\d/;

// A number with its unit: percent, or what it is out of.
const stated = /(?<![\w.-])(\d+(?:\.\d+)?|\.\d+)(?:\s*(%|percent\b)|\s*(?:\/|out of)\s*(\d+))?/gi;

function numberOf([, digits = "", percent, of]: RegExpExecArray): number | undefined {
  const value = Number(digits);
  const share =
    percent !== undefined
      ? value / 100
      : of !== undefined
        ? value / Number(of)
        : digits.includes(".") && value <= 1
          ? value
          : value === 1
            ? Number.NaN
            : value / 100;
  return share >= 0 && share <= 1 ? share : undefined;
}
