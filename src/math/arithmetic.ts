/**
 * Arithmetic as people and models write it, evaluated exactly: + - * / and parentheses, also × · x for times, ÷ : for
 * divided by, − for minus; decimals are fractions, so 0.1 + 0.2 = 0.3 holds.
 *
 * Recursive descent: one reading from left to right, one operation a sign, brackets at most `deepest` deep, texts at most
 * `longest` characters. Fractions are reduced once, at the end: their digits are never more than those of the text.
 */

/** In lowest terms, the denominator positive. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** A value, or why there is none. */
export type Evaluated = { readonly value: Fraction } | { readonly why: string };

const longest = 1000;
const deepest = 100;

const signs: Readonly<Record<string, "+" | "-" | "*" | "/">> = {
  "+": "+",
  "-": "-",
  "−": "-",
  "–": "-",
  "*": "*",
  "×": "*",
  "·": "*",
  x: "*",
  X: "*",
  "/": "/",
  "÷": "/",
  ":": "/",
};

/** Never throws. */
export function evaluate(text: string): Evaluated {
  if (text.length > longest)
    return { why: `an expression has at most ${longest} characters, this one has ${text.length}` };
  try {
    return { value: new Reader(text).whole() };
  } catch (error) {
    if (error instanceof SyntaxError) return { why: error.message };
    throw error;
  }
}

/**
 * Whether all sides of `4 x 5 = 20` or `2 + 3 = 4 + 1 = 5` are equal; `value` is that of the last side. Undefined where it is
 * no equation: no sign of equality, or a side that is no arithmetic.
 */
export function checkEquation(
  text: string,
): { readonly holds: boolean; readonly value: Fraction; readonly why?: string } | undefined {
  const sides = text.length > longest ? [] : text.split("=");
  if (sides.length < 2) return undefined;
  const values: Fraction[] = [];
  for (const side of sides) {
    const evaluated = evaluate(side);
    if ("why" in evaluated) return undefined;
    values.push(evaluated.value);
  }
  const value = values.at(-1) as Fraction;
  const [first, ...others] = values as [Fraction, ...Fraction[]];
  const wrong = others.findIndex((other) => !sameFraction(first, other));
  if (wrong < 0) return { holds: true, value };
  return {
    holds: false,
    value,
    why: `${(sides[0] as string).trim()} is ${fractionText(first)}, not ${fractionText(others[wrong] as Fraction)}`,
  };
}

export const sameFraction = (a: Fraction, b: Fraction): boolean =>
  a.numerator === b.numerator && a.denominator === b.denominator;

/** `7`, or `7/2`. */
export const fractionText = ({ numerator, denominator }: Fraction): string =>
  denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Fraction {
    const value = this.#sum();
    if (this.#at < this.#text.length)
      throw new SyntaxError(`${JSON.stringify(this.#text[this.#at])} is no part of arithmetic here`);
    return reduced(value);
  }

  #sum(): Fraction {
    let value = this.#product();
    for (let sign = this.#peek(); sign === "+" || sign === "-"; sign = this.#peek()) {
      this.#at++;
      const { numerator, denominator } = this.#product();
      const added = sign === "+" ? numerator : -numerator;
      value = {
        numerator: value.numerator * denominator + added * value.denominator,
        denominator: value.denominator * denominator,
      };
    }
    return value;
  }

  #product(): Fraction {
    let value = this.#factor();
    for (let sign = this.#peek(); sign === "*" || sign === "/"; sign = this.#peek()) {
      this.#at++;
      const { numerator, denominator } = this.#factor();
      if (sign === "/" && numerator === 0n) throw new SyntaxError("a division by zero has no value");
      const [over, under] = sign === "*" ? [numerator, denominator] : [denominator, numerator];
      value = { numerator: value.numerator * over, denominator: value.denominator * under };
    }
    return value;
  }

  #factor(): Fraction {
    let negative = false;
    for (let sign = this.#peek(); sign === "+" || sign === "-"; sign = this.#peek()) {
      this.#at++;
      if (sign === "-") negative = !negative;
    }
    const { numerator, denominator } = this.#atom();
    return { numerator: negative ? -numerator : numerator, denominator };
  }

  #atom(): Fraction {
    this.#skipSpace();
    if (this.#text[this.#at] === "(") {
      if (++this.#depth > deepest) throw new SyntaxError(`brackets go at most ${deepest} deep`);
      this.#at++;
      const value = this.#sum();
      if (this.#text[this.#at] !== ")") throw new SyntaxError("a bracket is not closed");
      this.#at++;
      this.#depth--;
      this.#skipSpace();
      return value;
    }
    const number = /\d+(?:\.\d+)?/y;
    number.lastIndex = this.#at;
    const digits = number.exec(this.#text)?.[0];
    if (digits === undefined) throw new SyntaxError(`a number is missing at character ${this.#at + 1}`);
    this.#at += digits.length;
    this.#skipSpace();
    const [ones, decimals = ""] = digits.split(".") as [string, string?];
    return { numerator: BigInt(ones + decimals), denominator: 10n ** BigInt(decimals.length) };
  }

  /** The sign that comes next, undefined where none does; white space before it is passed. */
  #peek(): "+" | "-" | "*" | "/" | undefined {
    this.#skipSpace();
    const next = this.#text[this.#at] ?? "";
    return Object.hasOwn(signs, next) ? signs[next] : undefined;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }
}

function reduced({ numerator, denominator }: Fraction): Fraction {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator];
  while (b > 0n) [a, b] = [b, a % b];
  const divisor = denominator < 0n ? -a : a;
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}
