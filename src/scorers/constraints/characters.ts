/** Sets of characters as ranges of code points, and how they are written: shared by `regular` and `grammar`. */

/** Inclusive ranges. */
export type Characters = readonly (readonly [from: number, to: number])[];

export const last = 0x10ffff;
const digits: Characters = [[48, 57]];
const wordly: Characters = [[48, 57], [65, 90], [95, 95], [97, 122]]; // biome-ignore format: as they are read
// biome-ignore format: White_Space of ECMAScript's \s
const white: Characters = [[9, 13], [32, 32], [160, 160], [5760, 5760], [8192, 8202], [8232, 8233], [8239, 8239], [8287, 8287], [12288, 12288], [65279, 65279]];
// biome-ignore format: the line terminators that "." leaves out
export const anyButLineEnd: Characters = complement([[10, 10], [13, 13], [8232, 8233]]);

export const has = (set: Characters, codePoint: number): boolean =>
  set.some(([from, to]) => codePoint >= from && codePoint <= to);

export function complement(set: Characters): Characters {
  const gaps: [number, number][] = [];
  let free = 0;
  for (const [from, to] of [...set].sort(([a], [b]) => a - b)) {
    if (from > free) gaps.push([free, from - 1]);
    free = Math.max(free, to + 1);
  }
  if (free <= last) gaps.push([free, last]);
  return gaps;
}

/** Reads characters one by one. */
export class Source {
  readonly #characters: readonly string[];
  readonly #what: string;
  at = 0;

  constructor(text: string, what: string) {
    this.#characters = [...text];
    this.#what = what;
  }

  get done(): boolean {
    return this.at >= this.#characters.length;
  }

  peek(ahead = 0): string | undefined {
    return this.#characters[this.at + ahead];
  }

  take(): string {
    const character = this.#characters[this.at];
    if (character === undefined) throw this.error("it ends too early");
    this.at++;
    return character;
  }

  /** Takes it if it is next. */
  skip(text: string): boolean {
    const length = [...text].length;
    if (this.#characters.slice(this.at, this.at + length).join("") !== text) return false;
    this.at += length;
    return true;
  }

  error(why: string): SyntaxError {
    return new SyntaxError(`Cannot read the ${this.#what} at character ${this.at + 1}: ${why}`);
  }

  /** Digits as a number; undefined where there are none. */
  whole(): number | undefined {
    let digits = "";
    while (/^[0-9]$/.test(this.peek() ?? "")) digits += this.take();
    return digits === "" ? undefined : Number(digits);
  }
}

const classes: Readonly<Record<string, Characters>> = {
  d: digits,
  D: complement(digits),
  w: wordly,
  W: complement(wordly),
  s: white,
  S: complement(white),
};
const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, "0": 0 };

/** What stands after a backslash. */
export function escaped(source: Source): Characters {
  const letter = source.take();
  const known = classes[letter];
  if (known) return known;
  if (letter === "x") return single(hex(source, 2));
  if (letter === "u") {
    if (!source.skip("{")) return single(hex(source, 4));
    let digits = "";
    while (source.peek() !== "}") digits += source.take();
    source.take();
    return single(fromHex(source, digits));
  }
  const control = controls[letter];
  if (control !== undefined) return single(control);
  if (/[A-Za-z1-9]/.test(letter)) throw source.error(`'\\${letter}' is not supported`);
  return single(letter.codePointAt(0) as number);
}

/** What stands after an opening bracket, up to the closing one. */
export function bracketed(source: Source): Characters {
  const negated = source.skip("^");
  const ranges: [number, number][] = [];
  while (!source.skip("]")) {
    const from = member(source);
    const isRange = source.peek() === "-" && source.peek(1) !== "]";
    if (!isRange) {
      for (const [low, high] of from) ranges.push([low, high]);
      continue;
    }
    source.take();
    const to = member(source);
    const [low, high] = [from[0]?.[0] as number, to[0]?.[0] as number];
    if (!isSingle(from) || !isSingle(to) || low > high)
      throw source.error("a range needs two characters in ascending order");
    ranges.push([low, high]);
  }
  const set = negated ? complement(ranges) : ranges;
  if (set.length === 0) throw source.error("a class without characters matches nothing");
  return set;
}

export const single = (codePoint: number): Characters => [[codePoint, codePoint]];
const isSingle = (set: Characters): boolean => set.length === 1 && set[0]?.[0] === set[0]?.[1];
const member = (source: Source): Characters =>
  source.skip("\\") ? escaped(source) : single(source.take().codePointAt(0) as number);
const hex = (source: Source, count: number): number =>
  fromHex(source, Array.from({ length: count }, () => source.take()).join(""));

function fromHex(source: Source, digits: string): number {
  const value = /^[0-9a-fA-F]+$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
  if (value <= last) return value;
  throw source.error(`'${digits}' is not the hexadecimal number of a character`);
}

/** More repetitions than these are a mistake. */
const mostTimes = 20_000;

/** What stands after `{`: {m}, {m,} or {m,n}. */
export function counts(source: Source): { least: number; most: number } {
  const least = source.whole();
  const most = source.skip(",") ? (source.whole() ?? Infinity) : least;
  if (least === undefined || most === undefined || !source.skip("}"))
    throw source.error("a repetition is {m}, {m,} or {m,n}");
  if (least > mostTimes) throw source.error(`${least} repetitions are more than ${mostTimes}: repeat less`);
  if (most < least) throw source.error(`a repetition from ${least} to ${most} is none`);
  return { least, most };
}
