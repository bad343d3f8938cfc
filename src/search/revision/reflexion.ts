/**
 * Reflexion: after a failed trial the model writes what it learned from it, and tries anew with these lessons in its prompt.
 *
 * Shinn et al. 2023, arXiv:2303.11366, algorithm 1: actor (`retry`), evaluator (the scorer), self-reflection (`reflect`),
 * and a memory of the last `memory` reflections, which they bound to one to three. A trial sees the lessons, not the earlier
 * trials: it is a new attempt at the root, where refinement edits the last answer. Their actors act in an environment;
 * here a trial is an answer. A lesson hangs below the trial that it is about.
 *
 * Ends with the first trial that is accepted (a verdict that says correct, or a score of at least `enough`) or after
 * `trials`; the best trial is the answer. Ties: the earlier trial. Where the trial or the reflection failed, the next trial has the
 * lessons that there are. Cost: at most `trials` answers and scores, and a reflection between each two.
 * Without an evaluator that is right most of the time it talks the model out of right answers.
 */
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Score, Scorer } from "../../scorer.ts";
import type { Outcome, Search } from "../../search.ts";
import { BudgetSpent, extend, propose } from "../../search.ts";
import { complete } from "../../program.ts";
import { rankedAnswers, isAccepted, type Judged, judge, redraw } from "../judged.ts";
import { checkWhole } from "../../options.ts";

export interface ReflexionOptions<S> {
  /** Writes a lesson about a trial; undefined: the run's own policy. */
  readonly reflect: (trial: Node<S>, score: Score | undefined) => Policy<S> | undefined;
  /** Makes the next trial, given lessons, the oldest first; undefined: the run's own policy. */
  readonly retry: (lessons: readonly Node<S>[]) => Policy<S> | undefined;
  /** Null: nothing is scored, no trial is accepted, and the last one is the answer. @default the run's scorer */
  readonly scorer?: Scorer<S> | null;
  /** Answers at most. @default 4 */
  readonly trials?: number;
  /** Lessons kept, the latest. @default 3, the most of the paper */
  readonly memory?: number;
  /** A score that ends the search; verdicts need none. */
  readonly enough?: number;
  /** Makes the first trial. @default the run's policy */
  readonly policy?: Policy<S>;
}

export interface ReflexionOutcome<S> extends Outcome<S> {
  /** All that was learned, the oldest first. */
  readonly lessons: readonly Node<S>[];
  readonly accepted: boolean;
}

export function reflexion<S>(options: ReflexionOptions<S>): Search<S, ReflexionOutcome<S>> {
  const { reflect, retry, scorer, trials = 4, memory = 3, enough, policy } = options;
  checkWhole("reflexion", "trials", trials, 1);
  checkWhole("reflexion", "memory", memory, 1);
  return {
    name: "reflexion",
    options: {
      trials,
      memory,
      scorer: scorer?.name ?? null,
      scored: scorer !== null,
      enough: enough ?? null,
      policy: policy?.name ?? null,
    },
    *run(root) {
      const judged: Judged<S>[] = [];
      const lessons: Node<S>[] = [];
      const accepted = () => judged.some(({ score }) => isAccepted(score, enough));
      try {
        for (let trial = 0; trial < trials; trial++) {
          const answer =
            trial === 0 ? yield* complete(root, "sample", policy) : yield* redraw(root, retry(lessons.slice(-memory)));
          if (!answer) continue;
          const place = judged.push({ answer, score: undefined }) - 1; // counts even if its score cannot be afforded
          if (scorer === null) yield* propose(answer, trial);
          else judged[place] = yield* judge(answer, scorer);
          const score = judged[place]?.score;
          if (accepted() || trial === trials - 1) break;
          lessons.push(...(yield* extend(answer, { policy: reflect(answer, score) })));
        }
      } catch (error) {
        if (!(error instanceof BudgetSpent) || judged.length === 0) throw error;
      }
      const candidates = rankedAnswers(judged);
      return { answer: candidates[0], candidates, lessons, accepted: accepted() };
    },
  };
}
