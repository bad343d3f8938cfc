/**
 * The arithmetic of the network, one column (a token at a position) at a time or many.
 *
 * Numbers are stored in float32 and summed in float64, and every sum runs over its terms in the same order whatever else
 * is in the batch: a column's results do not depend on its neighbours, to the last bit. Indices are in range by
 * construction, hence the `!`.
 */

/**
 * y[column][row] = sum over k of w[row][k] · x[column][k].
 * Blocks of 4 rows by 4 columns: each number that is loaded takes part in four products.
 */
export function multiply(
  y: Float32Array, // [columns, rows]
  w: Float32Array, // [rows, inputs]
  x: Float32Array, // [columns, inputs]
  rows: number,
  inputs: number,
  columns: number,
): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    let column = 0;
    for (; column + 4 <= columns; column += 4) multiplyBlock(y, w, x, rows, inputs, row, column);
    for (; column < columns; column++) multiplyRows(y, w, x, rows, inputs, row, column);
  }
  for (; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0, wk = row * inputs, xk = column * inputs; k < inputs; k++) sum += w[wk + k]! * x[xk + k]!;
      y[column * rows + row] = sum;
    }
}

function multiplyBlock(
  y: Float32Array,
  w: Float32Array,
  x: Float32Array,
  rows: number,
  inputs: number,
  row: number,
  column: number,
): void {
  const w0 = row * inputs,
    w1 = w0 + inputs,
    w2 = w1 + inputs,
    w3 = w2 + inputs;
  const x0 = column * inputs,
    x1 = x0 + inputs,
    x2 = x1 + inputs,
    x3 = x2 + inputs;
  let s00 = 0,
    s01 = 0,
    s02 = 0,
    s03 = 0;
  let s10 = 0,
    s11 = 0,
    s12 = 0,
    s13 = 0;
  let s20 = 0,
    s21 = 0,
    s22 = 0,
    s23 = 0;
  let s30 = 0,
    s31 = 0,
    s32 = 0,
    s33 = 0;
  for (let k = 0; k < inputs; k++) {
    const a = w[w0 + k]!,
      b = w[w1 + k]!,
      c = w[w2 + k]!,
      d = w[w3 + k]!;
    const p = x[x0 + k]!,
      q = x[x1 + k]!,
      r = x[x2 + k]!,
      s = x[x3 + k]!;
    s00 += a * p;
    s01 += a * q;
    s02 += a * r;
    s03 += a * s;
    s10 += b * p;
    s11 += b * q;
    s12 += b * r;
    s13 += b * s;
    s20 += c * p;
    s21 += c * q;
    s22 += c * r;
    s23 += c * s;
    s30 += d * p;
    s31 += d * q;
    s32 += d * r;
    s33 += d * s;
  }
  const y0 = column * rows + row,
    y1 = y0 + rows,
    y2 = y1 + rows,
    y3 = y2 + rows;
  y[y0] = s00;
  y[y0 + 1] = s10;
  y[y0 + 2] = s20;
  y[y0 + 3] = s30;
  y[y1] = s01;
  y[y1 + 1] = s11;
  y[y1 + 2] = s21;
  y[y1 + 3] = s31;
  y[y2] = s02;
  y[y2 + 1] = s12;
  y[y2 + 2] = s22;
  y[y2 + 3] = s32;
  y[y3] = s03;
  y[y3 + 1] = s13;
  y[y3 + 2] = s23;
  y[y3 + 3] = s33;
}

/** Four rows of one column. */
function multiplyRows(
  y: Float32Array,
  w: Float32Array,
  x: Float32Array,
  rows: number,
  inputs: number,
  row: number,
  column: number,
): void {
  const w0 = row * inputs,
    w1 = w0 + inputs,
    w2 = w1 + inputs,
    w3 = w2 + inputs;
  const x0 = column * inputs;
  let s0 = 0,
    s1 = 0,
    s2 = 0,
    s3 = 0;
  for (let k = 0; k < inputs; k++) {
    const p = x[x0 + k]!;
    s0 += w[w0 + k]! * p;
    s1 += w[w1 + k]! * p;
    s2 += w[w2 + k]! * p;
    s3 += w[w3 + k]! * p;
  }
  const y0 = column * rows + row;
  y[y0] = s0;
  y[y0 + 1] = s1;
  y[y0 + 2] = s2;
  y[y0 + 3] = s3;
}

/** y += x, the first `count` numbers. */
export function add(y: Float32Array, x: Float32Array, count: number): void {
  for (let i = 0; i < count; i++) y[i] = y[i]! + x[i]!;
}

/** RMSNorm: y = x / root of (mean of x² + epsilon), times the weight. Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4. */
export function normalise(
  y: Float32Array, // [columns, width]
  x: Float32Array, // [columns, width]
  weight: Float32Array, // [width]
  epsilon: number,
  columns: number,
): void {
  const width = weight.length;
  for (let column = 0, at = 0; column < columns; column++, at += width) {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += x[at + i]! * x[at + i]!;
    const scale = 1 / Math.sqrt(squares / width + epsilon);
    for (let i = 0; i < width; i++) y[at + i] = x[at + i]! * scale * weight[i]!;
  }
}

/** SwiGLU: gate = gate · sigmoid(gate) · up. Shazeer 2020, arXiv:2002.05202, eq. 6. */
export function gateUp(gate: Float32Array, up: Float32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const g = gate[i]!;
    gate[i] = (g / (1 + Math.exp(-g))) * up[i]!;
  }
}

/**
 * Cosines and sines by which the pairs of a head turn at `position`: pair i by position · base^(-2i/width).
 * Su et al. 2021, arXiv:2104.09864, §3.2.2.
 */
export function rotation(position: number, width: number, base: number): Float64Array {
  const turns = new Float64Array(width);
  for (let i = 0; i < width; i += 2) {
    const angle = position * base ** (-i / width);
    turns[i] = Math.cos(angle);
    turns[i + 1] = Math.sin(angle);
  }
  return turns;
}

/** Turns the pairs (2i, 2i + 1) of each head: the interleaved order, llama.cpp's `NORM`. In place, from `at` on. */
export function rotate(x: Float32Array, at: number, width: number, headWidth: number, turns: Float64Array): void {
  for (let head = at; head < at + width; head += headWidth)
    for (let i = 0; i < turns.length; i += 2) {
      const a = x[head + i]!,
        b = x[head + i + 1]!;
      x[head + i] = a * turns[i]! - b * turns[i + 1]!;
      x[head + i + 1] = a * turns[i + 1]! + b * turns[i]!;
    }
}

/** log p = logit - log of the sum of exp(logit); false if the logits are not finite. */
export function logSoftmax(logProbs: Float64Array, logits: Float32Array, at: number): boolean {
  const count = logProbs.length;
  let highest = -Infinity;
  for (let i = 0; i < count; i++) if (logits[at + i]! > highest) highest = logits[at + i]!;
  let total = 0;
  for (let i = 0; i < count; i++) total += Math.exp(logits[at + i]! - highest);
  const logTotal = highest + Math.log(total);
  for (let i = 0; i < count; i++) logProbs[i] = logits[at + i]! - logTotal;
  return Number.isFinite(logTotal);
}
