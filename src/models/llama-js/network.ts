/**
 * The forward pass over a batch of columns: tokens at positions, of one sequence or of many.
 *
 * Keys and values of a token are a block of its own that never changes once it is written, [layers, 2, keyWidth]; a
 * sequence is a path of such blocks, so that sequences share what they have in common by holding the same blocks.
 */
import { attend, scoresLength } from "./attention.ts";
import { add, gateUp, multiply, normalise, rotate, rotation } from "./kernels.ts";
import type { Weights } from "./weights.ts";

/** Keys and values of one token at one position. */
export type Block = Float32Array;

export interface Column {
  readonly token: number;
  readonly position: number;
  /** The blocks of positions 0 to `position`; the last is its own, which the pass fills. */
  readonly path: readonly Block[];
  readonly wantsLogits: boolean;
}

export class Network {
  readonly weights: Weights;
  /** Most columns of one pass. */
  readonly maxColumns: number;
  /** Of the columns that want them, in their order: [columns, vocabulary]. */
  readonly logits: Float32Array;
  readonly #stream: Float32Array; // [columns, width]: what flows from layer to layer
  readonly #normed: Float32Array; // [columns, width]
  readonly #query: Float32Array; // [columns, width]
  readonly #key: Float32Array; // [columns, keyWidth]
  readonly #value: Float32Array; // [columns, keyWidth]
  readonly #mixed: Float32Array; // [columns, width]: values as attention mixes them
  readonly #gate: Float32Array; // [columns, feedForward]
  readonly #up: Float32Array; // [columns, feedForward]
  readonly #change: Float32Array; // [columns, width]: what a layer adds to the stream
  /** By position, as far as it was needed. */
  readonly #turns: Float64Array[] = [];
  #scores = new Float64Array(0); // [heads, positions]

  constructor(weights: Weights, maxColumns: number) {
    const { width, keyWidth, feedForward, vocabulary } = weights;
    this.weights = weights;
    this.maxColumns = maxColumns;
    const buffer = (size: number): Float32Array => new Float32Array(maxColumns * size);
    this.logits = buffer(vocabulary);
    this.#stream = buffer(width);
    this.#normed = buffer(width);
    this.#query = buffer(width);
    this.#key = buffer(keyWidth);
    this.#value = buffer(keyWidth);
    this.#mixed = buffer(width);
    this.#gate = buffer(feedForward);
    this.#up = buffer(feedForward);
    this.#change = buffer(width);
  }

  /** Of the columns that wanted logits, what these were made from: [columns, width], until the next pass. */
  get hidden(): Float32Array {
    return this.#normed;
  }

  newBlock(): Block {
    return new Float32Array(this.weights.layers.length * 2 * this.weights.keyWidth);
  }

  /** Fills the blocks of the columns, and the logits. Columns of one sequence must be in order of position. */
  forward(columns: readonly Column[]): void {
    const { width, keyWidth, feedForward, epsilon, embedding, layers } = this.weights;
    const count = columns.length;
    const [stream, normed, change] = [this.#stream, this.#normed, this.#change];
    columns.forEach(({ token }, c) => stream.set(embedding.subarray(token * width, (token + 1) * width), c * width));
    layers.forEach((layer, l) => {
      normalise(normed, stream, layer.attentionNorm, epsilon, count);
      multiply(this.#query, layer.query, normed, width, width, count);
      multiply(this.#key, layer.key, normed, keyWidth, width, count);
      multiply(this.#value, layer.value, normed, keyWidth, width, count);
      columns.forEach((column, c) => this.#place(column, c, l)); // all of them first: columns may attend to each other
      columns.forEach((column, c) => this.#attend(column, c, l));
      multiply(change, layer.attentionOutput, this.#mixed, width, width, count);
      add(stream, change, count * width);

      normalise(normed, stream, layer.feedForwardNorm, epsilon, count);
      multiply(this.#gate, layer.gate, normed, feedForward, width, count);
      multiply(this.#up, layer.up, normed, feedForward, width, count);
      gateUp(this.#gate, this.#up, count * feedForward);
      multiply(change, layer.down, this.#gate, width, feedForward, count);
      add(stream, change, count * width);
    });
    let wanted = 0;
    columns.forEach(({ wantsLogits }, c) => {
      if (wantsLogits) stream.copyWithin(wanted++ * width, c * width, (c + 1) * width);
    });
    normalise(normed, stream, this.weights.outputNorm, epsilon, wanted);
    multiply(this.logits, this.weights.output, normed, this.weights.vocabulary, width, wanted);
  }

  /** Turns query and key to their position, and writes keys and values into the column's block. */
  #place({ position, path }: Column, c: number, layer: number): void {
    const { width, keyWidth, headWidth } = this.weights;
    const turns = this.#turnsAt(position);
    rotate(this.#query, c * width, width, headWidth, turns);
    rotate(this.#key, c * keyWidth, keyWidth, headWidth, turns);
    const block = path[position]!;
    const at = layer * 2 * keyWidth;
    for (let i = 0; i < keyWidth; i++) {
      block[at + i] = this.#key[c * keyWidth + i]!;
      block[at + keyWidth + i] = this.#value[c * keyWidth + i]!;
    }
  }

  #attend({ position, path }: Column, c: number, layer: number): void {
    const { width, keyWidth, heads } = this.weights;
    const room = scoresLength(heads, position + 1);
    if (this.#scores.length < room) this.#scores = new Float64Array(2 * room);
    attend(this.#mixed, this.#query, c * width, path, position + 1, layer * 2 * keyWidth, this.weights, this.#scores);
  }

  #turnsAt(position: number): Float64Array {
    const { ropeWidth, ropeBase } = this.weights;
    return (this.#turns[position] ??= rotation(position, ropeWidth, ropeBase));
  }
}
