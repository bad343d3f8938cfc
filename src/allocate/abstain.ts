/**
 * Whether to answer: a threshold on a confidence, by what being wrong costs, or by a risk that must not be exceeded.
 *
 * The risk of answering at threshold t is P(wrong | confidence ≥ t); its curve over t is `riskCoverage` of `ponderosa/measure`.
 *
 * - `answerThreshold`: by utilities. Answering pays where p·right + (1 − p)·wrong ≥ silent, so from p = (silent − wrong) / (right − wrong)
 *   on; with right 1, silent 0 and a loss c for a wrong answer that is c / (1 + c). Exact where the confidence is calibrated
 *   (`calibrate.ts`). Jurayj, Cheng & Van Durme 2025, arXiv:2502.13962, report three: losses 0 (exam odds), 1 (Jeopardy odds) and 20
 *   (high-stakes odds): thresholds 0, 1/2 and 20/21.
 * - `riskThreshold`: by data, with a guarantee, calibrated or not. For each threshold of a list fixed beforehand the hypothesis
 *   "its risk is more than r" is tested by the exact binomial tail, given how many are answered; of those refuted the lowest, which
 *   answers most. With probability at least 1 − δ over the data no refuted one has a risk above r. Learn then test: Angelopoulos,
 *   Bates, Candès, Jordan & Lei 2021, arXiv:2110.01052; the binomial bound for selective classification: Geifman & El-Yaniv 2017,
 *   arXiv:1705.08500, who search the thresholds by bisection where this tests a fixed list.
 *
 * Needs right and wrong answers of the problems that will come (independent draws of the same law), never those that chose the
 * confidence or fitted its map. With few of them it answers nothing, rather than promise.
 */
import { regularisedBeta } from "../math/special.ts";
import { betaQuantile } from "../math/beta.ts";
import type { Outcome, Search } from "../search.ts";
import { checkBetween, checkPairs, checkWhole } from "../options.ts";

/** Utilities; `right` must be more than `wrong`. */
export interface Stakes {
  /** @default 1 */
  readonly right?: number;
  readonly wrong: number;
  /** Of not answering. @default 0 */
  readonly silent?: number;
}

/** From this probability on answering pays; 0: always; more than 1: never. */
export function answerThreshold({ right = 1, wrong, silent = 0 }: Stakes): number {
  if (!(right > wrong && Number.isFinite(right - wrong) && Number.isFinite(silent)))
    throw new RangeError(
      `Cannot give a threshold as 'right' must be more than 'wrong' and all finite: current values are ${right}, ${wrong} and ${silent}`,
    );
  return Math.max((silent - wrong) / (right - wrong), 0);
}

export interface Answered {
  /** Mean over all items, those not answered included. */
  readonly utility: number;
  /** The share of items that are answered. */
  readonly coverage: number;
  /** The share of wrong ones among these; undefined where none is. */
  readonly risk: number | undefined;
}

/** What answering from a threshold on would have brought on recorded items. */
export function utilityAt(
  confidences: readonly number[],
  correct: readonly boolean[],
  threshold: number,
  { right = 1, wrong, silent = 0 }: Stakes,
): Answered {
  checkPairs("utilities", "confidences", confidences, correct);
  const given = correct.filter((_, i) => (confidences[i] as number) >= threshold);
  const errors = given.filter((one) => !one).length;
  const total = (given.length - errors) * right + errors * wrong + (correct.length - given.length) * silent;
  return {
    utility: total / correct.length,
    coverage: given.length / correct.length,
    risk: given.length > 0 ? errors / given.length : undefined,
  };
}

export interface RiskOptions {
  /** Share of wrong answers among those given that must not be exceeded; in (0, 1). */
  readonly risk: number;
  /** Probability that the promise is broken; in (0, 1). @default 0.05 */
  readonly delta?: number;
  /** Fixed before the data were seen. @default 0, 0.02, …, 1 */
  readonly thresholds?: readonly number[];
  /**
   * `bonferroni`: each at δ / their number. `fixed-sequence`: from each of `starts` places downwards at δ / starts until one is not
   * refuted, which finds more where risk falls with confidence.
   * @default "fixed-sequence"
   */
  readonly testing?: "bonferroni" | "fixed-sequence";
  /** Evenly spaced over the thresholds, as the highest of them may have too few items to show anything. @default 10 */
  readonly starts?: number;
}

