/**
 * A potential: a scorer, and how its scores become log-weights. The scale of a score is never guessed, so the map is named.
 */
import type { Score, Scorer } from "../../scorer.ts";

export interface WeightMap {
  readonly name: string;
  /** The kind of scores that it takes. */
  readonly kind: Score["kind"];
  /** In nats; -Infinity is weight 0. A verdict comes as 1 or 0. */
  readonly logWeight: (value: number) => number;
}

export interface Potential<S> {
  readonly scorer: Scorer<S>;
  readonly map: WeightMap;
}

/** A verdict as a constraint: weight 1 where it is correct, else 0. */
export const verdictWeight: WeightMap = { name: "verdict", kind: "verdict", logWeight: (value) => Math.log(value) };

/** A probability as the weight itself. */
export const probabilityWeight: WeightMap = { name: "log", kind: "probability", logWeight: (value) => Math.log(value) };

/** The odds of a probability as the weight; 0 and 1 are taken as 1e-7 and 1 - 1e-7, so that no weight is infinite. */
export const oddsWeight: WeightMap = {
  name: "logit",
  kind: "probability",
  logWeight(value) {
    const inside = Math.min(Math.max(value, 1e-7), 1 - 1e-7);
    return Math.log(inside / (1 - inside));
  },
};

/** exp(beta × reward). */
export const rewardWeight = (beta: number): WeightMap => ({
  name: `${finite(beta)} × reward`,
  kind: "reward",
  logWeight: (value) => beta * value,
});

/** A likelihood to the power of `power`. @default 1 */
export const likelihoodWeight = (power = 1): WeightMap => ({
  name: `${finite(power)} × log-likelihood`,
  kind: "log-likelihood",
  logWeight: (value) => power * value,
});

/**
 * For the options of a search. A verdict needs no map, as there is but one reading of it.
 * @throws TypeError where the map is missing, or for scores of another kind
 */
export function potential<S>(scorer: Scorer<S>, map?: WeightMap): Potential<S> {
  const given = map ?? (scorer.kind === "verdict" ? verdictWeight : undefined);
  if (!given)
    throw new TypeError(
      `Cannot weigh by '${scorer.name}' as it gives a ${scorer.kind} and no map to log-weights was given: give probabilityWeight, oddsWeight, rewardWeight(beta) or likelihoodWeight(power)`,
    );
  if (given.kind !== scorer.kind)
    throw new TypeError(
      `Cannot weigh by '${scorer.name}' with the map '${given.name}' as it takes a ${given.kind}, and the scorer gives a ${scorer.kind}`,
    );
  return { scorer, map: given };
}

/** As data, for the options of a search. */
export const potentialName = <S>(given: Potential<S> | undefined): string | null =>
  given ? `${given.map.name} of ${given.scorer.name}` : null;

function finite(factor: number): number {
  if (Number.isFinite(factor)) return factor;
  throw new RangeError(
    `Cannot make a map to log-weights as its factor must be a finite number: current value is ${factor}`,
  );
}
