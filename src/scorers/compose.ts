/**
 * Scorers made of scorers. Each names its parts, so that a journal says what a score was made of; a part that fails leaves the
 * node unscored, unless a part before it has decided already. Costs add up.
 *
 * Scales are never guessed: a sum takes a map from each part's score to a number. One weight hides a judgement about what is
 * worth how much; where that is not known, look at the Pareto set first (`paretoFront`).
 */
import type { Cost } from "../budget.ts";
import { addCosts, noCost } from "../budget.ts";
import type { Node } from "../node.ts";
import { isValidScore, rankOf, type Score, type ScoreContext, type Scorer } from "../scorer.ts";
import { boundOf, judgementOf } from "./judgement.ts";

/** A scorer, its weight, and what its scores count. @default for `map`: `rankOf`, the number itself, a verdict 1 or 0 */
export type WeightedPart<S> = readonly [scorer: Scorer<S>, weight: number, map?: (score: Score) => number];

/** Σ weight · map(score), as a reward; the parts are asked at the same time. Its evidence says what each part gave. */
export function weighted<S>(parts: readonly WeightedPart<S>[]): Scorer<S> {
  checkParts("a weighted sum", parts);
  for (const [{ name }, weight] of parts)
    if (!Number.isFinite(weight))
      throw new RangeError(
        `Cannot use a weighted sum as the weight of '${name}' must be a finite number: current value is ${weight}`,
      );
  const scorers = parts.map(([scorer]) => scorer);
  return {
    name: parts.map(([{ name }, weight]) => `${weight}·${name}`).join(" + "),
    kind: "reward",
    bound: sumOfBounds(scorers),
    async score(node, request) {
      const given = await Promise.all(scorers.map((scorer) => judgementOf(scorer, node, request)));
      const value = parts.reduce((sum, [, weight, map = rankOf], i) => sum + weight * map(given[i]?.score as Score), 0);
      const evidence = parts.map(([{ name }], i) => `${name}: ${rankOf(given[i]?.score as Score)}`).join("; ");
      return {
        score: { kind: "reward", value, evidence },
        cost: given.reduce((sum, { cost }) => addCosts(sum, cost), noCost),
      };
    },
  };
}

export interface GatedOptions {
  /** The value of what does not pass; no verdict takes it. @default 0 where `then` gives probabilities, a wrong verdict where verdicts */
  readonly otherwise?: number;
}

/** Asks `then` only about what the gate's verdict lets pass: a cheap check before a dear judge. The gate's evidence is kept. */
export function gated<S>(gate: Scorer<S>, then: Scorer<S>, { otherwise }: GatedOptions = {}): Scorer<S> {
  if (gate.kind !== "verdict")
    throw new TypeError(`Cannot use '${gate.name}' as a gate as it gives no verdict, but a ${gate.kind}`);
  const value = otherwise ?? (then.kind === "probability" ? 0 : undefined);
  if (value === undefined && then.kind !== "verdict")
    throw new TypeError(
      `Cannot put a gate before '${then.name}' without 'otherwise': a ${then.kind} has no least value that what fails could get`,
    );
  const failed =
    then.kind === "verdict" ? { kind: then.kind, correct: false } : { kind: then.kind, value: value as number };
  if (!isValidScore(failed, then.kind))
    throw new RangeError(
      `Cannot put a gate before '${then.name}' as 'otherwise' must be a ${then.kind}: current value is ${value}`,
    );
  return {
    name: `${gate.name} then ${then.name}`,
    kind: then.kind,
    bound: sumOfBounds([gate, then]),
    async score(node, request) {
      const first = await judgementOf(gate, node, request);
      if (rankOf(first.score) === 1) {
        const second = await judgementOf(then, node, request);
        return { score: second.score, cost: addCosts(first.cost, second.cost) };
      }
      const { evidence } = first.score;
      return { score: { ...failed, ...(evidence !== undefined && { evidence }) }, cost: first.cost };
    },
  };
}

/**
 * The first scorer decides, the next only where all before it are equal: each but the last must give verdicts, as scores with a
 * scale hardly ever tie. A reward: verdicts count as binary digits, the last score fills the place after the point, by
 * ½ + x / (4 + 4|x|), so that beyond about 10^7 differences are lost to rounding, but never to a verdict.
 */
export function lexicographic<S>(scorers: readonly Scorer<S>[]): Scorer<S> {
  checkParts("a lexicographic order", scorers);
  const graded = scorers.slice(0, -1).find(({ kind }) => kind !== "verdict");
  if (graded)
    throw new TypeError(
      `Cannot use a lexicographic order as '${graded.name}' gives a ${graded.kind}: all but the last must give verdicts`,
    );
  return {
    name: scorers.map(({ name }) => name).join(" before "),
    kind: "reward",
    bound: sumOfBounds(scorers),
    async score(node, request) {
      const given = await Promise.all(scorers.map((scorer) => judgementOf(scorer, node, request)));
      const ranks = given.map(({ score }) => rankOf(score));
      const last = ranks.pop() as number;
      const digits = ranks.reduce((value, verdict) => 2 * value + verdict, 0);
      return {
        score: { kind: "reward", value: digits + 0.5 + last / (1 + Math.abs(last)) / 4 },
        cost: given.reduce((sum, { cost }) => addCosts(sum, cost), noCost),
      };
    },
  };
}

/**
 * Those items that no other beats: none is at least as good by every score and better by one. In their order; equal ones stay
 * all. Items with a score missing cannot be compared and are left out. `scores` [items][scorers], more is better.
 * Cost: items² · scorers.
 */
export function paretoFront<T>(items: readonly T[], scores: readonly (readonly (Score | number | undefined)[])[]): T[] {
  const rows = items.map((_, i) =>
    (scores[i] ?? [undefined]).map((score) =>
      typeof score === "number" ? score : score === undefined ? Number.NaN : rankOf(score),
    ),
  );
  const isBeaten = (own: readonly number[]): boolean =>
    rows.some(
      (other) =>
        other.every((value, k) => value >= (own[k] as number)) && other.some((value, k) => value > (own[k] as number)),
    );
  return items.filter((_, i) => {
    const own = rows[i] as number[];
    return !own.some(Number.isNaN) && !isBeaten(own);
  });
}

const sumOfBounds =
  <S>(scorers: readonly Scorer<S>[]) =>
  (node: Node<S>, context: ScoreContext<S>): Cost =>
    scorers.reduce((sum, scorer) => addCosts(sum, boundOf(scorer, node, context)), noCost);

function checkParts(what: string, parts: readonly unknown[]): void {
  if (parts.length === 0) throw new RangeError(`Cannot use ${what} without scorers: give at least one`);
}
