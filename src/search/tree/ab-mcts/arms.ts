/**
 * Thompson sampling among many arms: one draw from every arm's belief, the arm of the largest draw; without making them all.
 *
 * The draw of an arm is its belief's quantile at a uniform number. Arms of similar location and scale share a bucket, whose
 * uniform numbers are made from the largest down (of k there are left, the next largest is V^(1/k) of the last). As soon as
 * the bucket's upper edges could not beat the best draw so far at that number, the rest of the bucket is known to be below it.
 * Exact in distribution; a few draws for each of a few dozen buckets, however many arms. (Beta beliefs: one draw an arm.)
 */
import type { Random } from "../../../math/random.ts";
import { studentCdf, studentQuantile } from "../../../math/student.ts";
import { Belief, type Prior, thompson } from "./beliefs.ts";

interface Bucket {
  /** Upper edges of location and scale. */
  readonly location: number;
  readonly scale: number;
  /** 2 or 4: all degrees of freedom here are at least this, so that the tail of this many is the heavier one. */
  readonly degrees: 2 | 4;
  readonly arms: number[];
}

/** Student's quantile at u > ½, and 0 below, where the location bounds. */
function upperQuantile(u: number, degrees: 2 | 4): number {
  if (u <= 0.5) return 0;
  if (degrees === 2) return (2 * u - 1) / Math.sqrt(2 * u * (1 - u));
  const root = 2 * Math.sqrt(u * (1 - u));
  return 2 * Math.sqrt(Math.cos(Math.acos(root) / 3) / root - 1);
}

/** Fewer arms than this are simply all drawn. */
const few = 8;

export class Arms {
  readonly beliefs: Belief[] = [];
  readonly #prior: Prior;
  /** Smaller scales share the buckets of this one. */
  readonly #finest: number;
  readonly #buckets = new Map<string, Bucket>();
  /** The most promising first, so that the bar is high for the others. */
  readonly #order: Bucket[] = [];
  readonly #placeOf: { bucket: Bucket; index: number }[] = [];

  constructor(prior: Prior) {
    this.#prior = prior;
    this.#finest = prior.family === "gaussian" ? Math.sqrt(prior.tauSquared) / 32 : 0;
  }

  get size(): number {
    return this.beliefs.length;
  }

  /** A new arm with its first reward; its index. */
  add(reward: number): number {
    const arm = this.beliefs.push(new Belief(this.#prior)) - 1;
    this.observe(arm, reward);
    return arm;
  }

  observe(arm: number, reward: number): void {
    this.beliefs[arm]?.observe(reward);
    if (this.#prior.family === "beta" || this.size < few) return; // needs no buckets
    for (let other = this.#placeOf.length; other < this.size; other++) this.#place(other);
    this.#place(arm);
  }

  draw(random: Random): number {
    if (this.#prior.family === "beta" || this.size < few) return thompson(this.beliefs, random);
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (const { location, scale, degrees, arms } of this.#order) {
      let u = 1;
      for (let drawn = 0; drawn < arms.length; drawn++) {
        u *= (1 - random.uniform()) ** (1 / (arms.length - drawn));
        const bound = location + scale * upperQuantile(u, degrees);
        if (bound <= most) break;
        this.#swap(arms, drawn, drawn + random.integer(arms.length - drawn));
        const arm = arms[drawn] as number;
        const belief = this.beliefs[arm] as Belief;
        // One look at the distribution, where the quantile takes several.
        if (belief.degrees > 2 && studentCdf((most - belief.location) / belief.scale, belief.degrees) >= u) continue;
        const value = belief.location + belief.scale * studentQuantile(Math.min(u, 1 - 2 ** -53), belief.degrees);
        if (!(value > most)) continue;
        best = arm;
        most = value;
      }
    }
    return best;
  }

  #place(arm: number): void {
    const belief = this.beliefs[arm] as Belief;
    const { location, scale } = belief;
    // Scales go up by √2 from the finest; a location's step is half the scale, so that edges are near what they bound.
    const column = Math.max(0, Math.ceil(2 * Math.log2(scale / this.#finest)));
    const edge = this.#finest * 2 ** (column / 2);
    const row = Math.floor(location / (edge / 2));
    const degrees = belief.degrees < 4 ? 2 : 4;
    const key = `${row} ${column} ${degrees}`;
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = { location: ((row + 1) * edge) / 2, scale: edge, degrees, arms: [] };
      this.#buckets.set(key, bucket);
      const promise = ({ location, scale }: Bucket) => location + 2 * scale;
      const place = this.#order.findIndex((other) => promise(other) < promise(bucket as Bucket));
      this.#order.splice(place < 0 ? this.#order.length : place, 0, bucket);
    }
    const old = this.#placeOf[arm];
    if (old?.bucket === bucket) return;
    if (old) {
      this.#swap(old.bucket.arms, old.index, old.bucket.arms.length - 1);
      old.bucket.arms.pop();
    }
    this.#placeOf[arm] = { bucket, index: bucket.arms.push(arm) - 1 };
  }

  #swap(arms: number[], i: number, j: number): void {
    const [atI, atJ] = [arms[i] as number, arms[j] as number];
    this.#put(arms, i, atJ);
    this.#put(arms, j, atI);
  }

  #put(arms: number[], index: number, arm: number): void {
    arms[index] = arm;
    (this.#placeOf[arm] as { index: number }).index = index;
  }
}
