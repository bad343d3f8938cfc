/**
 * A reward out of choices: somebody preferred one answer to another; which weights of given features explain that best?
 *
 * Bradley & Terry's model with a linear utility: P(a over b) = 1 / (1 + exp(−(u(a) − u(b)))), u = w·features; fitted by
 * logistic regression on differences of features. It is what reward models of language models are fitted by, there with a
 * network for the features (Stiennon et al. 2020, arXiv:2009.01325, §3.4; Ouyang et al. 2022, arXiv:2203.02155, §3.5). Only
 * differences between answers matter: a feature that all answers to a problem share has no weight, and u has no zero.
 *
 * `l2` keeps weights finite where the choices can be explained without error, and shrinks them where there are few. The scorer
 * knows no more than its features, and a search against it finds what they do not see. Cost of a score: the features alone.
 */
import { logisticRegression } from "../math/logistic.ts";
import type { Problem } from "../problem.ts";
import type { Scorer } from "../scorer.ts";

/** One choice. */
export interface Preference {
  readonly problem: Problem;
  readonly chosen: string;
  readonly rejected: string;
}

export interface PreferenceOptions {
  /** Numbers that describe an answer, as many for every answer; best of comparable size. */
  readonly features: (text: string, problem: Problem) => readonly number[];
  /** Weight of |w|² / 2. @default 1, a standard normal prior on each weight */
  readonly l2?: number;
  /** Names the features in journals. @default "preference" */
  readonly name?: string;
}

export interface LearnedPreference<S> {
  /** u of an answer, as a reward. */
  readonly scorer: Scorer<S>;
  /** [features] */
  readonly weights: readonly number[];
  /** Of the choices it was fitted to, the share whose chosen answer it ranks higher; ties count half. */
  readonly agreement: number;
  /** −log p of a choice, in nats, on average; log 2 is guessing. */
  readonly loss: number;
}

export function learnPreference<S>(
  preferences: readonly Preference[],
  { features, l2 = 1, name = "preference" }: PreferenceOptions,
): LearnedPreference<S> {
  if (preferences.length === 0) throw new RangeError("Cannot learn a preference without choices: give at least one");
  const rows = preferences.map(({ problem, chosen, rejected }) => {
    const [own, other] = [features(chosen, problem), features(rejected, problem)];
    if (own.length !== other.length)
      throw new RangeError(
        `Cannot learn a preference as 'features' must be as many for every answer: current values are ${own.length} and ${other.length}`,
      );
    return own.map((value, i) => value - (other[i] as number));
  });
  const { weights, loss } = logisticRegression(
    rows,
    rows.map(() => 1),
    { l2 },
  );
  const utility = (values: readonly number[]): number =>
    values.length === weights.length
      ? weights.reduce((sum, weight, i) => sum + weight * (values[i] as number), 0)
      : Number.NaN;
  const agreed = rows.map(utility).reduce((sum, margin) => sum + (margin > 0 ? 1 : margin === 0 ? 0.5 : 0), 0);
  return {
    weights,
    agreement: agreed / rows.length,
    loss: loss / rows.length,
    scorer: {
      name: `${name}, learned from ${preferences.length} choices`,
      kind: "reward",
      score: ({ state }, { problem, text }) => ({ kind: "reward", value: utility(features(text(state), problem)) }),
    },
  };
}
