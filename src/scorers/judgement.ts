/** For scorers that ask other scorers: a judgement as the run would take it, and its worst cost. */
import type { Cost } from "../budget.ts";
import { noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import type { Node } from "../node.ts";
import {
  isValidScore,
  type Judgement,
  type Score,
  type ScoreContext,
  type Scorer,
  type ScoreRequest,
} from "../scorer.ts";

/**
 * A failure passes without its cost, as that is not all that the asking scorer has spent: its worst case is charged.
 * @throws Failed `invalid-score` where the score is not valid for its scorer; whatever the scorer throws
 */
export async function judgementOf<S>(
  scorer: Scorer<S>,
  node: Node<S>,
  request: ScoreRequest<S>,
): Promise<Required<Judgement>> {
  let given: Score | Judgement;
  try {
    given = await scorer.score(node, request);
  } catch (error) {
    throw error instanceof Failed && error.cost ? new Failed(error.code, error.message, { cause: error }) : error;
  }
  const { score, cost = noCost } = "score" in given ? given : { score: given };
  if (isValidScore(score, scorer.kind)) return { score, cost };
  throw new Failed("invalid-score", `Scorer '${scorer.name}' gave no valid ${scorer.kind}`);
}

export const boundOf = <S>(scorer: Scorer<S>, node: Node<S>, context: ScoreContext<S>): Cost =>
  scorer.bound?.(node, context) ?? noCost;
