/**
 * The characters that stand for the 256 bytes in the vocabularies of GPT-2: printable bytes are themselves, the others
 * take U+0100 and up in order, so that a space is "Ġ" (U+0120) and a newline "Ċ" (U+010A).
 * Radford et al. 2019, `bytes_to_unicode` in the released code, https://github.com/openai/gpt-2/blob/master/src/encoder.py
 */
const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

/** [256] the character of each byte. */
export const byteCharacters: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();

/** The byte of each character. */
export const characterBytes: ReadonlyMap<string, number> = new Map(byteCharacters.map((c, byte) => [c, byte]));
