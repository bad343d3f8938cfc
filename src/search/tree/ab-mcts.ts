/**
 * AB-MCTS, adaptive branching Monte Carlo tree search: wider or deeper, and whom to ask?
 *
 * A tree of whole answers. From the root down, each node decides between a new child (at the root a fresh answer, elsewhere a
 * revision of the node's) and going on below a child that is there, by what the rewards so far say of both; so the tree gets
 * wide where fresh answers pay and deep where revision does. With several actions (models, prompts) it also learns which to ask.
 *
 * Inoue et al. 2025, "Wider or Deeper? Scaling LLM Inference-Time Compute with Adaptive Branching Tree Search",
 * arXiv:2503.04412. Beliefs, priors, backup and the three strategies of choosing an action are those of the authors' TreeQuest.
 * `beliefs: "gaussian"` and `"beta"` are AB-MCTS-A (see `ab-mcts/aggregation.ts`), `"mixed"` is AB-MCTS-M with an exact
 * posterior in place of a Markov chain (`ab-mcts/mixed-model.ts`). Departures: an answer without a score is a candidate but
 * is never gone below; in the mixed model a pruned child leaves the choice to all that is left, a new child included.
 *
 * Rewards should lie in [0, 1], which the priors are made for; `value` maps scores. `batch` draws that many at once by the same
 * beliefs, as the order of finishing must not matter. It ends early when an answer is accepted. Ties: the earlier place.
 * Use it where an answer can be revised from feedback and it is not known whether that beats asking again. Cost: n answers, n scores.
 */
import { fold } from "../../key.ts";
import { random } from "../../math/random.ts";
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import { rankOf, type Score, type Scorer } from "../../scorer.ts";
import type { Program, Search } from "../../search.ts";
import { aggregation } from "./ab-mcts/aggregation.ts";
import { type BetaPrior, betaPrior, type GaussianPrior, gaussianPrior, type Prior } from "./ab-mcts/beliefs.ts";
import { mixedModel } from "./ab-mcts/mixed.ts";
import type { Selection, Twig, Widener } from "./ab-mcts/widener.ts";
import { allAffordable } from "../../program.ts";
import { rankedAnswers, isAccepted, type Judged, judge, redraw } from "../judged.ts";
import { checkWhole } from "../../options.ts";

/**
 * The policy of a new answer: a fresh one where `answer` is undefined, else a revision of it, whose score is given; undefined is
 * the run's own policy.
 */
export type AnswerAction<S> = (answer: Node<S> | undefined, score: Score | undefined) => Policy<S> | undefined;

export interface AbMctsOptions<S> {
  /** By name: models or prompts to ask. */
  readonly actions: Readonly<Record<string, AnswerAction<S>>>;
  /** Answers drawn in all. @default 16 */
  readonly n?: number;
  /** @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** The reward of a score, in [0, 1]. @default the score as a number; a verdict is 1 or 0 */
  readonly value?: (score: Score) => number;
  /** @default "gaussian" */
  readonly beliefs?: "gaussian" | "beta" | "mixed";
  /** How the action is chosen; with one action there is nothing to choose. @default "thompson" */
  readonly selection?: Selection;
  /** Of the beliefs' kind. @default m 0, κ 1, ν 1, τ² 0.1; Beta(½, ½) */
  readonly prior?: GaussianPrior | BetaPrior;
  /** What a reward is expected to be, for "mixed". @default 0.5 */
  readonly expected?: number;
  /** A score that ends the search; a verdict that says correct always does. */
  readonly enough?: number;
  /** Answers drawn at once. @default 1 */
  readonly batch?: number;
}

export function abMcts<S>(options: AbMctsOptions<S>): Search<S> {
  const { actions, n = 16, scorer, value = rankOf, beliefs = "gaussian", selection = "thompson", batch = 1 } = options;
  const names = Object.keys(actions);
  const prior = options.prior ?? (beliefs === "beta" ? betaPrior : gaussianPrior);
  const { expected = 0.5, enough } = options;
  checkWhole("ab-mcts", "n", n, 1);
  checkWhole("ab-mcts", "batch", batch, 1);
  if (names.length === 0) throw new RangeError("Cannot use ab-mcts as 'actions' is empty: give at least one");
  checkPrior(prior, beliefs);

  const wideners = (): Widener =>
    beliefs === "mixed" ? mixedModel(expected, names.length, selection) : aggregation(prior, names.length, selection);

  return {
    name: "ab-mcts",
    options: {
      n,
      actions: names,
      scorer: scorer?.name ?? null,
      beliefs,
      selection,
      prior: { ...prior },
      expected,
      enough: enough ?? null,
      batch,
    },
    *run(root, { key }) {
      const widener = wideners();
      const stream = random(fold(key, "thompson"));
      const top: Branch<S> = {
        node: undefined,
        score: undefined,
        parent: undefined,
        action: 0,
        reward: 0,
        children: [],
        arm: 0,
      };
      const answers: Judged<S>[] = [];

      function* grow(branch: Branch<S>, action: number): Program<S, Grown<S> | undefined> {
        const policy = actions[names[action] as string]?.(branch.node, branch.score);
        const answer = yield* redraw(branch.node ?? root, policy);
        return answer && { branch, action, ...(yield* judge(answer, scorer)) };
      }

      for (let drawn = 0; drawn < n; drawn += batch) {
        const trials = Array.from({ length: Math.min(batch, n - drawn) }, () => {
          let at = top;
          for (;;) {
            const choice = widener.choose(at, stream);
            if ("action" in choice) return grow(at, choice.action);
            at = choice.child as Branch<S>;
          }
        });
        const { results, spent } = yield* allAffordable(trials);
        const grown = results.filter((one) => one !== undefined);
        for (const one of grown) {
          answers.push(one);
          if (!one.score) continue;
          const { branch, action, answer, score } = one;
          const reward = value(score);
          const twig: Branch<S> = { node: answer, score, parent: branch, action, reward, children: [], arm: 0 };
          branch.children.push(twig);
          widener.observe(twig);
        }
        if (spent && answers.length === 0) throw spent;
        if (spent || grown.some(({ score }) => isAccepted(score, enough))) break;
      }
      const candidates = rankedAnswers(answers);
      return { answer: candidates[0], candidates };
    },
  };
}

interface Grown<S> extends Judged<S> {
  readonly branch: Branch<S>;
  readonly action: number;
}

interface Branch<S> extends Twig {
  readonly node: Node<S> | undefined;
  readonly score: Score | undefined;
  readonly parent: Branch<S> | undefined;
  readonly children: Branch<S>[];
}

function checkPrior(prior: Prior, beliefs: string): void {
  if (beliefs !== "mixed" && prior.family !== beliefs)
    throw new RangeError(
      `Cannot use ab-mcts as 'prior' must be ${beliefs} like the beliefs: current value is ${prior.family}`,
    );
  if (prior.family === "gaussian" && !(prior.kappa > 0 && prior.nu >= 1 && prior.tauSquared > 0))
    throw new RangeError(
      `Cannot use ab-mcts as a Gaussian prior needs kappa > 0, nu >= 1 and tauSquared > 0: current values are ${prior.kappa}, ${prior.nu} and ${prior.tauSquared}`,
    );
  if (prior.family === "beta" && !(prior.a > 0 && prior.b > 0))
    throw new RangeError(
      `Cannot use ab-mcts as a Beta prior needs a, b > 0: current values are ${prior.a} and ${prior.b}`,
    );
}
