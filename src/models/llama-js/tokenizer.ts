/**
 * Text and tokens where every byte of the text is a token: a vocabulary of the kind `gpt2` without merges.
 * llama.cpp drops a character that such a vocabulary lacks, without a word; here it is an error.
 */
import { Failed } from "../../errors.ts";
import { characterBytes } from "../gguf/byte-characters.ts";
import { GgufError, type GgufHeader } from "../gguf/header.ts";
import { unsupported } from "./weights.ts";

export interface Tokenizer {
  readonly size: number;
  /** The token that every text begins with, where there is one. */
  readonly start: number | undefined;
  /** Ids of the tokens that end an answer; the first is the one that scores count. */
  readonly ends: readonly number[];
  /** @throws Failed `rejected` for a character outside the vocabulary. */
  encode(text: string): number[];
  /** The bytes that each token adds; none for control tokens. */
  readonly bytes: readonly Uint8Array[]; // [vocabulary]
}

/** Of `enum llama_token_type` of llama.cpp. */
const normal = 1;
const userDefined = 4;

export function readTokenizer({ metadata }: GgufHeader): Tokenizer {
  const kind = metadata.get("tokenizer.ggml.model");
  if (kind !== "gpt2") throw unsupported(`a tokenizer of the kind '${kind}', not 'gpt2'`);
  const merges = metadata.get("tokenizer.ggml.merges") ?? [];
  if (!Array.isArray(merges) || merges.length > 0) throw unsupported("a tokenizer with merges");
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const types = metadata.get("tokenizer.ggml.token_type");
  if (!Array.isArray(tokens) || tokens.length === 0)
    throw new GgufError("Metadata 'tokenizer.ggml.tokens' must be a list of strings");
  if (!(types instanceof Int32Array && types.length === tokens.length))
    throw new GgufError(`Metadata 'tokenizer.ggml.token_type' must hold ${tokens.length} numbers of type i32`);
  const id = (name: string): number | undefined => {
    const value = metadata.get(`tokenizer.ggml.${name}_token_id`);
    if (
      value === undefined ||
      (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < tokens.length)
    )
      return value;
    throw new GgufError(
      `Metadata 'tokenizer.ggml.${name}_token_id' must be an id below ${tokens.length}: it is ${value}`,
    );
  };

  const bytes = tokens.map((token: string, i) => {
    if (types[i] !== normal && types[i] !== userDefined) return new Uint8Array(0);
    const spelled = Array.from(token, (character) => characterBytes.get(character));
    if (spelled.includes(undefined))
      throw new GgufError(`Token ${i} is not spelled in the characters of GPT-2: ${JSON.stringify(token)}`);
    return Uint8Array.from(spelled as number[]);
  });
  const tokenOfByte = new Map<number, number>();
  bytes.forEach((spelled, i) => {
    const [first] = spelled;
    if (spelled.length === 1 && !tokenOfByte.has(first as number)) tokenOfByte.set(first as number, i);
  });

  const encoder = new TextEncoder();
  const encodeCharacter = (character: string): number[] =>
    Array.from(encoder.encode(character), (byte) => {
      const token = tokenOfByte.get(byte);
      if (token !== undefined) return token;
      throw new Failed(
        "rejected",
        `Cannot tokenize ${quoted(character)} as the model's vocabulary has no such character: leave it out`,
      );
    });
  const known = new Map<string, number[]>();
  return {
    size: tokens.length,
    start: metadata.get("tokenizer.ggml.add_bos_token") === true ? id("bos") : undefined,
    ends: [...new Set([id("eos"), id("eot")])].filter((end) => end !== undefined),
    bytes,
    encode(text) {
      const ids: number[] = [];
      for (const character of text) {
        let own = known.get(character);
        if (!own) known.set(character, (own = encodeCharacter(character)));
        for (const token of own) ids.push(token);
      }
      return ids;
    },
  };
}

const quoted = (character: string): string => (character === "'" ? `"'"` : `'${character}'`);
