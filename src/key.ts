/**
 * Random keys: randomness as a value that is passed, never a state that is shared.
 *
 * A key is split or folded by *place* (which node, which sample), so that neither the order in which replies arrive nor
 * the size of batches changes a run. The function is Threefry-2x32 with 20 rounds: Salmon, Moraes, Dror & Shaw,
 * "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011, §4; checked against the vectors of its reference code.
 * `fold(key, n)` equals JAX's `fold_in(PRNGKey, n)` for 0 <= n < 2^32.
 */

/** 64 bits of randomness: high and low 32-bit word. JSON-safe. */
export type Key = readonly [high: number, low: number];

/** The key of a seed: an integer in [0, 2^53). Small seeds are fine. */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`Cannot make a key as 'seed' must be an integer in [0, 2^53): current value is ${seed}`);
  return [Math.floor(seed / 2 ** 32), seed >>> 0];
}

/** A new key for the place `data`: an integer in [0, 2^32) or any string. */
export function fold(parent: Key, data: number | string): Key {
  if (typeof data !== "number") return foldText(parent, data);
  if (data >>> 0 !== data)
    throw new RangeError(
      `Cannot fold a key as 'data' must be an integer in [0, 2^32) or a string: current value is ${data}`,
    );
  return threefry(parent, 0, data);
}

/** `count` independent keys. */
export function split(parent: Key, count: number): Key[] {
  return Array.from({ length: count }, (_, i) => threefry(parent, 1, i));
}

/** A seed for engines and servers that want one number: an integer in [0, 2^31), which all of them accept. */
export function seedOf(place: Key): number {
  return place[1] >>> 1;
}

/** Eight hexadecimal digits that tell texts apart in names. 32 bits: not where a collision would do harm. */
export function fingerprint(text: string): string {
  return (fold([0, 0], text)[1] >>> 0).toString(16).padStart(8, "0");
}

// Two words a time; the length is folded last, so that "a" and "a\0" differ.
function foldText(parent: Key, text: string): Key {
  let state = parent;
  for (let i = 0; i < text.length; i += 4)
    state = threefry(
      state,
      ((text.charCodeAt(i) << 16) | (i + 1 < text.length ? text.charCodeAt(i + 1) : 0)) >>> 0,
      (((i + 2 < text.length ? text.charCodeAt(i + 2) : 0) << 16) |
        (i + 3 < text.length ? text.charCodeAt(i + 3) : 0)) >>>
        0,
    );
  return threefry(state, 2, text.length);
}

/** One block of Threefry-2x32-20: key × counter → 64 bits. Exported for generators built on it. */
export function threefry([k0, k1]: Key, c0: number, c1: number): Key {
  // The next words of the key schedule; the third word is parity (§3.3 of the paper).
  let k = k0;
  let l = k1;
  let m = k0 ^ k1 ^ 0x1bd11bda;
  let x = (c0 + k) | 0;
  let y = (c1 + l) | 0;
  // Five times four rounds and a key injection; the rotations are those of table 2.
  for (let block = 1; block <= 5; block++) {
    if (block % 2 === 1) {
      x = (x + y) | 0;
      y = rotate(y, 13) ^ x;
      x = (x + y) | 0;
      y = rotate(y, 15) ^ x;
      x = (x + y) | 0;
      y = rotate(y, 26) ^ x;
      x = (x + y) | 0;
      y = rotate(y, 6) ^ x;
    } else {
      x = (x + y) | 0;
      y = rotate(y, 17) ^ x;
      x = (x + y) | 0;
      y = rotate(y, 29) ^ x;
      x = (x + y) | 0;
      y = rotate(y, 16) ^ x;
      x = (x + y) | 0;
      y = rotate(y, 24) ^ x;
    }
    x = (x + l) | 0;
    y = (y + m + block) | 0;
    const first = k; // three scalars and two branches: twice as fast as a tuple and conditional rotations
    k = l;
    l = m;
    m = first;
  }
  return [x >>> 0, y >>> 0];
}

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));
