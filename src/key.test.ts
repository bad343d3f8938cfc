import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Key } from "./key.ts";
import { fingerprint, fold, key, seedOf, split, threefry } from "./key.ts";

describe("threefry", () => {
  // Random123-1.14, tests/kat_vectors, lines "threefry2x32 20".
  test.each<[counter: Key, key: Key, block: Key]>([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x243f6a88, 0x85a308d3],
      [0x13198a2e, 0x03707344],
      [0xc4923a9c, 0x483df7a0],
    ], // the digits of pi
  ])("counter %o, key %o", ([c0, c1], place, block) => {
    expect(threefry(place, c0, c1)).toEqual(block);
  });
});

describe("key", () => {
  test("holds the 53 bits of its seed in two words", () => {
    expect(key(7)).toEqual([0, 7]);
    expect(key(2 ** 32)).toEqual([1, 0]);
    expect(key(Number.MAX_SAFE_INTEGER)).toEqual([0x1fffff, 0xffffffff]);
  });

  test.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53, "8"])("refuses the seed %o by name", (seed) => {
    expect(() => key(seed as number)).toThrow(/'seed' must be an integer in \[0, 2\^53\): current value is/);
  });

  test("survives JSON", () => {
    const place = fold(key(3), "here");
    expect(fold(JSON.parse(JSON.stringify(place)), 1)).toEqual(fold(place, 1));
  });
});

describe("fold", () => {
  // jax.random.fold_in(jax.random.PRNGKey(0), n) is the block of counter (0, n). Blocks 0 and 1 are also
  // jax.random.split(PRNGKey(0)) of JAX >= 0.5; blocks 2 and (1, 3) are interleaved in that of older ones,
  // [[4146024105, 967050713], [2718843009, 1272950319]].
  test("of a number equals JAX's fold_in", () => {
    expect(fold(key(0), 0)).toEqual([1797259609, 2579123966]);
    expect(fold(key(0), 1)).toEqual([928981903, 3453687069]);
    expect(fold(key(0), 2)).toEqual([4146024105, 2718843009]);
    expect(threefry(key(0), 1, 3)).toEqual([967050713, 1272950319]);
  });

  test.each([-1, 0.5, 2 ** 32, Number.NaN])("refuses the place %d, which would collide with another", (place) => {
    expect(() => fold(key(0), place)).toThrow(RangeError);
  });

  test("of texts: other texts, other keys, also where only zeros or lengths differ", () => {
    const texts = [
      "",
      "\0",
      "\0\0",
      "\0\0\0\0",
      "\0\0\0\0\0",
      "a",
      "a\0",
      "\0a",
      "ab",
      "ba",
      "abcd",
      "abcde",
      "abcda",
      "é",
      "e\u0301",
      "𝄞",
      "\ud834",
    ];
    const keys = texts.map((text) => fold(key(5), text).join());
    expect(new Set(keys).size).toBe(texts.length);
    for (let n = 0; n < 100; n++) expect(keys).not.toContain(fold(key(5), n).join());
  });

  test("depends on the path from the key alone", () => {
    // Place-independence is purity: whatever else was derived before, and in whatever order, a place has the same key.
    const path = fc.array(fc.oneof(fc.nat(1000), fc.string({ maxLength: 9 })), { minLength: 1, maxLength: 6 });
    const walk = (steps: readonly (number | string)[]) => steps.reduce<Key>((at, step) => fold(at, step), key(9));
    fc.assert(
      fc.property(fc.array(path, { minLength: 2, maxLength: 8 }), (paths) => {
        const forwards = paths.map(walk);
        const backwards = paths.toReversed().map(walk).toReversed();
        expect(backwards).toEqual(forwards);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

test("split, fold and streams do not meet: no key of one is a key of another", () => {
  const folded = Array.from({ length: 1000 }, (_, i) => fold(key(1), i).join());
  const divided = split(key(1), 1000).map((one) => one.join());
  expect(new Set([...folded, ...divided]).size).toBe(2000); // two of 2000 words of 64 bits are equal with chance 1e-13
  expect(split(key(1), 3)).toEqual(split(key(1), 5).slice(0, 3));
});

test("seeds are integers in [0, 2^31), and reach both ends of it", () => {
  const seeds = split(key(2), 4000).map(seedOf);
  for (const seed of seeds) expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31).toBe(true);
  expect(Math.min(...seeds)).toBeLessThan(2 ** 31 / 100); // fails by chance once in e^40
  expect(Math.max(...seeds)).toBeGreaterThan(2 ** 31 * 0.99);
  expect(seedOf([0, 0xffffffff])).toBe(2 ** 31 - 1);
});

test("fingerprints are eight digits, equal for equal texts", () => {
  const texts = Array.from({ length: 500 }, (_, i) => "a".repeat(i % 9) + String(i));
  for (const text of texts) expect(fingerprint(text)).toMatch(/^[0-9a-f]{8}$/);
  expect(new Set(texts.map(fingerprint)).size).toBe(500); // of 32 bits two of 500 agree with probability 3e-5
  expect(fingerprint(`a${"b"}`)).toBe(fingerprint("ab"));
});
