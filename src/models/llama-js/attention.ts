/**
 * softmax(query · keys / √headWidth) · values, for one query. Vaswani et al. 2017, arXiv:1706.03762, eq. 1.
 *
 * Four positions at a time; a last group that is not full is filled with the last position at weight 0. Sums run over the
 * positions in order. Several query heads may share a key head: Ainslie et al. 2023, arXiv:2305.13245. Indices are in range
 * by construction, hence the `!`.
 */
import type { Block } from "./network.ts";

export interface Heads {
  readonly heads: number;
  readonly headWidth: number;
  /** keyValueHeads · headWidth */
  readonly keyWidth: number;
}

/** Room for the scores of one query: [heads, positions rounded up to 4]. */
export const scoresLength = (heads: number, positions: number): number => heads * roundedUp(positions);

const roundedUp = (positions: number): number => (positions + 3) & ~3;

export function attend(
  mixed: Float32Array, // written from `at` on: [heads, headWidth]
  query: Float32Array, // read from `at` on: [heads, headWidth]
  at: number,
  path: readonly Block[],
  positions: number,
  keys: number, // place of the layer's keys in a block; its values follow
  { heads, headWidth, keyWidth }: Heads,
  scores: Float64Array,
): void {
  const row = roundedUp(positions);
  const shared = (heads * headWidth) / keyWidth; // query heads to a key head
  for (let p = 0; p < row; p += 4) {
    const last = positions - 1;
    const a = path[p]!,
      b = path[Math.min(p + 1, last)]!,
      c = path[Math.min(p + 2, last)]!,
      d = path[Math.min(p + 3, last)]!;
    for (let head = 0, k = keys; head < heads; k += headWidth)
      for (const next = head + shared; head < next; head++)
        score(scores, head * row + p, query, at + head * headWidth, a, b, c, d, k, headWidth);
  }
  const scale = 1 / Math.sqrt(headWidth);
  for (let head = 0; head < heads; head++) softmax(scores, head * row, positions, row, scale);
  for (let i = at; i < at + heads * headWidth; i++) mixed[i] = 0;
  for (let p = 0; p < row; p += 4) {
    const last = positions - 1;
    const a = path[p]!,
      b = path[Math.min(p + 1, last)]!,
      c = path[Math.min(p + 2, last)]!,
      d = path[Math.min(p + 3, last)]!;
    for (let head = 0, v = keys + keyWidth; head < heads; v += headWidth)
      for (const next = head + shared; head < next; head++)
        mix(mixed, at + head * headWidth, scores, head * row + p, a, b, c, d, v, headWidth);
  }
}

/** scores[to..to+3] = query · key at four positions. */
function score(
  scores: Float64Array,
  to: number,
  query: Float32Array,
  q: number,
  a: Block,
  b: Block,
  c: Block,
  d: Block,
  k: number,
  headWidth: number,
): void {
  let sa = 0,
    sb = 0,
    sc = 0,
    sd = 0;
  for (let i = 0; i < headWidth; i++) {
    const x = query[q + i]!;
    sa += x * a[k + i]!;
    sb += x * b[k + i]!;
    sc += x * c[k + i]!;
    sd += x * d[k + i]!;
  }
  scores[to] = sa;
  scores[to + 1] = sb;
  scores[to + 2] = sc;
  scores[to + 3] = sd;
}

/** mixed += weight · value at four positions. */
function mix(
  mixed: Float32Array,
  to: number,
  weights: Float64Array,
  w: number,
  a: Block,
  b: Block,
  c: Block,
  d: Block,
  v: number,
  headWidth: number,
): void {
  const wa = weights[w]!,
    wb = weights[w + 1]!,
    wc = weights[w + 2]!,
    wd = weights[w + 3]!;
  for (let i = 0; i < headWidth; i++)
    mixed[to + i] = mixed[to + i]! + wa * a[v + i]! + wb * b[v + i]! + wc * c[v + i]! + wd * d[v + i]!;
}

/** Of the first `count` scores; those up to `padded` become 0. */
function softmax(scores: Float64Array, at: number, count: number, padded: number, scale: number): void {
  let highest = -Infinity;
  for (let i = at; i < at + count; i++) if (scores[i]! > highest) highest = scores[i]!;
  let total = 0;
  for (let i = at; i < at + count; i++) total += scores[i] = Math.exp((scores[i]! - highest) * scale);
  for (let i = at; i < at + count; i++) scores[i] = scores[i]! / total;
  for (let i = at + count; i < at + padded; i++) scores[i] = 0;
}
