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
import { countPromptTokens, nanodollars } from "../price.ts";
import type { Prompt } from "../problem.ts";
import type { RewardModel } from "../reader.ts";
import type { Scorer } from "../scorer.ts";

export function reward<S>(model: RewardModel): Scorer<S> {
  const { id, kind, countTokens, price } = model;
  return {
    name: `reward:${id}`,
    kind,
    bound({ state }, { problem, text }) {
      if (!countTokens) return noCost;
      const promptTokens = countPromptTokens(problem.prompt, countTokens) + countTokens(text(state)) + 16; // its template
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
  readonly prompt: Prompt;
  readonly answers: string[];
  readonly signals: AbortSignal[];
  readonly reply: Promise<{ readonly values: readonly number[]; readonly cost: Cost }>;
}

/**
 * Joins what is asked at the same time about one prompt into one call of at most `most` answers; its cost is on the first of
 * them. The call is given up when all who asked have given up. Which answers meet in one call depends on the order of replies,
 * and so does what each of them costs; the values do not, where the model gives the same alone and in a batch.
 */
export function batched(model: RewardModel, { most = 64 }: { most?: number } = {}): RewardModel {
  if (!(Number.isInteger(most) && most >= 1))
    throw new RangeError(`Cannot batch '${model.id}' as 'most' must be a positive integer: current value is ${most}`);
  const waiting = new Map<string, Joined>();

  function open(place: string, prompt: Prompt): Joined {
    const answers: string[] = [];
    const signals: AbortSignal[] = [];
    const reply = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      waiting.delete(place);
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
    const joined = { prompt, answers, signals, reply };
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
      joined.signals.push(signal);
      const { values, cost } = await joined.reply;
      return { values: values.slice(from, from + answers.length), cost: from === 0 ? cost : noCost };
    },
  };
}
