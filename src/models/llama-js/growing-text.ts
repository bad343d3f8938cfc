/** The text of tokens that come one by one, and where in it each token ends. */
import type { Tokenizer } from "./tokenizer.ts";

export class GrowingText {
  text = "";
  readonly tokens: number[] = [];
  /** Length of the text after each token. A token that ends inside a character adds nothing yet. */
  readonly #ends: number[] = [];
  readonly #tokenizer: Tokenizer;
  /** Only there once a byte was not ASCII: from then on characters can be incomplete. */
  #decoder: TextDecoder | undefined;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  add(token: number): void {
    const bytes = this.#tokenizer.bytes[token] as Uint8Array;
    this.#decoder ??= bytes.some((byte) => byte >= 128) ? new TextDecoder("utf-8", { ignoreBOM: true }) : undefined;
    this.text += this.#decoder ? this.#decoder.decode(bytes, { stream: true }) : String.fromCharCode(...bytes);
    this.tokens.push(token);
    this.#ends.push(this.text.length);
  }

  /** An incomplete character at the end becomes U+FFFD. */
  close(): void {
    this.text += this.#decoder?.decode() ?? "";
    if (this.#ends.length > 0) this.#ends[this.#ends.length - 1] = this.text.length;
  }

  /** The tokens of the first `length` UTF-16 units; undefined if that cuts one in two. */
  tokensOf(length: number): number[] | undefined {
    const count = this.#ends.findLastIndex((end) => end <= length) + 1;
    return (this.#ends[count - 1] ?? 0) === length ? this.tokens.slice(0, count) : undefined;
  }
}
