/**
 * Many questions under one budget: samples go where one more gains most.
 *
 * - `shareSamples`: from a curve of expected quality against samples for each question, how many each gets. Damani et al. 2024,
 *   arXiv:2410.04707, §3: the sum of expected qualities is maximised under a total budget, greedily by marginal gain, which is optimal
 *   where gains fall and samples cost the same. Costs may differ here (see `math/knapsack.ts` for what is then promised).
 * - `successCurve`, `betaSuccessCurve`: the curve of best-of-n with an exact verifier, 1 − (1 − p)^k, for a known rate of success and for
 *   one that is believed to be Beta(a, b). The paper learns curves from features of the question; a few draws, whose cost counts, or
 *   the questions' level give them too.
 * - `nextQuestion`: the same one sample at a time, each answer checked before the next is drawn. A question that is solved gains
 *   nothing more; of the others the one with the highest predictive probability per cost is next. As that probability only falls with
 *   every failure, going by the next draw alone is optimal where samples cost the same (deteriorating bandits).
 *
 * Pays where questions differ in difficulty and the verifier is exact. With a scorer that errs, the questions that get most samples
 * are those where it errs most: use curves that were measured with that scorer.
 */
import { multipleChoiceKnapsack, type Packed } from "../math/knapsack.ts";
import { checkNumber, checkWhole } from "../options.ts";

export interface SharedBudget {
  /** [questions] samples. */
  readonly samples: readonly number[];
  /** Expected quality, the sum over the questions. */
  readonly quality: number;
  readonly cost: number;
  /** No other split has an expected quality above this. */
  readonly bound: number;
}

export interface ShareOptions {
  /** Of all questions together, in the unit of the costs. */
  readonly budget: number;
  /** [questions] of one sample. @default 1 each */
  readonly costs?: readonly number[];
}

/** `curves` [questions][samples]: expected quality with 0, 1, 2, … samples. Ties: the earlier question. */
export function shareSamples(
  curves: readonly (readonly number[])[],
  { budget, costs = curves.map(() => 1) }: ShareOptions,
): SharedBudget {
  checkNumber("a shared budget", "budget", budget, { least: 0 });
  if (costs.length !== curves.length || !costs.every((cost) => cost > 0 && cost < Infinity))
    throw new RangeError(
      `Cannot share a budget as 'costs' must be positive, one for each question: there are ${costs.length} for ${curves.length}`,
    );
  if (curves.some(({ length }) => length === 0))
    throw new RangeError("Cannot share a budget as a curve is empty: it begins with the quality of no sample");
  const groups = curves.map((curve, question) =>
    curve.map((value, samples) => ({ cost: samples * (costs[question] as number), value })),
  );
  const { chosen, value, cost, bound } = multipleChoiceKnapsack(groups, budget) as Packed; // no samples cost nothing
  return { samples: chosen, quality: value, cost, bound };
}

/** [most + 1] probabilities that one of k samples is right, if each is with probability p. */
export function successCurve(p: number, most: number): number[] {
  checkNumber("a curve of success", "p", p, { least: 0, most: 1 });
  checkWhole("a curve of success", "most", most, 0);
  return Array.from({ length: most + 1 }, (_, k) => 1 - (1 - p) ** k);
}

/** What is believed of a question's rate of success: Beta(a, b), a and b positive. */
export interface BetaBelief {
  readonly a: number;
  readonly b: number;
}

/** The same where p is Beta(a, b): 1 − Π over j < k of (b + j) / (a + b + j). After s right of n, a grows by s and b by n − s. */
export function betaSuccessCurve({ a, b }: BetaBelief, most: number): number[] {
  checkBelief({ a, b });
  checkWhole("a curve of success", "most", most, 0);
  const curve = [0];
  for (let k = 0, fails = 1; k < most; k++) {
    fails *= (b + k) / (a + b + k);
    curve.push(1 - fails);
  }
  return curve;
}

export interface AskedQuestion {
  readonly solved: boolean;
  readonly failures: number;
  /** Of one sample. @default 1 */
  readonly cost?: number;
  /** Before any draw; out of a level, or of features. @default the prior of all */
  readonly belief?: BetaBelief;
}

/** Place of the question to draw for next; undefined when all are solved. Ties: the earlier. `prior` @default Beta(½, ½), Jeffreys' */
export function nextQuestion(
  questions: readonly AskedQuestion[],
  { prior = { a: 0.5, b: 0.5 } }: { readonly prior?: BetaBelief } = {},
): number | undefined {
  let best: number | undefined;
  let most = 0;
  for (const [place, { solved, failures, cost = 1, belief = prior }] of questions.entries()) {
    checkBelief(belief);
    checkNumber("the next question", "cost", cost, { above: 0 });
    if (solved) continue;
    const gain = belief.a / (belief.a + belief.b + failures) / cost;
    if (gain > most) [best, most] = [place, gain];
  }
  return best;
}

function checkBelief({ a, b }: BetaBelief): void {
  checkNumber("a belief in a rate of success", "a", a, { above: 0 });
  checkNumber("a belief in a rate of success", "b", b, { above: 0 });
}
