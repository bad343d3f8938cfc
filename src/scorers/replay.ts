/**
 * Recorded scores: what a scorer said of a whole answer or of a partial one when the pool was made, at the cost that it had.
 *
 * For states that were replayed out of the same pool. A score that was not recorded is a failure: the node is unscored, and
 * nothing is charged. Scorers that only read a node (`likelihood`) need no record, and work on replayed nodes as they are.
 */
import { greatestCost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import type { PoolProblem, RecordedScore, Replayed } from "../pool.ts";
import type { Scorer } from "../scorer.ts";

/** `name`: as the scorer was named. @throws RangeError where the pool has no score of it, with those that it has */
export function replayScores<S extends Replayed>({ problem: { id }, samples }: PoolProblem, name: string): Scorer<S> {
  const all = samples.flatMap(({ scores, steps = [] }) => [scores, ...steps.map((step) => step.scores)]);
  const own = all.flatMap((scores) => scores[name] ?? []);
  const [first] = own;
  if (!first)
    throw new RangeError(
      `Cannot replay scores of '${name}' as none was recorded for '${id}': there are ${[...new Set(all.flatMap(Object.keys))].join(", ")}`,
    );
  const worst = own.reduce((most, { cost }) => greatestCost(most, cost), noCost);
  return {
    name,
    kind: first.score.kind,
    bound: () => worst,
    score({ state: { sample, steps = 0 }, done }) {
      const recorded = sample === undefined ? undefined : samples[sample];
      const found: RecordedScore | undefined = (done ? recorded : recorded?.steps?.[steps - 1])?.scores[name];
      if (found) return found;
      const place = sample === undefined ? "the question" : `sample ${sample}${done ? "" : ` after ${steps} steps`}`;
      throw new Failed("unsupported", `No score of '${name}' was recorded for ${place} of '${id}'`, { cost: noCost });
    },
  };
}