export interface RiskThreshold {
  /** Answer where the confidence is at least this; undefined where no threshold could be shown to keep the risk. */
  readonly threshold: number | undefined;
  /** On the data: the share answered, and the share of wrong ones among these. */
  readonly coverage: number;
  readonly risk: number | undefined;
}

const evenThresholds: readonly number[] = Array.from({ length: 51 }, (_, i) => i / 50);

export function riskThreshold(
  confidences: readonly number[],
  correct: readonly boolean[],
  { risk, delta = 0.05, thresholds = evenThresholds, testing = "fixed-sequence", starts = 10 }: RiskOptions,
): RiskThreshold {
  checkPairs("a risk threshold", "confidences", confidences, correct);
  checkBetween("a risk threshold", "risk", risk, [0, 1], { open: true });
  checkBetween("a risk threshold", "delta", delta, [0, 1], { open: true });
  checkWhole("a risk threshold", "starts", starts, 1);
  const falling = [...new Set(thresholds)].sort((a, b) => b - a);
  const refuted = (threshold: number, level: number): boolean => {
    const { answered, wrong } = countAt(confidences, correct, threshold);
    return answered > 0 && binomialTail(wrong, answered, risk) <= level;
  };
  const found =
    testing === "bonferroni"
      ? falling.filter((threshold) => refuted(threshold, delta / falling.length))
      : Array.from({ length: starts }, (_, start) => {
          const from = falling.slice(Math.floor((start * falling.length) / starts));
          const end = from.findIndex((threshold) => !refuted(threshold, delta / starts));
          return end < 0 ? from : from.slice(0, end);
        }).flat();
  if (found.length === 0) return { threshold: undefined, coverage: 0, risk: undefined };
  const threshold = Math.min(...found);
  const { answered, wrong } = countAt(confidences, correct, threshold);
  return { threshold, coverage: answered / correct.length, risk: wrong / answered };
}

/**
 * The risk at a threshold that was fixed before these data were seen is at most this, with probability at least 1 − δ:
 * Clopper & Pearson's upper bound. 1 where nothing is answered.
 */
export function riskAtMost(
  confidences: readonly number[],
  correct: readonly boolean[],
  threshold: number,
  { delta = 0.05 }: Pick<RiskOptions, "delta"> = {},
): number {
  checkPairs("a bound on risk", "confidences", confidences, correct);
  checkBetween("a bound on risk", "delta", delta, [0, 1], { open: true });
  const { answered, wrong } = countAt(confidences, correct, threshold);
  return wrong === answered ? 1 : betaQuantile(1 - delta, wrong + 1, answered - wrong);
}

function countAt(confidences: readonly number[], correct: readonly boolean[], threshold: number) {
  let [answered, wrong] = [0, 0];
  for (let i = 0; i < confidences.length; i++) {
    if (!((confidences[i] as number) >= threshold)) continue;
    answered++;
    if (!correct[i]) wrong++;
  }
  return { answered, wrong };
}

/** P(N ≤ k) of N ~ Binomial(n, p). */
export const binomialTail = (k: number, n: number, p: number): number =>
  k >= n ? 1 : k < 0 ? 0 : regularisedBeta(1 - p, n - k, k + 1);

export type AbstainingOutcome<S, O extends Outcome<S>> = O & {
  /** The confidence is below the threshold, or there is none: the answer should not be given. */
  readonly abstained: boolean;
};

/** Any search that gives a confidence, and whether its answer should be given. The answer stays there to be looked at. */
export function abstaining<S, O extends Outcome<S>>(
  search: Search<S, O>,
  threshold: number,
): Search<S, AbstainingOutcome<S, O>> {
  if (!Number.isFinite(threshold))
    throw new RangeError(`Cannot abstain as 'threshold' must be a finite number: current value is ${threshold}`);
  return {
    name: `abstaining ${search.name}`,
    options: { threshold, search: search.options },
    *run(root, tools) {
      const outcome = yield* search.run(root, tools);
      return { ...outcome, abstained: !((outcome.confidence ?? Number.NaN) >= threshold) };
    },
  };
}
