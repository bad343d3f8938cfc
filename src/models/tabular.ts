/**
 * A tabular model: a handful of one-character tokens, a row of probabilities for every text so far, a bounded length.
 * All its texts can be enumerated, so that what a search estimates can be compared with the exact answer.
 *
 * One character of the alphabet ends an answer and is no part of its text. A text of `maxLength` characters always ends.
 */
import { cost } from "../budget.ts";
import { Failed } from "../errors.ts";
import { fold, type Key } from "../key.ts";
import { drawLogGamma } from "../math/distributions.ts";
import { softmax } from "../math/log-space.ts";
import { random } from "../math/random.ts";
import type { Capabilities, Completion, GenerateRequest, ModelPart, Prefix, ScoringModel } from "../model.ts";
import { countPromptTokens } from "../price.ts";
import type { Prompt } from "../problem.ts";
import { endingOf, shownLength } from "./ending.ts";
import { byProbability, checkSampling, draw, transform } from "./sampling.ts";

export interface TabularOptions {
  /** Tokens, each one character; ids are places in it. Its last character ends an answer. */
  readonly alphabet: string;
  /** [alphabet] probabilities of the next character after `text`; must sum to 1. */
  readonly conditional: (text: string, prompt: Prompt) => ArrayLike<number>;
  /** Characters of the longest text. */
  readonly maxLength: number;
  /** @default "tabular" */
  readonly id?: string;
}

export interface WeightedText {
  readonly text: string;
  /** log p of the text and its end, in nats. */
  readonly logProb: number;
}

export interface TabularModel extends ScoringModel {
  readonly alphabet: string;
  /** Every text of positive probability, in order of the alphabet, the end first; probabilities sum to 1. */
  enumerate(prompt?: Prompt): WeightedText[];
  /** The most probable whole text; ties: the first of `enumerate`. */
  mostLikely(prompt?: Prompt): WeightedText;
}

const capabilities: Capabilities = {
  continues: true,
  logProbs: true,
  scoresText: true,
  nextTokens: true,
  messages: true,
  samplesPerCall: 1,
};

/** More texts than this are not enumerated. */
const maxTexts = 1e6;

/**
 * ```ts
 * const coin = tabular({ alphabet: "ht.", conditional: () => [0.6, 0.3, 0.1], maxLength: 3 });
 * coin.mostLikely(); // { text: "hhh", logProb: Math.log(0.6 ** 3) }
 * ```
 */
