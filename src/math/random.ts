/** Streams of random numbers out of a key. A stream belongs to one sequential piece of code; never share one. */
import { type Key, key, threefry } from "../key.ts";

export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform integer in [0, n), without bias; 1 <= n <= 2^32. */
  integer(n: number): number;
  /** Standard normal. Box & Muller 1958; one of the pair is dropped. */
  normal(): number;
  /** One of the items, uniformly. */
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy. Fisher & Yates, as in Knuth, TAOCP 2, §3.4.2, algorithm P. */
  shuffled<T>(items: readonly T[]): T[];
  /** An index with probability proportional to its weight; weights >= 0, not all 0. */
  weighted(weights: ArrayLike<number>): number;
}

/** The stream of a key (or of a seed). */
export function random(from: Key | number): Random {
  const place = typeof from === "number" ? key(from) : from;
  let block = 0;
  const next = (): Key => threefry(place, 3, block++);
  const stream: Random = {
    uniform() {
      const [high, low] = next();
      return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
    },
    integer(n) {
      if (!Number.isInteger(n) || n < 1 || n > 2 ** 32)
        throw new RangeError(`Cannot draw an integer as 'n' must be an integer in [1, 2^32]: current value is ${n}`);
      const limit = 2 ** 32 - (2 ** 32 % n); // reject the ragged end, so that every value is equally likely
      for (;;) {
        const [word] = next();
        if (word < limit) return word % n;
      }
    },
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - stream.uniform()));
      return radius * Math.cos(2 * Math.PI * stream.uniform());
    },
    pick(items) {
      if (items.length === 0) throw new RangeError("Cannot pick from an empty list");
      return items[stream.integer(items.length)] as (typeof items)[number];
    },
    shuffled(items) {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = stream.integer(i + 1);
        [copy[i], copy[j]] = [copy[j] as (typeof items)[number], copy[i] as (typeof items)[number]];
      }
      return copy;
    },
    weighted(weights) {
      let total = 0;
      let least = 0;
      for (let i = 0; i < weights.length; i++) {
        total += weights[i] as number;
        least = Math.min(least, weights[i] as number);
      }
      if (!(total > 0 && total < Infinity) || least < 0)
        throw new RangeError(
          `Cannot draw an index as the weights must be >= 0 and sum to a positive number: their sum is ${total}, the least ${least}`,
        );
      let left = stream.uniform() * total;
      let last = 0;
      for (let i = 0; i < weights.length; i++) {
        const weight = weights[i] as number;
        if (weight > 0) last = i;
        left -= weight;
        if (left < 0) return i;
      }
      return last; // rounding used up the whole sum
    },
  };
  return stream;
}
