/**
 * A GGUF file of a small Llama whose tokens are characters: `<unk>`, `<s>`, `</s>`, then one token a byte.
 *
 * The vocabulary is of the kind `gpt2` with no merges, so every byte of the text is a token, in llama.cpp too. Text starts
 * with `<s>`; `</s>` ends it. Matrices are [in, out], fastest first; query and key rows are in the order of interleaved
 * rotary pairs (2i, 2i + 1). Without `output.weight` the token embedding is also the output.
 */
import { byteCharacters } from "./byte-characters.ts";
import { array, f32, type MetadataInput, type TensorInput, writeGguf } from "./write.ts";

export interface LlamaShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Heads of keys and values; several query heads share one. @default heads */
  readonly keyValueHeads?: number;
  readonly feedForward: number;
  /** Positions that the model was made for. */
  readonly context: number;
  /** The characters of the vocabulary, each of them ASCII, in order of their tokens; all 256 bytes if left out. */
  readonly characters?: string;
  /** Base of the rotary frequencies. @default 10000 (Su et al. 2021, §3.2.2) */
  readonly ropeBase?: number;
  /** Added to the mean square before the root. @default 1e-5 (Llama 2's) */
  readonly epsilon?: number;
  readonly name?: string;
}

/** Ids of the three tokens before the characters. */
export const unknownToken = 0;
export const startToken = 1;
export const endToken = 2;

/** The tokens as GGUF spells them. */
export function vocabularyOf(characters?: string): string[] {
  const bytes = characters === undefined ? Array.from({ length: 256 }, (_, i) => i) : [...characters].map(asciiByte);
  if (new Set(bytes).size !== bytes.length)
    throw new RangeError(
      `Cannot make a vocabulary as its characters must differ: current value is ${JSON.stringify(characters)}`,
    );
  return ["<unk>", "<s>", "</s>", ...bytes.map((byte) => byteCharacters[byte] as string)];
}

function asciiByte(character: string): number {
  const code = character.codePointAt(0) as number;
  if (code < 128) return code;
  throw new RangeError(`Cannot make a vocabulary as its characters must be ASCII: current value has '${character}'`);
}

/** Names and shapes, fastest dimension first, of all tensors of a Llama with tied embeddings. */
export function llamaTensors(shape: LlamaShape): { readonly name: string; readonly shape: readonly number[] }[] {
  const { layers, width, heads, keyValueHeads = heads, feedForward } = shape;
  const keyWidth = (width / heads) * keyValueHeads;
  return [
    { name: "token_embd.weight", shape: [width, vocabularyOf(shape.characters).length] },
    ...Array.from({ length: layers }, (_, i) => [
      { name: `blk.${i}.attn_norm.weight`, shape: [width] },
      { name: `blk.${i}.attn_q.weight`, shape: [width, width] },
      { name: `blk.${i}.attn_k.weight`, shape: [width, keyWidth] },
      { name: `blk.${i}.attn_v.weight`, shape: [width, keyWidth] },
      { name: `blk.${i}.attn_output.weight`, shape: [width, width] },
      { name: `blk.${i}.ffn_norm.weight`, shape: [width] },
      { name: `blk.${i}.ffn_gate.weight`, shape: [width, feedForward] },
      { name: `blk.${i}.ffn_up.weight`, shape: [width, feedForward] },
      { name: `blk.${i}.ffn_down.weight`, shape: [feedForward, width] },
    ]).flat(),
    { name: "output_norm.weight", shape: [width] },
  ];
}

export function llamaMetadata(shape: LlamaShape): Record<string, MetadataInput> {
  const tokens = vocabularyOf(shape.characters);
  return {
    "general.architecture": "llama",
    "general.name": shape.name ?? "llama",
    "llama.context_length": shape.context,
    "llama.embedding_length": shape.width,
    "llama.block_count": shape.layers,
    "llama.feed_forward_length": shape.feedForward,
    "llama.attention.head_count": shape.heads,
    "llama.attention.head_count_kv": shape.keyValueHeads ?? shape.heads,
    "llama.attention.layer_norm_rms_epsilon": f32(shape.epsilon ?? 1e-5),
    "llama.rope.dimension_count": shape.width / shape.heads,
    "llama.rope.freq_base": f32(shape.ropeBase ?? 10_000),
    "llama.vocab_size": tokens.length,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "default",
    "tokenizer.ggml.tokens": tokens,
    // 1 normal, 2 unknown, 3 control: `enum llama_token_type` of llama.cpp.
    "tokenizer.ggml.token_type": array(
      "i32",
      tokens.map((_, id) => (id === unknownToken ? 2 : id <= endToken ? 3 : 1)),
    ),
    "tokenizer.ggml.merges": array("string", []),
    "tokenizer.ggml.unknown_token_id": unknownToken,
    "tokenizer.ggml.bos_token_id": startToken,
    "tokenizer.ggml.eos_token_id": endToken,
    "tokenizer.ggml.padding_token_id": unknownToken,
    "tokenizer.ggml.add_bos_token": true,
    "tokenizer.ggml.add_eos_token": false,
    "tokenizer.ggml.add_space_prefix": false,
  };
}

/** `weights` by tensor name, as `llamaTensors` lists them, and `output.weight` where it is not tied. Norms stay F32. */
export function writeLlama(
  shape: LlamaShape,
  weights: ReadonlyMap<string, Float32Array>,
  { type = "F32" }: { readonly type?: "F32" | "F16" } = {},
): Uint8Array {
  const expected = llamaTensors(shape);
  const embedding = expected[0] as (typeof expected)[number];
  if (weights.has("output.weight")) expected.push({ name: "output.weight", shape: embedding.shape });
  const tensors = expected.map(({ name, shape: dimensions }): TensorInput => {
    const data = weights.get(name);
    if (!data) throw new TypeError(`Cannot write the model as tensor '${name}' is missing`);
    return { name, shape: dimensions, type: dimensions.length === 1 ? "F32" : type, data };
  });
  return writeGguf({ metadata: llamaMetadata(shape), tensors });
}
