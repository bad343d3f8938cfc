/** The Dirichlet distribution. */
import { regularisedGamma } from "./incomplete-gamma.ts";
import { logGamma, regularisedBeta } from "./special.ts";

/**
 * P(θ₁ > θᵢ for all others) of θ ~ Dirichlet(shape, ...others), all positive. With one other it is a value of the Beta distribution
 * function. With more it is ∫ f(g) Πᵢ Fᵢ(g) dg, with density and distribution functions of the gamma distribution, as a Dirichlet
 * vector is a normalised vector of independent gammas; by the trapezoidal rule in log g, to about 1e-10.
 */
export function chanceOfMost(shape: number, others: readonly number[]): number {
  if (others.length === 0) return 1;
  if (others.length === 1) return 1 - regularisedBeta(0.5, shape, others[0] as number);
  const times = new Map<number, number>();
  for (const other of others) times.set(other, (times.get(other) ?? 0) + 1);
  // s = log(g / shape) has the density exp(shape (s - e^s) + const): outside of these bounds it is below e^-40 of its peak.
  const [low, high] = [-9 / Math.sqrt(shape) - 41 / shape, 9 / Math.sqrt(shape)];
  const steps = Math.max(200, Math.ceil((high - low) / 0.1));
  const constant = shape * Math.log(shape) - logGamma(shape);
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const s = low + ((high - low) * i) / steps;
    const density = Math.exp(shape * (s - Math.exp(s)) + constant);
    if (density === 0) continue;
    let below = 1;
    for (const [other, count] of times) below *= regularisedGamma(other, shape * Math.exp(s)) ** count;
    sum += density * below;
  }
  return Math.min(1, (sum * (high - low)) / steps);
}
