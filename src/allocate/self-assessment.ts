/**
 * Mid-generation self-assessment: draw an answer, ask on the way and at its end whether starting over would do better, and go on,
 * start over or stop by what comes back.
 *
 * - At its end an answer whose score is at least `enough` ends the search; else the next one is drawn, at most `most`.
 * - After the steps in `after`, a partial answer whose score is below `giveUp` is given up, and what it drew so far is all it cost.
 * - Of all finished answers the best score wins. Where every one was given up, the partial answer of the best score is finished.
 *
 * Manvi, Singh & Ermon 2024, arXiv:2410.02725 (adaptive sampling, pruning). Departures: their score is one token of a model
 * trained to predict "no restart will do better" (the probability of a win or a tie); here it is any scorer, on whose scale both
 * thresholds are to be fitted (on other problems than those it is judged on). Their pruning keeps a fixed share of parallel samples,
 * which is `earlyPruning`; a threshold does the same for samples in a row. They anneal the temperature over draws: pass
 * `policyOf`. By a verifier with `enough: 1` this is plain drawing until the first accepted answer.
 *
 * `batch` answers are drawn at once; as soon as one suffices (and those before it have ended) the others are cancelled in flight.
 * What is drawn depends on the scores, so shares of right answers among the draws are biased, and the outcome says so. Pays where
 * the score is calibrated and problems differ in difficulty; by a score that knows nothing it gains nothing over one draw.
 * Cost: at most `most` answers, each with a score at every point of `after` and at its end.
 */
import type { Node } from "../node.ts";
import { checkNumber, checkWhole } from "../options.ts";
import type { Policy } from "../policy.ts";
import { affordable, complete } from "../program.ts";
import type { Scorer } from "../scorer.ts";
import type { BudgetSpent, Outcome, Program, Search } from "../search.ts";
import { extend, first } from "../search.ts";
import { byRank, judge, type Judged } from "./draw.ts";

export interface SelfAssessmentOptions<S> {
  /** A finished answer with this score or more is taken; a verdict counts 1 or 0. */
  readonly enough: number;
  /** Steps after which a partial answer is asked about, ascending. @default none */
  readonly after?: readonly number[];
  /** A partial answer below this is given up. @default −Infinity: none is */
  readonly giveUp?: number;
  /** Answers begun at most. @default 16 */
  readonly most?: number;
  /** Answers drawn at once. @default 1 */
  readonly batch?: number;
  /** Judges partial and whole answers. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** Of the draw, counted from 0: for a temperature that changes over draws. @default the run's */
  readonly policyOf?: (draw: number) => Policy<S>;
}

export interface SelfAssessmentOutcome<S> extends Outcome<S> {
  readonly ended: "enough" | "most" | "budget";
  /** Answers begun; those after the one that sufficed, and were cancelled, are not counted. */
  readonly draws: number;
  /** Of these, given up on the way. */
  readonly givenUp: number;
  /** The draws depended on the scores: no accuracy and no pass@k is to be estimated from them. */
  readonly biased: true;
}

export function selfAssessment<S>({
  enough,
  after = [],
  giveUp = Number.NEGATIVE_INFINITY,
  most = 16,
  batch = 1,
  scorer,
  policyOf,
}: SelfAssessmentOptions<S>): Search<S, SelfAssessmentOutcome<S>> {
  checkNumber("self-assessment", "enough", enough);
  if (giveUp !== Number.NEGATIVE_INFINITY) checkNumber("self-assessment", "giveUp", giveUp);
  for (const [i, steps] of after.entries()) checkWhole("self-assessment", "after", steps, (after[i - 1] ?? 0) + 1);
  checkWhole("self-assessment", "most", most, 1);
  checkWhole("self-assessment", "batch", batch, 1);

  /** An answer with its score, finished or given up; undefined where it failed. */
  function* drawn(root: Node<S>, policy: Policy<S> | undefined): Program<S, Judged<S> | undefined> {
    let node = root;
    for (let steps = 1; ; steps++) {
      const [next] = yield* extend(node, { policy });
      if (!next) return undefined;
      node = next;
      if (node.done) return yield* judge(node, scorer);
      if (!after.includes(steps)) continue;
      const midway = yield* judge(node, scorer);
      if (midway.rank !== undefined && midway.rank < giveUp) return midway;
    }
  }

  return {
    name: "self-assessment",
    options: {
      enough,
      after,
      giveUp: giveUp === Number.NEGATIVE_INFINITY ? null : giveUp,
      most,
      batch,
      scorer: scorer?.name ?? null,
      policyOf: policyOf ? Array.from({ length: most }, (_, draw) => policyOf(draw).name) : null,
    },
    *run(root) {
      const ended: (Judged<S> | undefined)[] = [];
      let spent: BudgetSpent | undefined;
      let sufficed: number | undefined;
      let draws = 0;
      while (draws < most && sufficed === undefined && !spent) {
        const count = Math.min(batch, most - draws);
        const begun = draws;
        const programs = Array.from({ length: count }, function* (_, i): Program<S, number | undefined> {
          const draw = begun + i;
          const one = yield* affordable(drawn(root, policyOf?.(draw)));
          ended[draw] = one.result;
          spent ??= one.spent;
          const { node, rank } = one.result ?? {};
          return node?.done && rank !== undefined && rank >= enough ? draw : undefined;
        });
        [sufficed] = yield* first(1, programs);
        draws += count;
      }
      if (sufficed !== undefined) draws = sufficed + 1; // later ones were cancelled, or might have been
      const all = ended.slice(0, draws).filter((one) => one !== undefined);
      const partial = all.filter(({ node }) => !node.done);
      const finished = all.filter(({ node }) => node.done);
      const [best] = partial.toSorted(byRank);
      if (finished.length === 0 && best) {
        const node = yield* complete(best.node, "sample", policyOf?.(ended.indexOf(best)));
        if (node) finished.push(yield* judge(node, scorer));
      }
      if (finished.length === 0 && spent) throw spent;
      const candidates = finished.sort(byRank).map(({ node }) => node);
      return {
        answer: candidates[0],
        candidates,
        ended: sufficed !== undefined ? "enough" : spent ? "budget" : "most",
        draws,
        givenUp: partial.length,
        biased: true,
      };
    },
  };
}
