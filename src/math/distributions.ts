/** Draws from continuous distributions, each from a stream of its own. */
import type { Random } from "./random.ts";

/**
 * Gamma with the given shape > 0 and scale 1. Marsaglia & Tsang 2000, "A simple method for generating gamma variables", ACM
 * TOMS 26(3); shapes below 1 as there, by a draw of one more and a power of a uniform number.
 */
export function drawGamma(shape: number, random: Random): number {
  return shape < 1
    ? drawFromOne(shape + 1, random) * (1 - random.uniform()) ** (1 / shape)
    : drawFromOne(shape, random);
}

/** The logarithm of such a draw: small shapes do not underflow. */
export function drawLogGamma(shape: number, random: Random): number {
  return shape < 1
    ? Math.log(drawFromOne(shape + 1, random)) + Math.log(1 - random.uniform()) / shape
    : Math.log(drawFromOne(shape, random));
}

/** Of shape >= 1. */
function drawFromOne(shape: number, random: Random): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Beta(a, b); a, b > 0. */
export function drawBeta(a: number, b: number, random: Random): number {
  const x = drawGamma(a, random);
  const y = drawGamma(b, random);
  return x + y > 0 ? x / (x + y) : Number(random.uniform() < a / (a + b)); // both underflowed: all mass is at the ends
}

/** Student's t with ν > 0 degrees of freedom. */
export function drawStudent(degrees: number, random: Random): number {
  return random.normal() / Math.sqrt(drawGamma(degrees / 2, random) / (degrees / 2));
}
