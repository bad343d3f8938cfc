/**
 * Which of several models or methods is the best one, found while they answer: questions go to the two between which it is still open.
 *
 * LUCB, Kalyanakrishnan, Tewari, Auer & Stone 2012, "PAC Subset Selection in Stochastic Multi-armed Bandits", ICML, for one arm: each
 * round asks the arm with the best mean and, of the others, the one that might be best (the highest upper bound), and ends when that
 * one's upper bound is at most `tolerance` above the lower bound of the first. Their bounds pay for every round anew; here they hold at
 * all times at once, which takes a fraction of the answers: all means m that a mixture of coins does not outbid,
 * B(½ + S, ½ + F) / B(½, ½) < m^S (1 − m)^F K / δ, S and F the sums of the scores and of 1 − score of an arm, K arms. Robbins 1970, Annals of
 * Mathematical Statistics 41(5); Howard et al. 2021, arXiv:1810.08240.
 *
 * The arm that is named is within `tolerance` of the best with probability at least 1 − δ: at the true mean that ratio is a nonnegative
 * supermartingale of mean at most 1 (scores in [0, 1], independent), so it ever reaches K/δ with probability at most δ/K (Ville 1939). While
 * it does so for no arm, no bound is wrong, and a named arm's lower bound is no more than the tolerance below every other's upper bound.
 * Questions must come in random order. With a tolerance of 0 and two equally good arms it never ends: end by a budget, `leader` is
 * there at any time.
 *
 * Arms far behind are asked little, so it takes fewer answers than as many of each. Where every question can be put to all arms at no cost
 * (recorded answers), or all of them are to be ranked, `activeRanking` of `ponderosa/measure` compares them question by question and decides
 * sooner. Not where the answer depends on the question: that is routing.
 */
import type { Interval } from "../math/intervals.ts";
import { logBeta } from "../math/special.ts";
import { checkBetween, checkWhole } from "../options.ts";

export interface BestArmOptions {
  /** Probability of naming a wrong one; in (0, 1). @default 0.05 */
  readonly delta?: number;
  /** How much worse than the best the named one may be; in [0, 1]. @default 0 */
  readonly tolerance?: number;
}

export interface BestArm {
  /** The arms that the next questions are for: all of them at first, then two; none when the best is known. */
  readonly next: readonly number[];
  /** Undefined until it is known. */
  readonly best: number | undefined;
  /** The arm with the best mean so far; ties: the first. */
  readonly leader: number;
  /** [arms] with how many answers; means are NaN without any. The mean of an arm that was asked until it looked best is too high. */
  readonly answers: readonly number[];
  readonly means: readonly number[];
  /** Scores of all of `next`, in that order, in [0, 1]; a new round begins. */
  tell(scores: readonly number[]): void;
}

export function bestArm(arms: number, { delta = 0.05, tolerance = 0 }: BestArmOptions = {}): BestArm {
  checkWhole("best-arm identification", "arms", arms, 1, 1000);
  checkBetween("best-arm identification", "delta", delta, [0, 1], { open: true });
  checkBetween("best-arm identification", "tolerance", tolerance, [0, 1]);
  const answers: number[] = Array(arms).fill(0);
  const sums: number[] = Array(arms).fill(0);
  const bounds: Interval[] = answers.map(() => ({ low: 0, high: 1 }));
  const meanOf = (arm: number): number => (sums[arm] as number) / (answers[arm] as number);
  const all = answers.map((_, arm) => arm);
  const bestBy = (candidates: readonly number[], value: (arm: number) => number): number =>
    candidates.reduce((best, arm) => (value(arm) > value(best) ? arm : best));
  let best = arms === 1 ? 0 : undefined;
  let next: readonly number[] = best === undefined ? all : [];

  return {
    get next() {
      return next;
    },
    get best() {
      return best;
    },
    get leader() {
      return bestBy(all, (arm) => (answers[arm] ? meanOf(arm) : -1));
    },
    answers,
    get means() {
      return all.map(meanOf);
    },
    tell(scores) {
      if (scores.length !== next.length || !scores.every((score) => score >= 0 && score <= 1))
        throw new RangeError(
          `Cannot go on as there must be a score in [0, 1] for each of the arms ${next.join(", ")}: current value is [${scores.join(", ")}]`,
        );
      if (best !== undefined) return;
      for (const [i, arm] of next.entries()) {
        answers[arm] = (answers[arm] as number) + 1;
        sums[arm] = (sums[arm] as number) + (scores[i] as number);
        bounds[arm] = boundsOf(sums[arm] as number, answers[arm] as number, Math.log(arms / delta));
      }
      const leader = bestBy(all, meanOf);
      const rival = bestBy(
        all.filter((arm) => arm !== leader),
        (arm) => (bounds[arm] as Interval).high,
      );
      if ((bounds[rival] as Interval).high - (bounds[leader] as Interval).low <= tolerance) {
        best = leader;
        next = [];
      } else next = [leader, rival];
    },
  };
}

/** All means that the mixture outbids by less than e^`most`. */
function boundsOf(sum: number, count: number, most: number): Interval {
  const mean = sum / count;
  const mixture = logBeta(0.5 + sum, 0.5 + count - sum) - logBeta(0.5, 0.5);
  const atMean = count * (times(mean, mean) + times(1 - mean, 1 - mean)); // the likelihood at its highest
  const reach = (most + atMean - mixture) / count;
  return { low: 1 - furthest(1 - mean, reach), high: furthest(mean, reach) };
}

/** The highest m >= `mean` whose Kullback-Leibler divergence from it is at most `reach`: by bisection, rounded upwards. */
function furthest(mean: number, reach: number): number {
  let [low, high] = [mean, 1];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    const divergence = times(mean, mean / middle) + times(1 - mean, (1 - mean) / (1 - middle));
    if (divergence > reach) high = middle;
    else low = middle;
  }
  return high;
}

/** p log x; 0 times anything is 0. */
const times = (p: number, x: number): number => (p <= 0 ? 0 : p * Math.log(x));
