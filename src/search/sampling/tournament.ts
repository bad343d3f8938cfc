/**
 * A tournament: draw n answers, have them compared two by two, keep the one that wins.
 *
 * For answers that are easier to compare than to grade. `elimination` is a single knock-out in n − 1 comparisons: the cheapest,
 * and one wrong verdict can lose the best answer; answers meet in order of their places, by halves. `round-robin` compares all
 * n (n − 1) / 2 pairs and ranks by strength in the model of Bradley & Terry 1952 (see `bradleyTerry`, with half a win and half
 * a loss against an average answer as the prior), which tells how sure a win is where each pair met but once or twice.
 *
 * With `swap` a pair is asked in both orders, one score on each of its nodes, as judges prefer by position (Zheng et al. 2023,
 * arXiv:2306.05685, §3.4): agreement is a win, disagreement a draw. A comparison that lacks a valid verdict is undecided and
 * counts for neither. Who advances from a draw: the earlier place; from what is undecided: a scored answer before an unscored
 * one, then the earlier place. The order of candidates: by wins (by strength), then by place; answers that were in no decided
 * comparison come last.
 * Where verdicts have no errors and are transitive, both formats find the best answer. Cost: n answers, and one score a
 * comparison, two with `swap`. Comparisons start when all answers are there.
 */
import { bradleyTerry } from "../../math/bradley-terry.ts";
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import { type Comparison, rankOf } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { all, propose, score } from "../../search.ts";
import { drawAnswers } from "../draw.ts";
import { checkWhole } from "../../options.ts";

export interface TournamentOptions<S> {
  readonly compare: Comparison<S>;
  /** Number of answers. @default 8 */
  readonly n?: number;
  /** @default "elimination" */
  readonly format?: "elimination" | "round-robin";
  /** Whether each pair is asked in both orders. @default true */
  readonly swap?: boolean;
  readonly policy?: Policy<S>;
}

export interface TournamentOutcome<S> extends Outcome<S> {
  /** Set where no comparison was decided, so that the answer is just the first drawn. */
  readonly unscored?: true;
  /** [candidates] log-strengths, where the format is `round-robin`. */
  readonly logStrengths?: readonly number[];
}

export function tournament<S>(options: TournamentOptions<S>): Search<S, TournamentOutcome<S>> {
  const { compare, n = 8, format = "elimination", swap = true, policy } = options;
  checkWhole("tournament", "n", n, 1, 1000);

  return {
    name: "tournament",
    options: { n, format, swap, compare: compare.name, policy: policy?.name ?? null },
    *run(root) {
      const answers = yield* drawAnswers(root, n, policy, function* () {});
      // [i][j]: how often i won against j, halves for draws; strengths alone need it
      const wins = format === "round-robin" ? answers.map(() => answers.map(() => 0)) : [];
      // [answers]
      const total = answers.map(() => 0);
      const met = answers.map(() => false); // was in a decided comparison
      const scored = answers.map(() => false);
      const node = (i: number): Node<S> => answers[i] as Node<S>;

      function* ask(i: number, j: number): Program<S, number | undefined> {
        const [given] = yield* score([node(i)], { by: compare.against(node(j)) });
        if (given) scored[i] = true;
        return given && rankOf(given);
      }

      function note(i: number, j: number, won: number): void {
        total[i] = (total[i] as number) + won;
        met[i] = true;
        if (wins[i]) wins[i][j] = won;
      }

      /** How much i won against j: 1, ½ or 0; undefined where that is undecided. */
      function* meet(i: number, j: number): Program<S, number | undefined> {
        const [first, swapped] = yield* all(swap ? [ask(i, j), ask(j, i)] : [ask(i, j)]);
        const second = swap || first === undefined ? swapped : 1 - first;
        if (first === undefined || second === undefined) return undefined;
        const won = first > 0.5 && second < 0.5 ? 1 : first < 0.5 && second > 0.5 ? 0 : 0.5;
        note(i, j, won);
        note(j, i, 1 - won);
        return won;
      }

      /** The winner of answers `from` up to, not including, `to`. */
      function* knockOut(from: number, to: number): Program<S, number> {
        if (to - from <= 1) return from;
        const middle = Math.ceil((from + to) / 2);
        const [left, right] = (yield* all([knockOut(from, middle), knockOut(middle, to)])) as [number, number];
        const won = yield* meet(left, right);
        const advances =
          won === undefined ? (scored[left] || !scored[right] ? left : right) : won >= 0.5 ? left : right;
        if (scored[advances]) yield* propose(node(advances), to - from);
        return advances;
      }

      function* pair(i: number, j: number): Program<S, void> {
        const won = yield* meet(i, j);
        if (won !== undefined) yield* propose(node(won >= 0.5 ? i : j));
      }

      let champion = 0;
      if (format === "elimination") champion = yield* knockOut(0, answers.length);
      else yield* all(answers.flatMap((_, i) => answers.slice(i + 1).map((_, k) => pair(i, i + 1 + k))));
      const strengths = format === "round-robin" ? bradleyTerry(wins)?.logStrengths : undefined;
      const rank = (i: number): number =>
        strengths
          ? Math.round((strengths[i] as number) * 1e6) // what rounding alone tells apart is a tie
          : i === champion
            ? Infinity
            : (total[i] as number);
      const order = answers
        .map((_, i) => i)
        .sort(
          (i, j) =>
            Number(met[j]) - Number(met[i]) || Number(scored[j]) - Number(scored[i]) || rank(j) - rank(i) || i - j,
        );
      const [best] = order;
      if (best !== undefined && scored[best]) yield* propose(node(best), n + 1);
      return {
        answer: best === undefined ? undefined : node(best),
        candidates: order.map(node),
        ...(answers.length > 0 && !met.includes(true) && { unscored: true as const }),
        ...(strengths && { logStrengths: order.map((i) => strengths[i] as number) }),
      };
    },
  };
}
