/** Entropy and mutual information of finite laws, in nats. */

/** −Σ p log p of weights >= 0 that need not sum to 1; 0 log 0 is 0. NaN where all are 0. */
export function entropy(weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const sum = weights.reduce(
    (sum, weight) => (weight > 0 ? sum - (weight / total) * Math.log(weight / total) : sum),
    0,
  );
  return total > 0 ? Math.max(0, sum) : Number.NaN;
}

export interface ChainedInformation {
  /** Î, in nats. At most a lower bound of the divergence from any law whose answers do not depend on earlier ones. */
  readonly information: number;
  /** μ̂ of the second answer, whatever the first was; sums to 1. */
  readonly second: readonly number[];
}

/**
 * The mutual information of an answer and the next one, which was given with the first in sight.
 *
 * `first` [answers]: weights of the first answer; `given` [answers][answers]: weights of the second, a row for each first.
 * Both are normalised here. Algorithm 3 of Abbasi Yadkori, Kuzborskij, György & Szepesvári 2024, arXiv:2406.02543, without its γ₁
 * and γ₂, which stand for what was never drawn and are 0 in its experiments.
 */
export function chainedInformation(
  first: readonly number[],
  given: readonly (readonly number[])[],
): ChainedInformation {
  if (first.length === 0 || given.length !== first.length || !given.every((row) => row.length === first.length))
    throw new RangeError(
      `Cannot give information as 'given' must have ${first.length} rows of as many weights, at least one: current value has ${given.length}`,
    );
  const law = normalised(first);
  const laws = given.map(normalised);
  const second = law.map((_, t) => law.reduce((sum, p, i) => sum + p * (laws[i]?.[t] as number), 0));
  let information = 0;
  for (const [i, p] of law.entries())
    for (const [t, marginal] of second.entries()) {
      const joint = p * (laws[i]?.[t] as number);
      if (joint > 0) information += joint * Math.log(joint / (p * marginal));
    }
  return { information: Math.max(0, information), second };
}

function normalised(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0 && total < Infinity && weights.every((weight) => weight >= 0)))
    throw new RangeError(
      `Cannot give information as weights must be numbers >= 0, not all 0: current value is [${weights.join(", ")}]`,
    );
  return weights.map((weight) => weight / total);
}