export function tabular({ alphabet, conditional, maxLength, id = "tabular" }: TabularOptions): TabularModel {
  if (alphabet.length < 2 || new Set(alphabet).size !== alphabet.length)
    throw new RangeError(
      `Cannot make a tabular model as 'alphabet' must be two or more different characters: current value is ${JSON.stringify(alphabet)}`,
    );
  if (!Number.isInteger(maxLength) || maxLength < 0)
    throw new RangeError(
      `Cannot make a tabular model as 'maxLength' must be an integer >= 0: current value is ${maxLength}`,
    );
  const end = alphabet.length - 1;
  const rows = new Map<string, Float64Array>();

  /** [alphabet] log-probabilities after `text`. */
  const rowAfter = (text: string, prompt: Prompt): Float64Array => {
    const place = JSON.stringify([text, prompt]);
    const known = rows.get(place);
    if (known) return known;
    const row =
      text.length >= maxLength
        ? Float64Array.from(alphabet, (_, token) => (token === end ? 0 : -Infinity))
        : logRow(conditional(text, prompt), alphabet.length, text);
    rows.set(place, row);
    return row;
  };

  const check = ({ text }: Prefix): void => {
    if (text.length > maxLength)
      throw new Failed(
        "overflow",
        `A text of '${id}' has at most ${maxLength} characters: this one has ${text.length}`,
      );
    for (const character of text)
      if (!alphabet.slice(0, end).includes(character))
        throw new Failed("rejected", `'${id}' does not know the character ${JSON.stringify(character)}`);
  };

  const countTokens = (text: string): number => text.length;
  const promptCost = ({ prompt, text }: Prefix) =>
    cost({ calls: 1, promptTokens: countPromptTokens(prompt, countTokens) + text.length });

  function* sample(index: number, seed: number, request: GenerateRequest): Generator<ModelPart> {
    const { prefix, maxTokens, sampling } = request;
    const stream = random(seed);
    let text = "";
    let shown = 0;
    let length = 0;
    let logProb = 0;
    let logProposal = 0;
    let finish: Completion["finish"] = "length";
    while (length < maxTokens) {
      const row = rowAfter(prefix.text + text, prefix.prompt);
      const proposal = transform(row, sampling);
      const token = draw(proposal, stream);
      length++;
      logProb += row[token] as number;
      logProposal += proposal[token] as number;
      if (token === end) {
        finish = "end";
        break;
      }
      text += alphabet[token];
      const ending = endingOf(text, request);
      const visible = ending?.length ?? shownLength(text, request.stop);
      if (request.stream && visible > shown) yield { type: "text-delta", index, delta: text.slice(shown, visible) };
      shown = Math.max(shown, visible);
      if (!ending) continue;
      text = text.slice(0, ending.length);
      finish = ending.finish;
      break;
    }
    if (request.stream && text.length > shown) yield { type: "text-delta", index, delta: text.slice(shown) };
    const completion: Completion = {
      text,
      tokens: tokensOf(text, alphabet),
      length,
      logProb,
      logProposal,
      finish,
      cost: { ...promptCost(prefix), tokens: length },
    };
    yield { type: "completion", index, completion };
  }

  const enumerate = (prompt: Prompt = ""): WeightedText[] => {
    const texts: WeightedText[] = [];
    const visit = (text: string, logProb: number): void => {
      const row = rowAfter(text, prompt);
      if ((row[end] as number) > -Infinity) texts.push({ text, logProb: logProb + (row[end] as number) });
      if (texts.length > maxTexts)
        throw new RangeError(`Cannot enumerate '${id}' as it has more than ${maxTexts} texts`);
      for (let token = 0; token < end; token++)
        if ((row[token] as number) > -Infinity) visit(text + alphabet[token], logProb + (row[token] as number));
    };
    visit("", 0);
    return texts;
  };

  return {
    id,
    alphabet,
    capabilities,
    countTokens,
    async *generate(request) {
      check(request.prefix);
      checkSampling(request.sampling);
      for (const [index, seed] of request.seeds.entries())
        for (const part of sample(index, seed, request)) {
          if (request.signal.aborted) return;
          yield part;
        }
    },
    async scoreText(prefix, text, { end: withEnd = false, signal }) {
      signal.throwIfAborted();
      check(prefix);
      const tokens = [...text, ...(withEnd ? [alphabet[end] as string] : [])];
      const logProbs = tokens.map((token, i) => {
        const at = i < text.length ? alphabet.slice(0, end).indexOf(token) : end;
        if (at < 0) throw new Failed("rejected", `'${id}' does not know the character ${JSON.stringify(token)}`);
        return rowAfter(prefix.text + text.slice(0, i), prefix.prompt)[at] as number;
      });
      const read = promptCost(prefix);
      return { tokens, logProbs, cost: { ...read, promptTokens: read.promptTokens + tokens.length } };
    },
    async nextTokens(prefix, { signal }) {
      signal.throwIfAborted();
      check(prefix);
      const row = rowAfter(prefix.text, prefix.prompt);
      const tokens = byProbability(row);
      return {
        tokens,
        texts: tokens.map((token) => (token === end ? "" : (alphabet[token] as string))),
        logProbs: tokens.map((token) => row[token] as number),
        endTokens: [end],
        cost: promptCost(prefix),
      };
    },
    enumerate,
    mostLikely: (prompt) => enumerate(prompt).reduce((best, one) => (one.logProb > best.logProb ? one : best)),
  };
}

/**
 * A tabular model whose rows are drawn from a symmetric Dirichlet law, each from the key folded by its text.
 * `concentration`: 1 is uniform over the simplex, less is spikier, more is flatter.
 */
export function randomTabular({
  key,
  symbols = 3,
  maxLength = 4,
  concentration = 1,
  id = "tabular",
}: {
  readonly key: Key;
  /** How many, the end included; or the alphabet itself, its last character the end. @default 3, which is "ab." */
  readonly symbols?: number | string;
  readonly maxLength?: number;
  readonly concentration?: number;
  readonly id?: string;
}): TabularModel {
  if (!(concentration > 0 && concentration < Infinity))
    throw new RangeError(
      `Cannot draw a tabular model as 'concentration' must be a positive number: current value is ${concentration}`,
    );
  if (typeof symbols === "number" && !(Number.isInteger(symbols) && symbols >= 2 && symbols <= 27))
    throw new RangeError(
      `Cannot draw a tabular model as 'symbols' must be an integer from 2 to 27: current value is ${symbols}`,
    );
  const alphabet = typeof symbols === "string" ? symbols : `${"abcdefghijklmnopqrstuvwxyz".slice(0, symbols - 1)}.`;
  return tabular({
    alphabet,
    maxLength,
    id,
    conditional(text) {
      const stream = random(fold(key, text));
      return softmax(Array.from(alphabet, () => drawLogGamma(concentration, stream))) as number[];
    },
  });
}

function logRow(probabilities: ArrayLike<number>, size: number, text: string): Float64Array {
  const row = Float64Array.from(probabilities);
  const total = row.reduce((sum, p) => sum + p, 0);
  if (row.length !== size || !row.every((p) => p >= 0) || !(Math.abs(total - 1) < 1e-9))
    throw new RangeError(
      `Cannot use the probabilities after ${JSON.stringify(text)} as they must be ${size} numbers >= 0 that sum to 1: current value is [${row.join(", ")}]`,
    );
  return row.map((p) => Math.log(p / total));
}

const tokensOf = (text: string, alphabet: string): number[] =>
  Array.from(text, (character) => alphabet.indexOf(character));
