/**
 * The reward of a process: every step of an answer is scored, given those before it, and the scores become one.
 *
 * Lightman et al. 2023, arXiv:2305.20050, take the product of the probabilities that each step is right (`product`) or the
 * least of them (`min`); Snell et al. 2024, arXiv:2408.03314, take that of the last step (`last`), which suits step scorers
 * that were trained to foretell the whole. `mean` forgives one bad step. A product falls with every step, so it prefers short
 * answers; `min` is the judgement of one step, the most doubtful, and so of the scorer's noise.
 *
 * Steps are the nodes from the root's child to the node, or, where answers are drawn whole, the prefixes that `prefixes` cuts
 * (`byLine`). A prefix is scored once for all answers that share it: the first to ask pays, with a seed made of the text, so
 * that values do not depend on who that was. If one step cannot be scored the node is unscored; `last` asks about one only.
 * Cost: one score a step that has not been scored before.
 */
import type { Cost } from "../budget.ts";
import { addCosts, noCost } from "../budget.ts";
import { fold, key, seedOf } from "../key.ts";
import type { Node } from "../node.ts";
import { pathTo } from "../node.ts";
import { rankOf, type Judgement, type Scorer } from "../scorer.ts";
import { boundOf, judgementOf } from "./judgement.ts";
import { memory } from "./wrap.ts";

export type ProcessAggregate = "last" | "min" | "product" | "mean";

export interface ProcessOptions<S> {
  /** @default "min" */
  readonly aggregate?: ProcessAggregate;
  /** The state after each step, the whole last. @default the states on the path of the tree */
  readonly prefixes?: (state: S) => readonly S[];
  /** Scores of prefixes kept. @default 10000 */
  readonly most?: number;
}

export function processReward<S>(stepScorer: Scorer<S>, options: ProcessOptions<S> = {}): Scorer<S> {
  const { aggregate = "min", prefixes, most = 10_000 } = options;
  const { name, kind } = stepScorer;
  if (kind === "verdict" || (aggregate === "product" && kind !== "probability"))
    throw new TypeError(
      `Cannot take the ${aggregate} of '${name}' over steps as it gives ${kind === "verdict" ? "verdicts" : `a ${kind}, not probabilities`}`,
    );
  const memo = memory<Required<Judgement>>(most);

  /** The root itself has no steps: it is scored as it is. */
  function stepsOf(node: Node<S>): readonly Node<S>[] {
    const path = prefixes
      ? prefixes(node.state).map((state, i, all) => prefixOf(node, state, i + 1 < all.length))
      : pathTo(node);
    const steps = path.length > 0 ? path : [node];
    return aggregate === "last" ? steps.slice(-1) : steps;
  }

  return {
    name: `${aggregate} over ${prefixes ? "prefixes" : "steps"} of ${name}`,
    kind,
    bound: (node, context): Cost =>
      stepsOf(node).reduce((sum, step) => addCosts(sum, boundOf(stepScorer, step, context)), noCost),
    async score(node, request) {
      const given = await Promise.all(
        stepsOf(node).map((step) => {
          const { id, prompt } = request.problem;
          const place = JSON.stringify([id, prompt, request.text(step.state), step.done]);
          return memo(place, () => judgementOf(stepScorer, step, { ...request, seed: seedOf(fold(key(0), place)) }));
        }),
      );
      const values = given.map(({ value: { score } }) => rankOf(score));
      return {
        score: { kind, value: aggregated(values, aggregate), evidence: `steps: ${values.map(shown).join(", ")}` },
        cost: given.reduce((sum, { value, isNew }) => (isNew ? addCosts(sum, value.cost) : sum), noCost),
      };
    },
  };
}

/** The node as it would be after a part of its answer, whose log-probabilities nobody knows. */
const prefixOf = <S>(node: Node<S>, state: S, goesOn: boolean): Node<S> =>
  goesOn
    ? { ...node, state, done: false, logProb: NaN, logProposal: NaN, totalLogProb: NaN, score: undefined }
    : { ...node, state };

function aggregated(values: readonly number[], how: ProcessAggregate): number {
  switch (how) {
    case "last":
      return values.at(-1) as number;
    case "min":
      return values.reduce((least, value) => Math.min(least, value));
    case "product":
      return values.reduce((product, value) => product * value);
    case "mean":
      return values.reduce((sum, value) => sum + value) / values.length;
  }
}

const shown = (value: number): string => String(Math.round(value * 1000) / 1000);

/** An answer's text after its first line, after its second, …: for `prefixes`. Tokens are left out, as they are the whole's. */
export function byLine<S extends { readonly text: string; readonly tokens?: readonly number[] }>(state: S): S[] {
  const { tokens: _, ...rest } = state;
  const ends = Array.from(state.text.matchAll(/\n/g), ({ index }) => index + 1).filter(
    (end) => end < state.text.length,
  );
  return [...ends.map((end) => ({ ...rest, text: state.text.slice(0, end) }) as unknown as S), state];
}
