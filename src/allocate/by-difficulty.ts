/**
 * The strategy that suits how hard a question is: more samples in parallel, a longer chain of revisions, a tree, or next to nothing.
 *
 * - `fitByDifficulty`: questions are put into bins by quantiles of an estimate of their difficulty; for each bin the strategy is chosen
 *   that was best for its questions. Snell, Lee, Xu & Kumar 2024, arXiv:2408.03314, §3: five bins by the rate of success
 *   (oracle) or by the mean score of a verifier (predicted); strategies are chosen on one half of the questions and judged on the other.
 *   There every question has the same budget; here the budget is a mean over questions, so that easy ones may leave theirs to hard
 *   ones, which is a multiple-choice knapsack (`math/knapsack.ts`).
 * - `byDifficulty`: a search that draws a few answers to estimate the difficulty, and goes on with the bin's strategy. The cost of the
 *   estimate is in the run like every other.
 *
 * Pays where which strategy is best changes with difficulty, or easy questions are many. Not where one strategy is best in every
 * bin, and not where the estimate costs as much as it saves: `evaluateByDifficulty` on other questions tells.
 */
import { multipleChoiceKnapsack } from "../math/knapsack.ts";
import type { Node } from "../node.ts";
import { checkNumber, checkWhole } from "../options.ts";
import type { Policy } from "../policy.ts";
import { rankOf, type Scorer } from "../scorer.ts";
import { type Outcome, propose, type Search, score } from "../search.ts";
import { drawRound } from "./draw.ts";

/** What every strategy did with one question, on average over its runs. */
export interface DifficultyRecord {
  /** The estimate, on any scale, as it will be made when it counts: a mean score, a share of right answers; more is easier. */
  readonly ease: number;
  /** [strategies] quality in any unit, cost >= 0 with the cost of the estimate in it. */
  readonly outcomes: readonly { readonly quality: number; readonly cost: number }[];
}

export interface StrategyByDifficulty {
  /** [bins − 1] rising; a question belongs to the bin of the number of them that its ease is at least. */
  readonly thresholds: readonly number[];
  /** [bins] place of the strategy, the hardest bin first. */
  readonly strategies: readonly number[];
}

export interface FittedByDifficulty extends StrategyByDifficulty {
  /** Means over the questions it was fitted on: it looks better there than it is. */
  readonly quality: number;
  readonly cost: number;
  /** No choice of a strategy for each of these bins has more quality within the budget. */
  readonly bound: number;
}

/** Undefined where not even the cheapest strategies are within the budget. */
export function fitByDifficulty(
  records: readonly DifficultyRecord[],
  {
    budget,
    bins = 5,
  }: {
    /** Mean cost of a question. */
    readonly budget: number;
    /** @default 5 */
    readonly bins?: number;
  },
): FittedByDifficulty | undefined {
  const strategies = checkRecords(records);
  checkNumber("strategies by difficulty", "budget", budget, { least: 0 });
  checkWhole("strategies by difficulty", "bins", bins, 1, records.length);
  const thresholds = cutsOf(
    records.map(({ ease }) => ease).sort((a, b) => a - b),
    bins,
  );
  const members = Map.groupBy(records, ({ ease }) => binOf(thresholds, ease));
  const choices = Array.from({ length: thresholds.length + 1 }, (_, bin) =>
    Array.from({ length: strategies }, (_, strategy) => {
      const own = (members.get(bin) ?? []).map(
        ({ outcomes }) => outcomes[strategy] as DifficultyRecord["outcomes"][number],
      );
      return {
        cost: own.reduce((sum, { cost }) => sum + cost, 0) / records.length,
        value: own.reduce((sum, { quality }) => sum + quality, 0) / records.length,
      };
    }),
  );
  const packed = multipleChoiceKnapsack(choices, budget);
  if (!packed) return undefined;
  const { chosen, value, cost, bound } = packed;
  return { thresholds, strategies: chosen, quality: value, cost, bound };
}

/** Where one bin ends and the next begins: quantiles; between all levels where there are no more of them than bins. */
function cutsOf(rising: readonly number[], bins: number): number[] {
  const levels = [...new Set(rising)];
  if (levels.length <= bins) return levels.slice(1);
  const cuts = Array.from(
    { length: bins - 1 },
    (_, i) => rising[Math.ceil(((i + 1) * rising.length) / bins)] as number,
  );
  return [...new Set(cuts)].filter((cut) => cut > (rising[0] as number)); // equal estimates share a bin
}

