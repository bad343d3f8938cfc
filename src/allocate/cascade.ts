/**
 * Cascades: ask the cheap model first, and the next one only where a scorer does not trust its answer.
 *
 * - `fitCascade`: which stages to use and from which score on to accept, learned from problems that all stages have answered: the
 *   most accurate cascade whose mean cost on them is within the budget, exactly. Depth first over stages and thresholds; what already
 *   costs too much or cannot become better than the best is left out. Ties: the cheaper, then the one found first.
 *   Cost: at most items^(stages − 1) thresholds, times items; `levels` limits it to that many quantiles a stage, and is not exact.
 * - `evaluateCascade`: what a cascade does on other problems, with a bound on its expected cost.
 * - `cascade`: a search that runs one.
 *
 * Chen, Zaharia & Zou 2023, arXiv:2305.05176 (FrugalGPT), the LLM cascade: a list of models and thresholds chosen under a constraint on
 * the average cost, a learned scorer that says whether to accept. The order of the stages is given here, its subsets are tried; they
 * solve the mixed-integer problem by a heuristic. Their other two strategies are apart: shorter prompts are stages of their own, and
 * questions in one prompt are `batchPrompting`; the answer cache is the ledger (`ledger.ts`), of equal requests only.
 *
 * Pays where models differ much in price, the cheap one is right often, and the scorer knows when. With a scorer that knows nothing a
 * cascade is no better than choosing the model by chance at the same cost. On the data that chose it a cascade looks better than it
 * is; trust figures of other data.
 */
import type { Node } from "../node.ts";
import type { Policy } from "../policy.ts";
import { rankOf, type Scorer } from "../scorer.ts";
import type { Outcome, Search } from "../search.ts";
import { BudgetSpent, propose, score } from "../search.ts";
import { checkBetween, checkWhole } from "../options.ts";
import { complete } from "../program.ts";

/** What one stage did on one problem. */
export interface StageRecord {
  /** What is compared with the threshold. */
  readonly score: number;
  readonly right: boolean;
  /** Of the answer and its score; in any unit, >= 0. */
  readonly cost: number;
}

export interface CascadeStep {
  /** Place in the list of stages. */
  readonly stage: number;
  /** Accept from this score on; the last step accepts whatever it gets: −Infinity. */
  readonly threshold: number;
}

export interface FittedCascade {
  readonly steps: readonly CascadeStep[];
  /** On the data that chose it. */
  readonly accuracy: number;
  readonly cost: number;
}

export interface FitOptions {
  /** Most cost a problem on average; in the unit of the records. */
  readonly budget: number;
  /** Thresholds tried at each stage. @default all, which is exact */
  readonly levels?: number;
}

/** `records` [problems][stages]. Undefined where not even the cheapest stage is within the budget. */
export function fitCascade(
  records: readonly (readonly StageRecord[])[],
  { budget, levels = Number.POSITIVE_INFINITY }: FitOptions,
): FittedCascade | undefined {
  const stages = checkRecords(records);
  if (!(budget >= 0)) throw new RangeError(`Cannot fit a cascade as 'budget' must be >= 0: current value is ${budget}`);
  if (levels !== Number.POSITIVE_INFINITY) checkWhole("fitting a cascade", "levels", levels, 1);
  const at = (problem: number, stage: number) => (records[problem] as readonly StageRecord[])[stage] as StageRecord;
  const most = budget * records.length * (1 + 1e-12); // sums of costs round
  let best: { steps: readonly CascadeStep[]; right: number; cost: number } | undefined;

  /** `problems` come to `stage`; `right` and `cost` are of what was before. */
  function descend(
    problems: readonly number[],
    stage: number,
    steps: readonly CascadeStep[],
    right: number,
    spent: number,
  ) {
    let cost = spent;
    let gained = 0;
    let reachable = right;
    for (const problem of problems) {
      const { cost: own, right: isRight } = at(problem, stage);
      cost += own;
      gained += Number(isRight);
      for (let later = stage; later < stages; later++)
        if (at(problem, later).right) {
          reachable++;
          break;
        }
    }
    if (cost > most || (best && reachable < best.right)) return;
    const whole = right + gained;
    if (!best || whole > best.right || (whole === best.right && cost < best.cost))
      best = { steps: [...steps, { stage, threshold: Number.NEGATIVE_INFINITY }], right: whole, cost };
    if (stage === stages - 1) return;
    const falling = [...problems].sort((a, b) => at(b, stage).score - at(a, stage).score);
    const ends: number[] = []; // accept so many, never in the middle of equal scores
    for (let end = 1; end < falling.length; end++)
      if (at(falling[end - 1] as number, stage).score > at(falling[end] as number, stage).score) ends.push(end);
    const tried =
      ends.length <= levels
        ? ends
        : Array.from({ length: levels }, (_, i) => ends[Math.floor((i * ends.length) / levels)] as number);
    for (const end of tried) {
      const accepted = falling.slice(0, end);
      const rest = falling.slice(end);
      const kept = right + accepted.filter((problem) => at(problem, stage).right).length;
      const step = { stage, threshold: at(falling[end - 1] as number, stage).score };
      for (let next = stage + 1; next < stages; next++) descend(rest, next, [...steps, step], kept, cost);
    }
  }

  const everyone = records.map((_, problem) => problem);
  for (let stage = 0; stage < stages; stage++) descend(everyone, stage, [], 0, 0);
  return best && { steps: best.steps, accuracy: best.right / records.length, cost: best.cost / records.length };
}

