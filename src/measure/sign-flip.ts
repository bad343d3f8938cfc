/**
 * Is the mean of paired differences 0? If two methods are equally good, the difference on a problem is as likely as its negative:
 * the observed sum is compared with the sums under random signs. For one right-or-wrong answer a problem this is McNemar's test; it
 * also takes means over several seeds, and sums over the problems of a cluster.
 */
import { fold, key, type Key, threefry } from "../key.ts";
import { checkCount, checkFinite, undefinedValue, type Value } from "./estimate.ts";

export interface SignFlipOptions {
  /** Number of random signs; no p-value is below 1 / (draws + 1). @default 9999 */
  readonly draws?: number;
  /** @default 0 */
  readonly seed?: Key | number;
}

/**
 * Two-sided p-value of the sign-flip permutation test: (1 + draws with a sum as far from 0) / (1 + draws), which is valid for any
 * number of draws (Phipson & Smyth 2010, "Permutation P-values Should Never Be Zero"). The differences are independent units.
 * Fisher 1935, "The Design of Experiments", §21. Cost: draws × differences.
 */
export function signFlipTest(differences: readonly number[], { draws = 9999, seed = 0 }: SignFlipOptions = {}): Value {
  checkCount("a p-value", "draws", draws, 1);
  checkFinite("a p-value", "differences", differences);
  if (differences.length === 0) return undefinedValue("there are no differences");
  const sizes = Float64Array.from(
    differences.filter((difference) => difference !== 0),
    Math.abs,
  );
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  const enough = observed - 1e-9 * sizes.reduce((sum, size) => sum + size, 0); // sums that differ by rounding are equal
  const place = fold(typeof seed === "number" ? key(seed) : seed, "signs");
  let asFar = 0;
  for (let draw = 0; draw < draws; draw++) {
    const own = fold(place, draw);
    let sum = 0;
    let word = 0;
    for (let i = 0; i < sizes.length; i++) {
      if (i % 32 === 0) word = threefry(own, 5, i)[0];
      const size = sizes[i] as number;
      sum += (word >>> (i % 32)) & 1 ? size : -size;
    }
    if (Math.abs(sum) >= enough) asFar++;
  }
  return { value: (1 + asFar) / (1 + draws) };
}