/** Place of the strategy for a question. */
export const strategyFor = ({ thresholds, strategies }: StrategyByDifficulty, ease: number): number =>
  strategies[binOf(thresholds, ease)] as number;

/** Mean quality and cost of a fitted choice on questions that did not choose it. */
export function evaluateByDifficulty(
  records: readonly DifficultyRecord[],
  fitted: StrategyByDifficulty,
): { readonly quality: number; readonly cost: number } {
  checkRecords(records);
  let [quality, cost] = [0, 0];
  for (const { ease, outcomes } of records) {
    const own = outcomes[strategyFor(fitted, ease)] as DifficultyRecord["outcomes"][number];
    quality += own.quality / records.length;
    cost += own.cost / records.length;
  }
  return { quality, cost };
}

const binOf = (thresholds: readonly number[], ease: number): number =>
  thresholds.filter((threshold) => ease >= threshold).length;

function checkRecords(records: readonly DifficultyRecord[]): number {
  const strategies = records[0]?.outcomes.length ?? 0;
  if (strategies === 0 || !records.every(({ outcomes }) => outcomes.length === strategies))
    throw new RangeError(
      "Cannot choose strategies as every record must have an outcome for each of them, at least one",
    );
  for (const { ease } of records) checkNumber("strategies by difficulty", "ease", ease);
  return strategies;
}

export interface ByDifficultyOptions<S> {
  /** Judges the answers of the estimate; the mean of their ranks is the ease. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** Answers drawn for the estimate. @default 4 */
  readonly probe?: number;
  /** [bins − 1], rising. */
  readonly thresholds: readonly number[];
  /** [bins] the hardest first. `null` is the best of the estimate's own answers, which costs nothing more. */
  readonly strategies: readonly (Search<S> | null)[];
  /** Of the estimate. @default the run's policy */
  readonly policy?: Policy<S>;
}

export interface ByDifficultyOutcome<S> extends Outcome<S> {
  /** Undefined where no answer of the estimate has a score: the hardest bin's strategy is used then. */
  readonly ease: number | undefined;
  readonly bin: number;
}

/** Below whatever a strategy may propose; its half for an answer with a score, its quarter for the best of them. */
const worst = -Number.MAX_VALUE;

/** Until the strategy proposes an answer of its own, and where it finds none, the answer is the best of the estimate. */
export function byDifficulty<S>({
  scorer,
  probe = 4,
  thresholds,
  strategies,
  policy,
}: ByDifficultyOptions<S>): Search<S, ByDifficultyOutcome<S>> {
  checkWhole("a strategy by difficulty", "probe", probe, 1);
  if (
    strategies.length !== thresholds.length + 1 ||
    thresholds.some((one, i) => !(one > (thresholds[i - 1] ?? -Infinity)))
  )
    throw new RangeError(
      `Cannot choose strategies by difficulty as 'thresholds' must rise and be one fewer than 'strategies': ${thresholds.length} and ${strategies.length}`,
    );
  return {
    name: "by-difficulty",
    options: {
      scorer: scorer?.name ?? null,
      probe,
      thresholds,
      strategies: strategies.map((one) => one && { name: one.name, options: one.options }),
      policy: policy?.name ?? null,
    },
    *run(root, tools) {
      const { drawn, spent } = yield* drawRound(root, probe, policy, function* (node: Node<S>) {
        yield* propose(node, worst);
        const [given] = yield* score([node], { by: scorer });
        if (given) yield* propose(node, worst / 2);
        return { node, rank: given && rankOf(given) };
      });
      if (drawn.length === 0 && spent) throw spent;
      const ranked = drawn.flatMap(({ node, rank }) => (rank === undefined ? [] : [{ node, rank }]));
      const best = ranked.reduce<(typeof ranked)[number] | undefined>(
        (found, one) => (found && found.rank >= one.rank ? found : one),
        undefined,
      );
      const ease = best && ranked.reduce((sum, { rank }) => sum + rank, 0) / ranked.length;
      const bin = ease === undefined ? 0 : binOf(thresholds, ease);
      const probed = { answer: best?.node ?? drawn[0]?.node, candidates: drawn.map(({ node }) => node), ease, bin };
      if (probed.answer) yield* propose(probed.answer, worst / 4);
      const strategy = strategies[bin];
      if (!strategy) return probed;
      const outcome = yield* strategy.run(root, tools);
      const isUnjudged = "unscored" in outcome; // its budget ended before its scorer could say anything
      return outcome.answer && !(isUnjudged && best) ? { ...outcome, ease, bin } : probed;
    },
  };
}
