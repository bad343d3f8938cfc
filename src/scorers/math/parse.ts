/**
 * Reads a final answer as people and models write it: plain or in LaTeX. One pass by recursive descent, at most `mostCharacters`
 * long and `mostDepth` deep; what it does not understand is text.
 */
import { Inexact, ofNumeral, type Rational, rational } from "./rational.ts";

export type Expression =
  | { readonly op: "number"; readonly value: Rational }
  | { readonly op: "symbol" | "constant"; readonly name: string }
  | { readonly op: "add" | "multiply" | "divide" | "power"; readonly a: Expression; readonly b: Expression }
  | { readonly op: "negate"; readonly a: Expression }
  /** sqrt, root (with its order), log (with its base), sin and so on. */
  | { readonly op: "call"; readonly name: string; readonly args: readonly Expression[] };

export type Answer =
  | { readonly kind: "value"; readonly expression: Expression; readonly unit: string | undefined }
  /** `brackets` is what encloses it: "()" in this order, "{}" in any; "" for a bare list, in any order too. */
  | { readonly kind: "list"; readonly brackets: string; readonly items: readonly Answer[] }
  | { readonly kind: "relation"; readonly signs: readonly string[]; readonly sides: readonly Answer[] }
  | { readonly kind: "text"; readonly text: string };

export const mostCharacters = 2000;
const mostDepth = 60;

/** Never throws. */
export function parseAnswer(raw: string): Answer {
  const text = clean(raw.slice(0, mostCharacters + 1));
  if (raw.length > mostCharacters) return asText(raw);
  const words = wordsOf(text);
  if (words !== undefined) return words;
  try {
    const plus = new Parser(text, "+").whole();
    if (!/\\pm|\\mp|±/.test(text)) return plus;
    return { kind: "list", brackets: "", items: [plus, new Parser(text, "-").whole()] };
  } catch (error) {
    if (error instanceof Unreadable || error instanceof Inexact) return asText(text);
    throw error;
  }
}

class Unreadable extends Error {}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Invisible marks away, look-alikes to ASCII, LaTeX's spaces and sizes away. Every rule is a fixed word: linear. */
function clean(raw: string): string {
  let text = raw
    .replace(/[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "")
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (digit) => `^${superscripts.indexOf(digit)}`)
    .replace(/[¼-¾⅐-⅞↉]/g, " $&") // else 1½ would become 11/2
    .normalize("NFKC")
    .replace(/[−–—]/g, "-")
    .replace(/[×·⋅∗]/g, "*")
    .replace(/[÷⁄]/g, "/")
    .replaceAll("π", "\\pi ")
    .replaceAll("∞", "\\infty ")
    .replaceAll("√", "\\sqrt ")
    .replaceAll("∪", "\\cup ")
    .replaceAll("≤", "\\le ")
    .replaceAll("≥", "\\ge ")
    .replaceAll("≠", "\\ne ")
    .replaceAll("∅", "\\emptyset ")
    .replaceAll("°", "\\degree ")
    .replaceAll("{,}", "")
    .replace(/\\(?:left|right|bigl|bigr|Bigl|Bigr|big|Big|displaystyle|limits)(?![a-zA-Z])/g, "")
    .replace(/\\[,!;:> ()[\]]|\\q?quad(?![a-zA-Z])|~|&/g, (found) => (found === "\\!" || found === "\\," ? "" : " "))
    .replaceAll("**", "")
    .trim();
  const dollars = text.match(/(?<!\\)\$/g)?.length ?? 0;
  if (dollars > 0 && dollars % 2 === 0) text = text.replace(/(?<!\\)\$/g, ""); // around formulas; a single one is money
  text = /^\\(?:text|textbf|mathrm|mathbf|mbox)\{([^{}]*\d[^{}]*)\}$/.exec(text)?.[1] ?? text;
  return text
    .replace(/^[\s:*=]+/, "")
    .trimEnd()
    .replace(/[.,;]$/, "")
    .trim();
}

