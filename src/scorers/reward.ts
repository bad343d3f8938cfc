/**
 * A reward model's opinion of an answer: outcome rewards, rankings, classes; over HTTP by `openaiRewards`.
 *
 * A reward model was fitted to preferences; the more it is searched against, the more the winner is what it errs on (Gao,
 * Schulman & Hilton 2022, arXiv:2210.10760). Not for partial answers, unless it was trained on steps; then see `processReward`.
 * Cost: one call of one answer; with `batched`, one call for all that are asked about at the same time.
 */
import type { Cost } from "../budget.ts";
import { cost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import { nanodollars } from "../price.ts";
import type { Prompt } from "../problem.ts";
import { readTokens, type RewardModel } from "../reader.ts";
import type { Scorer } from "../scorer.ts";

export function reward<S>(model: RewardModel): Scorer<S> {
  const { id, kind, countTokens, price } = model;
  return {
    name: `reward:${id}`,
    kind,
    bound({ state }, { problem, text }) {
      if (!countTokens) return noCost;
      const promptTokens = readTokens(model, problem.prompt, text(state));
      return cost({ promptTokens, calls: 1, nanodollars: nanodollars(price, { promptTokens }) });
    },
    async score({ state }, { problem, text, signal }) {
      const { values, cost } = await model.rewards(problem.prompt, [text(state)], { signal });
      const [value] = values;
      if (value === undefined || !Number.isFinite(value))
        throw new Failed("bad-response", `'${id}' gave no finite reward, but ${value}`, { cost });
      return { score: { kind, value }, cost };
    },
  };
}

/** Calls for one prompt that are waiting for the same turn of the event loop. */
interface Joined {
  readonly answers: string[];
  /** [answers] the most tokens that are read for each. */
  readonly lengths: number[];
  readonly signals: AbortSignal[];
  readonly reply: Promise<{ readonly values: readonly number[]; readonly cost: Cost }>;
}

/**
 * Joins what is asked at the same time about one prompt into one call of at most `most` answers. Each who asked pays a part of
 * its tokens, by length, and the first the request, so that none pays more than his bound. The call is given up when all who asked
 * have given up. Which answers meet in one call depends on the order of replies, and so does what each of them costs; the
 * values do not, where the model gives the same alone and in a batch.
 */
export function batched(model: RewardModel, { most = 64 }: { most?: number } = {}): RewardModel {
  if (!(Number.isInteger(most) && most >= 1))
    throw new RangeError(`Cannot batch '${model.id}' as 'most' must be a positive integer: current value is ${most}`);
  const waiting = new Map<string, Joined>();

  /** What answers `from` up to `to` pay of a call; the parts sum to the whole, but for nanodollars, which are rounded up. */
  function shareOf(whole: Cost, { lengths }: Joined, from: number, to: number): Cost {
    const before = (end: number): number => lengths.slice(0, end).reduce((sum, length) => sum + length, 0);
    const [start, end, all] = [before(from), before(to), before(lengths.length)];
    const part = (count: number): number => Math.floor((count * end) / all) - Math.floor((count * start) / all);
    const callsBefore = (place: number): number => Math.ceil((whole.calls * place) / lengths.length);
    const [promptTokens, cachedTokens] = [part(whole.promptTokens), part(whole.cachedTokens)];
    return cost({
      promptTokens,
      cachedTokens,
      tokens: part(whole.tokens),
      calls: callsBefore(to) - callsBefore(from),
      nanodollars: model.price ? nanodollars(model.price, { promptTokens, cachedTokens }) : part(whole.nanodollars),
    });
  }

  function open(place: string, prompt: Prompt): Joined {
    const [answers, lengths]: [string[], number[]] = [[], []];
    const signals: AbortSignal[] = [];
    const reply = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (waiting.get(place) === joined) waiting.delete(place);
      const given = new AbortController();
      let left = signals.length;
      const leave = (): void => void (--left === 0 && given.abort(signals[0]?.reason));
      for (const signal of signals) {
        if (signal.aborted) leave();
        else signal.addEventListener("abort", leave, { once: true });
      }
      return model.rewards(prompt, answers, { signal: given.signal }).finally(() => {
        for (const signal of signals) signal.removeEventListener("abort", leave);
      });
    });
    const joined: Joined = { answers, lengths, signals, reply };
    waiting.set(place, joined);
    return joined;
  }

  return {
    ...model,
    async rewards(prompt, answers, { signal }) {
      signal.throwIfAborted();
      const place = JSON.stringify(prompt);
      let joined = waiting.get(place);
      if (!joined || joined.answers.length + answers.length > most) joined = open(place, prompt);
      const from = joined.answers.push(...answers) - answers.length;
      joined.lengths.push(...answers.map((answer) => readTokens(model, prompt, answer) || 1));
      joined.signals.push(signal);
      const { values, cost } = await joined.reply;
      const to = from + answers.length;
      return { values: values.slice(from, to), cost: shareOf(cost, joined, from, to) };
    },
  };
}