export interface EvaluateOptions {
  /** The most that one problem can cost when it goes through all steps; there is no bound without it. */
  readonly worst?: number;
  /** Probability that the bound does not hold; in (0, 1). @default 0.05 */
  readonly delta?: number;
}

export interface CascadeFigures {
  readonly accuracy: number;
  readonly cost: number;
  /**
   * The expected cost is at most this with probability 1 − δ, where these problems did not choose the cascade: the mean plus
   * worst·√(log(1/δ) / 2n). Hoeffding 1963, JASA 58, 13.
   */
  readonly costAtMost?: number;
  /** [steps] the share of problems that came to each. */
  readonly reached: readonly number[];
}

export function evaluateCascade(
  records: readonly (readonly StageRecord[])[],
  steps: readonly CascadeStep[],
  { worst, delta = 0.05 }: EvaluateOptions = {},
): CascadeFigures {
  checkRecords(records);
  checkBetween("the bound of a cascade", "delta", delta, [0, 1], { open: true });
  const reached = steps.map(() => 0);
  let [right, cost] = [0, 0];
  for (const record of records)
    for (const [i, { stage, threshold }] of steps.entries()) {
      const found = record[stage];
      if (!found) throw new RangeError(`Cannot evaluate a cascade as a problem has no stage ${stage}`);
      (reached as number[])[i] = (reached[i] as number) + 1;
      cost += found.cost;
      if (found.score < threshold && i < steps.length - 1) continue;
      right += Number(found.right);
      break;
    }
  const n = records.length;
  return {
    accuracy: right / n,
    cost: cost / n,
    ...(worst !== undefined && { costAtMost: cost / n + worst * Math.sqrt(-Math.log(delta) / (2 * n)) }),
    reached: reached.map((count) => count / n),
  };
}

/** @throws RangeError; else the number of stages */
function checkRecords(records: readonly (readonly StageRecord[])[]): number {
  const stages = records[0]?.length ?? 0;
  const fine = ({ score: one, cost }: StageRecord) => Number.isFinite(one) && cost >= 0 && cost < Infinity;
  if (stages === 0 || !records.every((record) => record.length === stages && record.every(fine)))
    throw new RangeError(
      "Cannot use the records of a cascade as each problem must have as many stages, with finite scores and costs >= 0",
    );
  return stages;
}

export interface CascadeStage<S> {
  /** @default the run's policy */
  readonly policy?: Policy<S>;
  /** Judges its answer; not asked at the last stage. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** Accepts from this score on; a verdict counts 1 or 0. The last stage needs none. */
  readonly accept?: number;
}

export interface CascadeOutcome<S> extends Outcome<S> {
  /** The stage that gave the answer; undefined where there is none. */
  readonly stage: number | undefined;
  /** False where no stage accepted and the last gave nothing: the answer is then the last that was refused. */
  readonly accepted: boolean;
}

/** Stages in order; a failed or unscored answer goes on to the next. All policies must grow states of the run's own. */
export function cascade<S>({ stages }: { readonly stages: readonly CascadeStage<S>[] }): Search<S, CascadeOutcome<S>> {
  if (stages.length === 0) throw new RangeError("Cannot run a cascade as 'stages' must not be empty");
  for (const [i, { accept }] of stages.entries())
    if (i < stages.length - 1 && !Number.isFinite(accept))
      throw new RangeError(
        `Cannot run a cascade as 'accept' of every stage but the last must be a finite number: that of stage ${i} is ${accept}`,
      );
  return {
    name: "cascade",
    options: {
      stages: stages.map(({ policy, scorer, accept = null }) => [policy?.name ?? null, scorer?.name ?? null, accept]),
    },
    *run(root) {
      const drawn: { node: Node<S>; stage: number }[] = [];
      let accepted = false;
      try {
        for (const [stage, { policy, scorer, accept = 0 }] of stages.entries()) {
          const node = yield* complete(root, "sample", policy);
          if (!node) continue;
          drawn.unshift({ node, stage });
          yield* propose(node, stage); // a later stage knows better
          if (stage < stages.length - 1) {
            const [judged] = yield* score([node], { by: scorer });
            if (!judged || rankOf(judged) < accept) continue;
          }
          accepted = true;
          break;
        }
      } catch (error) {
        if (!(error instanceof BudgetSpent) || drawn.length === 0) throw error;
      }
      const [chosen] = drawn;
      return { answer: chosen?.node, candidates: drawn.map(({ node }) => node), stage: chosen?.stage, accepted };
    },
  };
}