const asText = (text: string): Answer => ({
  kind: "text",
  text: text.replace(/\s/g, "").toLowerCase(),
});

/** `\text{yes}`, `yes`, `(A)`: an answer in words. A single letter is a symbol, like x. */
function wordsOf(text: string): Answer | undefined {
  const inner = /^\\(?:text|textbf|textit|mathrm|mathbf|mbox)\{([^{}]*)\}$/.exec(text)?.[1] ?? text;
  const bare = inner.trim().replace(/^\(([A-Za-z])\)$/, "$1");
  if (/^[A-Za-z]$/.test(bare)) return { kind: "value", expression: { op: "symbol", name: bare }, unit: undefined };
  if (!/^[A-Za-z][A-Za-z' -]*$/.test(bare) || bare in constants) return undefined;
  if (/^[A-Za-z](?: ?- ?[A-Za-z])+$/.test(bare)) return undefined; // p - q is a difference
  if (inner === text && /^[a-z]{2}$/.test(bare) && bare !== "no") return undefined; // xy is x times y
  return { kind: "text", text: bare.toLowerCase().replace(/\s+/g, " ") };
}

const constants: Readonly<Record<string, string>> = { pi: "pi", e: "e", infty: "infinity", infinity: "infinity" };
// biome-ignore format: a list of words
const functions = new Set([
  "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "ln", "log", "exp", "abs",
]);
// biome-ignore format: a list of words
const greek = new Set([
  "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "theta", "lambda", "mu", "nu", "rho", "sigma", "tau", "phi", "varphi",
  "omega", "Delta", "Omega", "ell",
]);
const textCommands = new Set(["text", "textbf", "textit", "mathrm", "mathbf", "mbox", "operatorname", "rm"]);
const signs: Readonly<Record<string, string>> = {
  "=": "=",
  "<": "<",
  ">": ">",
  le: "<=",
  leq: "<=",
  ge: ">=",
  geq: ">=",
  ne: "!=",
  neq: "!=",
};

/** Other spellings of one unit. Words that are not here lose their plural s. */
// biome-ignore format: a table
const units: Readonly<Record<string, string>> = {
  millimeter: "mm", centimeter: "cm", meter: "m", metre: "m", centimetre: "cm", kilometer: "km", kilometre: "km", inche: "inch", in: "inch",
  feet: "foot", ft: "foot", yd: "yard", mi: "mile", gram: "g", kilogram: "kg", lb: "pound", lbs: "pound", oz: "ounce", second: "s", sec: "s",
  minute: "min", hour: "h", hr: "h", liter: "l", litre: "l", milliliter: "ml", dollar: "$", usd: "$", degree: "°", percent: "%", cent: "¢",
  euro: "€", "mile per hour": "mph", "kilometer per hour": "km/h", kph: "km/h",
};
const shortUnits = new Set([
  "mm",
  "cm",
  "dm",
  "km",
  "kg",
  "mg",
  "lb",
  "lbs",
  "oz",
  "ft",
  "in",
  "yd",
  "mi",
  "ml",
  "hr",
  "min",
  "sec",
  "mph",
  "kph",
]);

/** One spelling of a unit in words. */
export function unitOf(words: string): string | undefined {
  let text = words
    .toLowerCase()
    .replace(/[^a-z%$€£¥¢°/^0-9 ]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  if (text === "") return undefined;
  let exponent = "";
  const squared = /^(square|sq|cubic|cu) (.+)$/.exec(text);
  if (squared) [text, exponent] = [squared[2] as string, squared[1]?.startsWith("s") ? "^2" : "^3"];
  const tail = /^(.*\S) ?\^ ?([23])$/.exec(text);
  if (tail) [text, exponent] = [tail[1] as string, `^${tail[2]}`];
  const singular = text
    .split(" ")
    .map((word) => (word.length > 2 && word.endsWith("s") ? word.slice(0, -1) : word))
    .join(" ");
  return (units[text] ?? units[singular] ?? singular) + exponent;
}

class Parser {
  #at = 0;
  #depth = 0;
  readonly #text: string;
  /** What ± means this time. */
  readonly #sign: "+" | "-";

  constructor(text: string, sign: "+" | "-") {
    this.#text = text;
    this.#sign = sign;
  }

  whole(): Answer {
    const answer = this.#list("");
    this.#space();
    if (this.#at < this.#text.length) throw new Unreadable(this.#text.slice(this.#at));
    return answer;
  }

  #space(): void {
    while (this.#text[this.#at] === " " || this.#text[this.#at] === "\n" || this.#text[this.#at] === "\t") this.#at++;
  }

  /** The next character that is not a space. */
  #peek(): string {
    this.#space();
    return this.#text[this.#at] ?? "";
  }

  #take(word: string): boolean {
    this.#space();
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** The name of the command that stands here, without its backslash; `\{` is "{". */
  #command(): string {
    if (this.#peek() !== "\\") return "";
    let end = this.#at + 1;
    while (isLetter(this.#text[end])) end++;
    return this.#text.slice(this.#at + 1, Math.max(end, this.#at + 2));
  }

  #word(): string {
    this.#space();
    let end = this.#at;
    while (isLetter(this.#text[end])) end++;
    return this.#text.slice(this.#at, end);
  }

  #deeper<T>(read: () => T): T {
    if (++this.#depth > mostDepth) throw new Unreadable("too deep");
    const result = read();
    this.#depth--;
    return result;
  }

  #list(open: string): Answer {
    const items = [this.#relation(open === "")];
    for (;;) {
      if (
        this.#take(",") ||
        this.#take(";") ||
        this.#take("\\cup") ||
        this.#take("\\text{ or }") ||
        this.#take("\\text{ and }")
      ) {
        // the next item
      } else if (["or", "and"].includes(this.#word())) this.#at += this.#word().length;
      else break;
      if (this.#word() === "and" || this.#word() === "or") this.#at += this.#word().length; // "1, 2, and 3"
      items.push(this.#relation(open === ""));
    }
    return items.length === 1 ? (items[0] as Answer) : { kind: "list", brackets: open, items };
  }

  #relation(top: boolean): Answer {
    const sides: Answer[] = [this.#value(top)];
    const found: string[] = [];
    for (;;) {
      const word = this.#command() || this.#peek();
      const sign = signs[word];
      if (sign === undefined) break;
      this.#at += this.#command() ? word.length + 1 : 1;
      const wide = sign.length === 1 && sign !== "=" && this.#take("=");
      found.push(wide ? `${sign}=` : sign);
      sides.push(this.#value(top));
    }
    return found.length === 0 ? (sides[0] as Answer) : { kind: "relation", signs: found, sides };
  }

  /** An expression with its unit, or a list in brackets. */
  #value(top: boolean): Answer {
    const collection = this.#collection();
    if (collection) return collection;
    let unit: string | undefined;
    for (const [mark, name] of [
      ["\\$", "$"],
      ["$", "$"],
      ["€", "€"],
      ["£", "£"],
    ] as const)
      if (unit === undefined && this.#take(mark)) unit = name;
    const expression = this.#sum(top);
    unit = this.#unit() ?? unit;
    return { kind: "value", expression, unit };
  }

  #unit(): string | undefined {
    let words = "";
    for (;;) {
      const command = this.#command();
      if (textCommands.has(command)) {
        if (/^(?:\\text\{ (?:or|and) \})/.test(this.#text.slice(this.#at, this.#at + 12))) break;
        this.#at += command.length + 1;
        words += ` ${this.#braced()}`;
      } else if (command === "%" || this.#peek() === "%") {
        this.#at += command ? 2 : 1;
        words += " %";
      } else if (command === "$" || command === "degree") {
        this.#at += command.length + 1;
        words += command === "$" ? " $" : " degree";
      } else if (this.#text.startsWith("^\\circ", this.#at) || this.#text.startsWith("^{\\circ}", this.#at)) {
        this.#at += this.#text[this.#at + 1] === "{" ? 8 : 6;
        words += " degree";
      } else if (words !== "" && this.#take("^"))
        words += `^${this.#take("{") ? this.#until("}") : this.#text[this.#at++]}`;
      else if (words !== "" && this.#peek() === "/") {
        this.#at++;
        words += "/";
      } else if (this.#peek() === "$" || this.#peek() === "€") words += ` ${this.#text[this.#at++]}`;
      else {
        const word = this.#word();
        if (word === "" || word === "or" || word === "and") break;
        if (words === "" && word.length === 1 && !this.#endsAfter(word)) break;
        this.#at += word.length;
        words += ` ${word}`;
      }
    }
    return unitOf(words);
  }

  #endsAfter = (word: string): boolean => this.#text.slice(this.#at + word.length).trim() === "";

  /** `(1, 2)`, `[1, 2)`, `\{1, 2\}`, `\emptyset`; undefined where brackets only group. */
  #collection(): Answer | undefined {
    if (this.#command() === "emptyset" || this.#command() === "varnothing") {
      this.#at += this.#command().length + 1;
      return { kind: "list", brackets: "{}", items: [] };
    }
    const from = this.#at;
    const open = this.#take("\\{") ? "{" : this.#take("(") ? "(" : this.#take("[") ? "[" : "";
    if (open === "") return undefined;
    const list = this.#deeper(() => {
      if (open === "{" && this.#take("\\}")) return { kind: "list", brackets: "{}", items: [] } as Answer;
      const inner = this.#list(open);
      const close = this.#take("\\}") ? "}" : this.#take(")") ? ")" : this.#take("]") ? "]" : "";
      if (close === "" || (open === "{") !== (close === "}")) throw new Unreadable("unclosed");
      const items = inner.kind === "list" && inner.brackets === open ? inner.items : [inner];
      return items.length === 1 && open !== "{"
        ? undefined
        : ({ kind: "list", brackets: open + close, items } as Answer);
    });
    if (list === undefined) this.#at = from; // brackets around one thing: part of an expression
    return list;
  }

  #sum(top = false): Expression {
    let left = this.#product(top);
    for (;;) {
      const sign = this.#plusOrMinus();
      if (sign === undefined) return left;
      const right = this.#product(top);
      left = { op: "add", a: left, b: sign === "+" ? right : { op: "negate", a: right } };
    }
  }

  #plusOrMinus(): "+" | "-" | undefined {
    if (this.#take("+")) return "+";
    if (this.#take("-")) return "-";
    if (this.#take("\\pm") || this.#take("±")) return this.#sign;
    if (this.#take("\\mp")) return this.#sign === "+" ? "-" : "+";
    return undefined;
  }

  #product(top: boolean): Expression {
    let left = this.#signed(top);
    for (;;) {
      if (this.#take("*") || this.#take("\\cdot") || this.#take("\\times"))
        left = { op: "multiply", a: left, b: this.#signed(top) };
      else if (this.#take("/") || this.#take("\\div")) left = { op: "divide", a: left, b: this.#signed(top) };
      else if (this.#startsFactor()) left = { op: "multiply", a: left, b: this.#power(top) };
      else return left;
    }
  }

  /** Whether what follows is multiplied though no sign says so. Two numerals side by side are not. */
  #startsFactor(): boolean {
    const next = this.#peek();
    if (next === "(" || next === "{") return true;
    const command = this.#command();
    if (command) return isFactor(command);
    const word = this.#word();
    if (word === "" || word === "or" || word === "and" || shortUnits.has(word)) return false;
    // "5 m", at the end of all, is five metres; "5m" is a product
    if (word.length === 1)
      return !("mgshL".includes(word) && this.#text[this.#at - 1] === " " && this.#endsAfter(word));
    return word.length === 2 || functions.has(word) || word in constants || word === "sqrt";
  }

  #signed(top: boolean): Expression {
    const sign = this.#plusOrMinus();
    if (sign === undefined) return this.#power(top);
    const a = this.#deeper(() => this.#signed(top));
    return sign === "+" ? a : { op: "negate", a };
  }

  #power(top: boolean): Expression {
    let base = this.#primary(top);
    for (;;) {
      if (this.#take("!")) base = { op: "call", name: "factorial", args: [base] };
      else if (this.#peek() === "^" && !/^\^\{?\\(circ|degree)/.test(this.#text.slice(this.#at, this.#at + 9))) {
        this.#at++;
        return { op: "power", a: base, b: this.#deeper(() => this.#exponent()) };
      } else return base;
    }
  }

  /** `^2`, `^{10}`, `^-1`, `^x`, and for plain text `^10`. */
  #exponent(): Expression {
    if (this.#take("-")) return { op: "negate", a: this.#exponent() };
    return this.#power(false);
  }

  #primary(top: boolean): Expression {
    const next = this.#peek();
    if (isDigit(next) || (next === "." && isDigit(this.#text[this.#at + 1]))) return this.#number(top);
    if (next === "(" || next === "[" || next === "{") {
      this.#at++;
      const inner = this.#deeper(() => this.#sum());
      if (!this.#take(next === "(" ? ")" : next === "[" ? "]" : "}")) throw new Unreadable("unclosed");
      return inner;
    }
    if (next === "|") {
      this.#at++;
      const inner = this.#deeper(() => this.#sum());
      if (!this.#take("|")) throw new Unreadable("unclosed");
      return { op: "call", name: "abs", args: [inner] };
    }
    const command = this.#command();
    if (command) return this.#deeper(() => this.#ofCommand(command));
    const word = this.#word();
    const name = constants[word];
    if (name !== undefined) {
      this.#at += word.length;
      return { op: "constant", name };
    }
    if (functions.has(word) || word === "sqrt") return this.#deeper(() => this.#call(word, word.length));
    if (word.length === 1 || word.length === 2) return this.#symbol(word[0] as string, 1);
    throw new Unreadable(this.#text.slice(this.#at));
  }

  #ofCommand(command: string): Expression {
    const length = command.length + 1;
    if (["frac", "dfrac", "tfrac", "cfrac"].includes(command)) {
      this.#at += length;
      const a = this.#argument();
      return { op: "divide", a, b: this.#argument() };
    }
    if (command === "binom" || command === "dbinom" || command === "tbinom") {
      this.#at += length;
      const n = this.#argument();
      return { op: "call", name: "binomial", args: [n, this.#argument()] };
    }
    if (command === "boxed" || command === "fbox") {
      this.#at += length;
      return this.#argument();
    }
    if (command === "sqrt" || functions.has(command)) return this.#call(command, length);
    const name = constants[command];
    if (name !== undefined) {
      this.#at += length;
      return { op: "constant", name };
    }
    if (greek.has(command)) return this.#symbol(command, length);
    throw new Unreadable(command);
  }

  /** `x`, `x_1`, `\theta_{max}`. */
  #symbol(name: string, length: number): Expression {
    this.#at += length;
    if (this.#text[this.#at] !== "_") return { op: "symbol", name };
    this.#at++;
    const index = this.#text[this.#at] === "{" ? this.#braced() : (this.#text[this.#at++] ?? "");
    return { op: "symbol", name: `${name}_${index.trim()}` };
  }

  /** What stands behind `\frac` and `\sqrt`: a group in braces, or one digit, letter or command. */
  #argument(): Expression {
    const next = this.#peek();
    if (!isDigit(next)) return this.#deeper(() => this.#primary(false));
    this.#at++;
    return { op: "number", value: ofNumeral(next) };
  }

  #call(name: string, length: number): Expression {
    this.#at += length;
    if (name === "sqrt") {
      const order = this.#take("[") ? ofNumeral(this.#digits("]")) : undefined;
      const plain = this.#peek();
      const a = isDigit(plain) && length === 4 ? this.#number(false) : this.#argument();
      return order
        ? { op: "call", name: "root", args: [a, { op: "number", value: order }] }
        : { op: "call", name, args: [a] };
    }
    const base = this.#take("_") ? this.#argument() : undefined;
    const exponent = this.#take("^") ? this.#argument() : undefined;
    const a = this.#power(false);
    const args = name === "log" && base ? [a, base] : [a];
    const call: Expression = { op: "call", name, args };
    return exponent ? { op: "power", a: call, b: exponent } : call;
  }

  #digits(end: string): string {
    const text = this.#until(end).trim();
    if (!/^\d{1,3}$/.test(text)) throw new Unreadable(text);
    return text;
  }

  #until(end: string): string {
    const at = this.#text.indexOf(end, this.#at);
    if (at < 0) throw new Unreadable("unclosed");
    const text = this.#text.slice(this.#at, at);
    this.#at = at + end.length;
    return text;
  }

  #braced(): string {
    if (!this.#take("{")) throw new Unreadable("no group");
    return this.#until("}");
  }

  /** 12, 1,234 (not within brackets, where commas separate), 12.50, 1e3, and a mixed fraction: 1 1/2, 1\frac{1}{2}. */
  #number(top: boolean): Expression {
    const start = this.#at;
    const text = this.#text;
    while (isDigit(text[this.#at])) this.#at++;
    let numeral = text.slice(start, this.#at);
    while (top && numeral.length <= 3 * 400 && text[this.#at] === "," && this.#isGroup(this.#at + 1, numeral, start)) {
      numeral += text.slice(this.#at + 1, this.#at + 4);
      this.#at += 4;
    }
    const isWhole = !(text[this.#at] === "." && isDigit(text[this.#at + 1]));
    if (!isWhole) {
      const point = this.#at++;
      while (isDigit(text[this.#at])) this.#at++;
      numeral += text.slice(point, this.#at);
    } else if (text[this.#at] === ".") this.#at++; // "5."
    if (text[this.#at] === "e" || text[this.#at] === "E") {
      const signed = text[this.#at + 1] === "-" || text[this.#at + 1] === "+" ? 1 : 0;
      if (isDigit(text[this.#at + 1 + signed])) {
        const mark = this.#at;
        this.#at += 1 + signed;
        while (isDigit(text[this.#at])) this.#at++;
        return { op: "number", value: ofNumeral(numeral + text.slice(mark, this.#at)) };
      }
    }
    const value = ofNumeral(numeral);
    const part = isWhole ? this.#mixedPart() : undefined;
    return part ? { op: "add", a: { op: "number", value }, b: { op: "number", value: part } } : { op: "number", value };
  }

  /** Exactly three digits, after a group of one to three: a comma between thousands. */
  #isGroup(at: number, numeral: string, start: number): boolean {
    const first = this.#text.indexOf(",", start) - start;
    return (
      first >= 1 &&
      first <= 3 &&
      !(numeral.length === 1 && numeral === "0") &&
      [0, 1, 2].every((i) => isDigit(this.#text[at + i])) &&
      !isDigit(this.#text[at + 3])
    );
  }

  #mixedPart(): Rational | undefined {
    const rest = this.#text.slice(this.#at, this.#at + 60);
    const found =
      /^\s*\\[dt]?frac\{?(\d{1,20}?)\}?\{?(\d{1,20})\}?/.exec(rest) ?? /^ +(\d{1,20})\/(\d{1,20})(?![\d.])/.exec(rest);
    if (!found) return undefined;
    const [n, d] = [BigInt(found[1] as string), BigInt(found[2] as string)];
    if (n >= d) return undefined; // no mixed fraction: a product, or unreadable
    this.#at += found[0].length;
    return rational(n, d);
  }
}

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= "0" && character <= "9";
const isLetter = (character: string | undefined): boolean =>
  character !== undefined && ((character >= "a" && character <= "z") || (character >= "A" && character <= "Z"));
const isFactor = (command: string): boolean =>
  ["frac", "dfrac", "tfrac", "cfrac", "sqrt", "binom", "dbinom", "boxed", "fbox"].includes(command) ||
  functions.has(command) ||
  command in constants ||
  greek.has(command);
