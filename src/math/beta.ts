/** The beta distribution, a, b > 0. Its distribution function is `regularisedBeta` of `special.ts`. */
import { logBeta, regularisedBeta } from "./special.ts";

/**
 * The x below which a share u of the distribution lies; u in [0, 1]. Newton's method, halving a bracket where a step would leave
 * it; to about 1e-13 of x.
 */
export function betaQuantile(u: number, a: number, b: number): number {
  if (!(u >= 0 && u <= 1 && a > 0 && b > 0))
    throw new RangeError(
      `Cannot give a quantile as 'u' must be in [0, 1], 'a' and 'b' positive: current values are ${u}, ${a} and ${b}`,
    );
  if (u === 0 || u === 1) return u;
  const scale = logBeta(a, b);
  let [low, high] = [0, 1];
  let x = a / (a + b);
  for (let i = 0; i < 1100; i++) {
    const excess = regularisedBeta(x, a, b) - u;
    if (excess === 0) return x;
    if (excess > 0) high = x;
    else low = x;
    const density = Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) - scale);
    const newton = x - excess / density;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-14 * x || high - low <= 1e-15 * high) return next;
    x = next;
  }
  return x;
}
