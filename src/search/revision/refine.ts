/**
 * Sequential refinement: answer, get feedback, revise the answer in its light, and so on; the best of all rounds is kept.
 *
 * The feedback is what the scorer says (a verifier's `evidence`), or a critique that the model writes of its own answer, or
 * both: Self-Refine, Madaan et al. 2023, arXiv:2303.17651, algorithm 1, is `refine({ scorer: null, critique, revise })`.
 * Several chains side by side, the best answer over all of them: Snell et al. 2024, arXiv:2408.03314, §6, who trade the
 * length of chains against their number at one total. They train a model to revise; here `revise` is any policy.
 *
 * A chain revises its latest answer, better or worse. All chains stop after the round in which an answer was accepted: a
 * verdict that says correct, or a score of at least `enough`. A revision hangs below the answer that it revises. A reply
 * that failed leaves its chain where it was. Ties: the earlier place; without any score the latest answer is taken.
 * Cost: parallel × rounds answers at most, their scores, and a critique before each revision where there is one.
 * Exact where rounds are independent with success chance p: solved within r rounds with probability 1 − (1 − p)^r, as
 * best-of-r; it is worth its while only if p grows with the feedback. Models that judge themselves without outside feedback
 * often get worse: Huang et al. 2023, arXiv:2310.01798.
 */
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Score, Scorer } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { all, BudgetSpent, extend, propose } from "../../search.ts";
import { complete } from "../../program.ts";
import { rankedAnswers, isAccepted, type Judged, judge, redraw } from "../judged.ts";
import { checkWhole } from "../../options.ts";

/**
 * The policy that revises this answer; undefined: the run's own, which then goes on from it. `notes` are critiques of the
 * answer, their words in their states.
 */
export type Revise<S> = (answer: Node<S>, score: Score | undefined, notes: readonly Node<S>[]) => Policy<S> | undefined;

export interface RefineOptions<S> {
  readonly revise: Revise<S>;
  /** Names `revise` in journals. */
  readonly name?: string;
  /** Writes a critique of an answer before it is revised; its nodes are not answers. */
  readonly critique?: (answer: Node<S>, score: Score | undefined) => Policy<S> | undefined;
  /** Null: nothing is scored, and the last answer is taken. @default the run's scorer */
  readonly scorer?: Scorer<S> | null;
  /** Answers of one chain, the first included. @default 4 */
  readonly rounds?: number;
  /** Chains side by side. @default 1 */
  readonly parallel?: number;
  /** A score that ends the search; verdicts need none. */
  readonly enough?: number;
  /** Makes the first answers. @default the run's policy */
  readonly policy?: Policy<S>;
}

export interface RefineOutcome<S> extends Outcome<S> {
  /** Rounds that were begun. */
  readonly rounds: number;
  /** Whether it ended as an answer was accepted. */
  readonly accepted: boolean;
}

export function refine<S>(options: RefineOptions<S>): Search<S, RefineOutcome<S>> {
  const { revise, name = "revise", critique, scorer, rounds = 4, parallel = 1, enough, policy } = options;
  checkWhole("refine", "rounds", rounds, 1);
  checkWhole("refine", "parallel", parallel, 1);

  function* revised({ answer, score }: Judged<S>): Program<S, Node<S> | undefined> {
    const notes = critique ? yield* extend(answer, { policy: critique(answer, score) }) : [];
    return yield* redraw(answer, revise(answer, score, notes));
  }

  return {
    name: "refine",
    options: {
      revise: name,
      critique: critique !== undefined,
      scorer: scorer?.name ?? null,
      scored: scorer !== null,
      rounds,
      parallel,
      enough: enough ?? null,
      policy: policy?.name ?? null,
    },
    *run(root) {
      const judged: Judged<S>[] = [];
      const latest: (Judged<S> | undefined)[] = Array.from({ length: parallel });
      const accepted = () => judged.some(({ score }) => isAccepted(score, enough));

      function* advance(chain: number, round: number): Program<S, void> {
        const before = latest[chain];
        const answer = before ? yield* revised(before) : yield* complete(root, "sample", policy);
        if (!answer) return;
        const place = judged.push({ answer, score: undefined }) - 1; // counts even if its score cannot be afforded
        latest[chain] = judged[place];
        if (scorer === null) yield* propose(answer, round);
        else latest[chain] = judged[place] = yield* judge(answer, scorer);
      }

      let begun = 0;
      try {
        while (begun < rounds && !accepted()) {
          const round = begun++;
          yield* all(latest.map((_, chain) => advance(chain, round)));
        }
      } catch (error) {
        if (!(error instanceof BudgetSpent) || judged.length === 0) throw error;
      }
      const candidates = rankedAnswers(judged);
      return { answer: candidates[0], candidates, rounds: begun, accepted: accepted() };
    },
  };
}
