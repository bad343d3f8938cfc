/** The standard normal distribution. */

const logRoot = 0.5 * Math.log(2 * Math.PI);

export const normalDensity = (z: number): number => Math.exp(-0.5 * z * z - logRoot);

/**
 * P(Z <= z), to about 1e-13 of the smaller tail. Near 0 by the series of Marsaglia 2004, "Evaluating the Normal Distribution",
 * Journal of Statistical Software 11(4); beyond 3 by the continued fraction of the tail (Abramowitz & Stegun 1964, 26.2.14).
 */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (Math.abs(z) > 3) {
    let fraction = Math.abs(z);
    for (let i = 120; i > 0; i--) fraction = Math.abs(z) + i / fraction;
    const tail = normalDensity(z) / fraction;
    return z < 0 ? tail : 1 - tail;
  }
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > 1e-18; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return 0.5 + sum * normalDensity(z);
}

/**
 * The z below which a share u of the distribution lies; u in (0, 1). From the rational start of Hastings (Abramowitz & Stegun
 * 1964, 26.2.23, error 4.5e-4) by Newton's method on the logarithm of the smaller tail.
 */
export function normalQuantile(u: number): number {
  if (!(u > 0 && u < 1)) throw new RangeError(`Cannot give a quantile as 'u' must be in (0, 1): current value is ${u}`);
  if (u === 0.5) return 0;
  const tail = Math.min(u, 1 - u);
  const t = Math.sqrt(-2 * Math.log(tail));
  let z =
    t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
  for (let i = 0; i < 4; i++) {
    const mass = normalCdf(-z);
    z += (Math.log(mass / tail) * mass) / normalDensity(z);
  }
  return u < 0.5 ? -z : z;
}
