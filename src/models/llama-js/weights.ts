/**
 * The weights of a Llama out of a GGUF file, every shape checked; whatever this engine cannot do is refused by name.
 *
 * Touvron et al. 2023, arXiv:2302.13971, §2.2: pre-normalised transformer, RMSNorm, SwiGLU, rotary embeddings; with
 * grouped queries, Ainslie et al. 2023, arXiv:2305.13245. No biases. Matrices are [in, out], one row of `in` an output.
 */
import { Failed } from "../../errors.ts";
import { GgufError } from "../gguf/header.ts";
import { type GgufFile, tensor } from "../gguf/read.ts";

export interface Layer {
  readonly attentionNorm: Float32Array; // [width]
  readonly query: Float32Array; // [width, heads · headWidth]
  readonly key: Float32Array; // [width, keyWidth]
  readonly value: Float32Array; // [width, keyWidth]
  readonly attentionOutput: Float32Array; // [heads · headWidth, width]
  readonly feedForwardNorm: Float32Array; // [width]
  readonly gate: Float32Array; // [width, feedForward]
  readonly up: Float32Array; // [width, feedForward]
  readonly down: Float32Array; // [feedForward, width]
}

export interface Weights {
  readonly vocabulary: number;
  readonly width: number;
  readonly heads: number;
  readonly headWidth: number;
  /** Numbers in the keys of one position, and in its values: keyValueHeads · headWidth. */
  readonly keyWidth: number;
  readonly feedForward: number;
  /** Positions that the model was made for. */
  readonly context: number;
  /** Added to the mean square before the root. */
  readonly epsilon: number;
  readonly ropeBase: number;
  /** How many numbers of each head turn with the position. */
  readonly ropeWidth: number;
  readonly embedding: Float32Array; // [width, vocabulary]
  readonly layers: readonly Layer[];
  readonly outputNorm: Float32Array; // [width]
  readonly output: Float32Array; // [width, vocabulary]; the embedding itself where it is tied
}

/** The refusal of a sound file that needs the other engine. */
export function unsupported(what: string): Failed {
  return new Failed(
    "unsupported",
    `Cannot run this model in plain JavaScript as it has ${what}: open it with the llama.cpp engine`,
  );
}

/** @throws Failed `unsupported`, or GgufError where the file contradicts itself. */
export function readWeights(file: GgufFile): Weights {
  const architecture = file.metadata.get("general.architecture");
  if (architecture !== "llama") throw unsupported(`the architecture '${architecture}', not 'llama'`);

  const integer = (name: string, otherwise?: number): number => {
    const value = file.metadata.get(`llama.${name}`) ?? otherwise;
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value < 2 ** 31) return value;
    throw new GgufError(`Metadata 'llama.${name}' must be an integer in [1, 2^31): it is ${value}`);
  };
  const positive = (name: string, otherwise?: number): number => {
    const value = file.metadata.get(`llama.${name}`) ?? otherwise;
    if (typeof value === "number" && value > 0 && value < Infinity) return value;
    throw new GgufError(`Metadata 'llama.${name}' must be a positive number: it is ${value}`);
  };
  const tokens = file.metadata.get("tokenizer.ggml.tokens");
  const vocabulary = Array.isArray(tokens) ? tokens.length : 0;
  const width = integer("embedding_length");
  const layerCount = integer("block_count");
  const feedForward = integer("feed_forward_length");
  const heads = integer("attention.head_count");
  const keyValueHeads = integer("attention.head_count_kv", heads);
  const headWidth = width / heads;
  const keyWidth = keyValueHeads * headWidth;
  const ropeWidth = integer("rope.dimension_count", headWidth);
  if (headWidth % 2 !== 0 || heads % keyValueHeads !== 0 || ropeWidth % 2 !== 0 || ropeWidth > headWidth)
    throw new GgufError(
      `${heads} heads of a width of ${width}, ${keyValueHeads} of them for keys, and ${ropeWidth} rotary dimensions do not fit together`,
    );
  for (const name of ["attention.key_length", "attention.value_length"])
    if (integer(name, headWidth) !== headWidth) throw unsupported(`heads whose width is not ${headWidth}`);
  const scaling = file.metadata.get("llama.rope.scaling.type");
  if (scaling !== undefined && scaling !== "none") throw unsupported(`rotary scaling '${scaling}'`);
  if (file.metadata.has("llama.rope.scale_linear")) throw unsupported("linear rotary scaling");
  if (integer("expert_count", 1) > 1) throw unsupported("experts");

  const unread = new Set(file.tensors.keys());
  const read = (name: string, ...shape: number[]): Float32Array => {
    const info = file.tensors.get(name);
    if (!info) throw new GgufError(`Tensor '${name}' is missing`);
    if (info.shape.length !== shape.length || info.shape.some((n, i) => n !== shape[i]))
      throw new GgufError(
        `Tensor '${name}' must have the shape [${shape.join(", ")}]: it is [${info.shape.join(", ")}]`,
        info.offset,
      );
    if (info.type !== "F32" && info.type !== "F16") throw unsupported(`quantised weights ('${name}' is ${info.type})`);
    unread.delete(name);
    return tensor(file, name);
  };
  const layer = (i: number): Layer => ({
    attentionNorm: read(`blk.${i}.attn_norm.weight`, width),
    query: read(`blk.${i}.attn_q.weight`, width, width),
    key: read(`blk.${i}.attn_k.weight`, width, keyWidth),
    value: read(`blk.${i}.attn_v.weight`, width, keyWidth),
    attentionOutput: read(`blk.${i}.attn_output.weight`, width, width),
    feedForwardNorm: read(`blk.${i}.ffn_norm.weight`, width),
    gate: read(`blk.${i}.ffn_gate.weight`, width, feedForward),
    up: read(`blk.${i}.ffn_up.weight`, width, feedForward),
    down: read(`blk.${i}.ffn_down.weight`, feedForward, width),
  });
  const embedding = read("token_embd.weight", width, vocabulary);
  const layers: Layer[] = [];
  for (let i = 0; i < layerCount; i++) layers.push(layer(i)); // a count beyond the tensors ends at the first missing one
  const outputNorm = read("output_norm.weight", width);
  const output = file.tensors.has("output.weight") ? read("output.weight", width, vocabulary) : embedding;
  const [stranger] = unread;
  if (stranger !== undefined) throw unsupported(`a tensor '${stranger}', which a plain Llama has not`);
  return {
    vocabulary,
    width,
    heads,
    headWidth,
    keyWidth,
    feedForward,
    context: integer("context_length"),
    epsilon: positive("attention.layer_norm_rms_epsilon"),
    ropeBase: positive("rope.freq_base", 10_000), // llama.cpp's default
    ropeWidth,
    embedding,
    layers,
    outputNorm,
    output,
  };
}
