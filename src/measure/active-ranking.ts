/**
 * Ranks methods with few evaluations: each next problem is given only to the methods whose place is still open.
 *
 * For every ordered pair a gambler bets that the first is better: stakes c of what may be lost, on each problem that both answered,
 * multiply the wealth by 1 + c d, d the difference of the scores in units of their bounds. While the first is not better the wealth
 * is a supermartingale, whatever was chosen to be evaluated before, so it reaches K (K − 1)/(1 − level) at any time with probability
 * at most (1 − level)/(K (K − 1)) (Ville 1939); when the mean over the stakes does, the pair is decided, and what follows from
 * decided pairs is too. So at every moment all decisions together are right with probability at least `level`, and one may stop
 * at any. Equal methods stay open: end by a budget.
 *
 * The question is that of Saad, Verzelen & Carpentier 2023, "Active Ranking of Experts Based on their Performances in Many Tasks",
 * arXiv:2306.02628. Here methods are eliminated on problems in random order; their choice of the problems that tell most, and their
 * bounds, are left out. Bets as in Waudby-Smith & Ramdas 2020, arXiv:2010.09686, with fixed stakes that are mixed.
 */
import { checkLevel, type Interval, type LevelOptions } from "../math/intervals.ts";
import { logSumExp } from "../math/log-space.ts";
import { checkCount } from "./estimate.ts";

export interface ActiveRankingOptions extends LevelOptions {
  /** Bounds of every score. @default { low: 0, high: 1 } */
  readonly within?: Interval;
}

export interface ActiveRanking {
  /** The methods that the next problem is for; none when the order is known. */
  readonly open: readonly number[];
  /** [methods] What is known of each rank, 1 is best; all of it at once holds with probability `level`. */
  readonly ranks: readonly Interval[];
  /** [methods] Scores on one more problem; undefined where a method was not evaluated. Problems come in random order. */
  tell(scores: readonly (number | undefined)[]): void;
}

const stakes: readonly number[] = [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9];

export function activeRanking(
  methods: number,
  { level = 0.95, within = { low: 0, high: 1 } }: ActiveRankingOptions = {},
): ActiveRanking {
  checkCount("an active ranking", "methods", methods, 1, 1000);
  checkLevel(level);
  const most = Math.log((methods * (methods - 1)) / (1 - level)) + Math.log(stakes.length);
  const logWealth = Array.from({ length: methods ** 2 }, () => new Float64Array(stakes.length)); // [first][second]
  const better = new Uint8Array(methods ** 2);
  const all = Array.from({ length: methods }, (_, i) => i);
  const isOpen = (i: number, j: number): boolean => i !== j && !better[i * methods + j] && !better[j * methods + i];
  const decide = (first: number, second: number): void => {
    const above = all.filter((i) => i === first || better[i * methods + first]);
    const below = all.filter((i) => i === second || better[second * methods + i]);
    for (const i of above) for (const j of below) better[i * methods + j] = 1;
  };
  return {
    get open() {
      return all.filter((i) => all.some((j) => isOpen(i, j)));
    },
    get ranks() {
      return all.map((i) => ({
        low: 1 + all.filter((j) => better[j * methods + i]).length,
        high: methods - all.filter((j) => better[i * methods + j]).length,
      }));
    },
    tell(scores) {
      for (const score of scores)
        if (score !== undefined && !(score >= within.low && score <= within.high))
          throw new RangeError(
            `Cannot rank as scores must lie in [${within.low}, ${within.high}]: current value is ${score}`,
          );
      const won: [number, number][] = [];
      for (const i of all)
        for (const j of all) {
          const [mine, theirs] = [scores[i], scores[j]];
          if (mine === undefined || theirs === undefined || !isOpen(i, j)) continue;
          const wealth = logWealth[i * methods + j] as Float64Array;
          const difference = (mine - theirs) / (within.high - within.low);
          for (const [c, stake] of stakes.entries()) wealth[c] = (wealth[c] as number) + Math.log1p(stake * difference);
          if (logSumExp(wealth) >= most) won.push([i, j]);
        }
      for (const [i, j] of won) if (isOpen(i, j)) decide(i, j);
    },
  };
}
