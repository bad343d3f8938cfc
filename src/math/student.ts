/** Student's t distribution with ν > 0 degrees of freedom. */
import { logBeta, regularisedBeta } from "./special.ts";

/** P(T <= t). */
export function studentCdf(t: number, degrees: number): number {
  const tail = 0.5 * regularisedBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/**
 * The t below which a share u of the distribution lies; u in (0, 1). Closed forms for ν = 1 and 2; else Newton's method on the
 * tail's logarithm from the normal-like start of Hill 1970 (algorithm 396), to about 1e-12 of the tail.
 */
export function studentQuantile(u: number, degrees: number): number {
  if (!(u > 0 && u < 1 && degrees > 0))
    throw new RangeError(
      `Cannot give a quantile as 'u' must be in (0, 1) and 'degrees' positive: current values are ${u} and ${degrees}`,
    );
  if (u === 0.5) return 0;
  if (degrees === 1) return Math.tan(Math.PI * (u - 0.5));
  if (degrees === 2) return (2 * u - 1) / Math.sqrt(2 * u * (1 - u));
  const tail = Math.min(u, 1 - u);
  const logScale = -logBeta(degrees / 2, 0.5) - 0.5 * Math.log(degrees); // of the density
  let t = firstGuess(tail, degrees, logScale);
  for (let i = 0; i < 50; i++) {
    const mass = 0.5 * regularisedBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
    const density = Math.exp(logScale - ((degrees + 1) / 2) * Math.log1p((t * t) / degrees));
    const step = (Math.log(mass / tail) * mass) / density; // log tail is concave: no overshoot that would not come back
    const next = Math.max(t + step, t / 8);
    const settled = Math.abs(next - t) <= 1e-13 * next;
    t = next;
    if (settled) break;
  }
  return u < 0.5 ? -t : t;
}

/** The exact tail of large t, or the t of ν = 2, whichever is nearer: both are upper bounds for ν >= 2 where they start. */
function firstGuess(tail: number, degrees: number, logScale: number): number {
  const power = Math.exp((logScale + ((degrees - 1) / 2) * Math.log(degrees) - Math.log(tail)) / degrees);
  const two = (1 - 2 * tail) / Math.sqrt(2 * tail * (1 - tail));
  return Math.max(Math.min(power, two), 1e-3);
}
