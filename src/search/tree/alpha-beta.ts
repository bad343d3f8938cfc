/**
 * Alpha-beta: minimax over all moves to a depth, without looking at those that cannot change the result.
 *
 * Scores are said for one player throughout: where `turn` is 1 the best child is the one of the greatest score, where it is −1
 * the least. A position is looked at inside a window, what each player has secured elsewhere; as soon as one of its moves leaves
 * the window, its mover would never be let there, and its other moves are skipped. Knuth & Moore 1975, "An Analysis of
 * Alpha-Beta Pruning", Artificial Intelligence 6(4), procedure F2, written with both players' signs in place of negation.
 * Leaves are finished games, and positions at `depth`, where the scorer is the evaluation made by hand.
 *
 * The value and the move are those of full minimax. With b moves a position and depth d, full minimax scores b^d leaves;
 * this one at least b^⌈d/2⌉ + b^⌊d/2⌋ − 1, and no more than that where the best move always comes first (Slagle & Dixon 1969,
 * J. ACM 16(2)): so the policy's prior, by which moves are ordered, decides the cost. Ties: the move of the higher prior.
 * Moves that fail, and leaves without a score, are left out, never counted as zero: the value is then that of the game without
 * them. One position at a time: what is known so far decides what is looked at next.
 *
 * The answer is where the best line of play ends, so the move to play is the first step of its path; `line` has them all. When
 * the budget ends earlier, the answer is the best of the first moves that were looked at in full. Use it where leaves can be
 * judged well by rule; where they cannot, Monte Carlo tree search needs no evaluation.
 */
import type { Node } from "../../node.ts";
import { pathTo } from "../../node.ts";
import type { Scorer } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { BudgetSpent, extend, propose, score } from "../../search.ts";
import { checkWhole } from "../../options.ts";

export interface AlphaBetaOptions<S> {
  /** Who is to move: 1 wants a great score, −1 a small one. */
  readonly turn: (state: S) => 1 | -1;
  /** Judges leaves, for the player of turn 1. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** Moves looked ahead; finished games end earlier. @default 1000 */
  readonly depth?: number;
  /** The most moves of a position; less than it has makes the value that of a narrower game. @default 100 */
  readonly branch?: number;
}

export interface AlphaBetaOutcome<S> extends Outcome<S> {
  /** Of the root, for the player of turn 1; undefined where no leaf was scored. */
  readonly value: number | undefined;
  /** The principal variation: the best play of both sides, from the move to play on. */
  readonly line: readonly Node<S>[];
  /** Leaves that were scored. */
  readonly leaves: number;
}

export function alphaBeta<S>(options: AlphaBetaOptions<S>): Search<S, AlphaBetaOutcome<S>> {
  const { turn, scorer, depth = 1000, branch = 100 } = options;
  checkWhole("alpha-beta", "depth", depth, 1);
  checkWhole("alpha-beta", "branch", branch, 1);
  return {
    name: "alpha-beta",
    options: { depth, branch, scorer: scorer?.name ?? null },
    *run(root) {
      let leaves = 0;
      const best: Line<S>[] = [];

      function* leaf(node: Node<S>): Program<S, Line<S> | undefined> {
        const [judged] = yield* score([node], { by: scorer });
        if (!judged) return undefined;
        leaves++;
        return { value: rankOf(judged), end: node };
      }

      /** The value of a position if it is inside (low, high); else a bound on the side where it is outside. */
      function* visit(node: Node<S>, low: number, high: number): Program<S, Line<S> | undefined> {
        if (node.done || node.depth === depth) return yield* leaf(node);
        const sign = turn(node.state);
        let found: Line<S> | undefined;
        for (const child of yield* extend(node, { count: branch, draw: "top" })) {
          const line = yield* visit(child, low, high);
          if (!line || (found && line.value * sign <= found.value * sign)) continue;
          found = line;
          if (sign === 1) low = Math.max(low, line.value);
          else high = Math.min(high, line.value);
          if (node === root) {
            best.unshift(line);
            yield* propose(line.end, line.value * sign);
          }
          if (low >= high) break;
        }
        return found;
      }

      try {
        yield* visit(root, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      } catch (error) {
        if (!(error instanceof BudgetSpent) || best.length === 0) throw error;
      }
      const candidates = best.map(({ end }) => end);
      const [answer] = candidates;
      return { answer, candidates, value: best[0]?.value, line: answer ? pathTo(answer) : [], leaves };
    },
  };
}

/** A line of play by where it ends, and what it is worth there. */
interface Line<S> {
  readonly value: number;
  readonly end: Node<S>;
}
