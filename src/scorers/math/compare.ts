/**
 * Whether two answers are the same.
 *
 * Expressions are compared at points. Numbers and rational functions are evaluated exactly; where something is irrational, in
 * doubles to a relative 1e-9. For polynomials of degree d, five exact points out of two million accept a wrong one with
 * probability at most (d / 2,000,000)^5 (Schwartz 1980, Zippel 1979), were they drawn anew; they are fixed, so that a verdict
 * never changes. In doubles a difference below 1e-9 is not seen.
 */
import { random } from "../../math/random.ts";
import type { Answer, Expression } from "./parse.ts";
import {
  add,
  divide,
  Inexact,
  multiply,
  negate,
  power,
  type Rational,
  rational,
  root,
  show,
  toNumber,
} from "./rational.ts";

/** `$` and `°` are often left out, so they do not tell answers apart. */
const silentUnits = new Set(["$", "°"]);

/**
 * A unit on one side only is left aside, and a percentage then is both its number and its hundredth. A list in round or square
 * brackets has an order; a set, or a bare list of solutions, has none. `x = 5` is 5, unless the other names another unknown.
 */
export function sameAnswer(a: Answer, b: Answer): boolean {
  const [x, y] = [solved(a), solved(b)];
  if (x.name !== undefined && y.name !== undefined && x.name !== y.name) return false;
  return sameSolved(x.answer, y.answer);
}

function sameSolved(a: Answer, b: Answer): boolean {
  if (a.kind === "value" && b.kind === "value") return sameValue(a, b);
  if (a.kind === "list" && b.kind === "list") {
    if (a.items.length !== b.items.length) return false;
    if (!isUnordered(a) || !isUnordered(b))
      return a.brackets === b.brackets && a.items.every((item, i) => sameAnswer(item, b.items[i] as Answer));
    if (a.items.length > 50) return canonicalOf(a) === canonicalOf(b);
    const left = [...b.items];
    return a.items.every((item) => {
      const at = left.findIndex((other) => sameAnswer(item, other));
      if (at >= 0) left.splice(at, 1);
      return at >= 0;
    });
  }
  if (a.kind === "relation" && b.kind === "relation") {
    const same = (sides: readonly Answer[], signs: readonly string[]) =>
      a.signs.join() === signs.join() && a.sides.every((side, i) => sameSolved(side, sides[i] as Answer));
    return (
      same(b.sides, b.signs) || same([...b.sides].reverse(), b.signs.map((sign) => flipped[sign] ?? sign).reverse())
    );
  }
  return a.kind === "text" && b.kind === "text" && a.text === b.text;
}

const flipped: Readonly<Record<string, string>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=" };

const isUnordered = ({ brackets }: { readonly brackets: string }): boolean => brackets === "{}" || brackets === "";

/** The right side of `x = 5`, with the name. */
function solved(answer: Answer): { readonly answer: Answer; readonly name?: string } {
  if (answer.kind !== "relation" || answer.signs.join() !== "=") return { answer };
  const [left, right] = answer.sides as [Answer, Answer];
  if (left.kind !== "value" || left.expression.op !== "symbol" || left.unit) return { answer };
  return { answer: right, name: left.expression.name };
}

type Value = Answer & { kind: "value" };

function sameValue(a: Value, b: Value): boolean {
  if (a.unit !== undefined && b.unit !== undefined)
    return a.unit === b.unit && sameExpression(a.expression, b.expression);
  if (sameExpression(a.expression, b.expression)) return true;
  if (a.unit === "%") return sameExpression(hundredth(a.expression), b.expression);
  return b.unit === "%" && sameExpression(a.expression, hundredth(b.expression));
}

const hundredth = (a: Expression): Expression => ({
  op: "divide",
  a,
  b: { op: "number", value: rational(100n) },
});

const points = 5;
const tolerance = 1e-9;

function sameExpression(a: Expression, b: Expression): boolean {
  if (print(a) === print(b)) return true; // whatever its value, and whether it has one
  const names = [...new Set([...symbolsOf(a), ...symbolsOf(b)])];
  if (names.length === 0) {
    const [x, y] = [exactly(a, {}), exactly(b, {})];
    if (x && y) return x.n === y.n && x.d === y.d;
    return near(roughly(a, {}), roughly(b, {})) ?? false;
  }
  let seen = 0;
  for (let point = 0; point < points; point++) {
    const [x, y] = [exactly(a, exactPoint(point)), exactly(b, exactPoint(point))];
    if (x && y && (x.n !== y.n || x.d !== y.d)) return false;
    if (x && y) {
      seen++;
      continue;
    }
    const same = near(roughly(a, roughPoint(point)), roughly(b, roughPoint(point)));
    if (same === false) return false;
    if (same) seen++;
  }
  return seen >= 2; // elsewhere neither is defined
}

/** Undefined where neither side has a value. */
function near(x: number, y: number): boolean | undefined {
  if (Number.isNaN(x) && Number.isNaN(y)) return undefined;
  if (!Number.isFinite(x) || !Number.isFinite(y)) return false; // infinity is the same as itself alone; others are too large
  return Math.abs(x - y) <= tolerance * Math.max(1e-6, Math.abs(x), Math.abs(y));
}

function symbolsOf(expression: Expression, into: Set<string> = new Set()): Set<string> {
  if (expression.op === "symbol") into.add(expression.name);
  else if (expression.op === "call") for (const one of expression.args) symbolsOf(one, into);
  else if ("a" in expression) {
    symbolsOf(expression.a, into);
    if ("b" in expression) symbolsOf(expression.b, into);
  }
  return into;
}

function print(e: Expression): string {
  switch (e.op) {
    case "number":
      return show(e.value);
    case "symbol":
    case "constant":
      return e.name;
    case "negate":
      return `-${print(e.a)}`;
    case "call":
      return `${e.name}(${e.args.map(print).join(", ")})`;
    default:
      return `(${print(e.a)} ${e.op} ${print(e.b)})`;
  }
}

/** One number for each name, drawn from a stream of its own: where the name stands among the names does not matter. */
type Point = (name: string) => number;

const draw = (point: number, name: string) => {
  let seed = point + 1;
  for (let i = 0; i < name.length; i++) seed = (Math.imul(seed, 31) + name.charCodeAt(i)) >>> 0;
  return random(seed);
};
const exactPoint =
  (point: number): Point =>
  (name) =>
    draw(point, name).integer(2_000_001) - 1_000_000;
/** Around zero, as roots and logarithms care for signs; the first two points are positive, as most are defined there. */
const roughPoint =
  (point: number): Point =>
  (name) => {
    const { uniform } = draw(point, name);
    return (point < 2 ? 0.3 : -2) + 4 * uniform();
  };

/** Undefined where there is no exact value. */
function exactly(expression: Expression, at: Point | Record<never, never>): Rational | undefined {
  let work = 400_000; // bits handled: bounds the time of what is nested to be slow
  const value = (e: Expression): Rational => {
    const result = once(e);
    work -= result.n.toString(16).length + result.d.toString(16).length + 20;
    if (work < 0) throw new Inexact("too much work");
    return result;
  };
  const once = (e: Expression): Rational => {
    switch (e.op) {
      case "number":
        return e.value;
      case "symbol":
        return rational(BigInt((at as Point)(e.name)));
      case "add":
        return add(value(e.a), value(e.b));
      case "multiply":
        return multiply(value(e.a), value(e.b));
      case "divide":
        return divide(value(e.a), value(e.b));
      case "negate":
        return negate(value(e.a));
      case "power":
        return power(value(e.a), value(e.b));
      case "constant":
        throw new Inexact("irrational");
      case "call":
        return exactCall(e.name, e.args.map(value));
    }
  };
  try {
    return value(expression);
  } catch (error) {
    if (error instanceof Inexact) return undefined;
    throw error;
  }
}

function exactCall(name: string, [x, y]: readonly Rational[]): Rational {
  if (x && name === "sqrt") return root(x, 2);
  if (x && y && name === "root" && y.d === 1n) return root(x, Number(y.n));
  if (x && name === "abs") return x.n < 0n ? negate(x) : x;
  if (x && name === "factorial" && x.d === 1n && x.n >= 0n && x.n <= 200n) return rational(product(1n, x.n));
  if (x && y && name === "binomial" && x.d === 1n && y.d === 1n && y.n >= 0n && y.n <= 200n && x.n >= y.n)
    return rational(product(x.n - y.n + 1n, x.n), product(1n, y.n));
  throw new Inexact("irrational");
}

function product(from: bigint, to: bigint): bigint {
  let all = 1n;
  for (let i = from; i <= to; i++) all *= i;
  return all;
}

/** In doubles; NaN where it is undefined over the reals. */
function roughly(e: Expression, at: Point | Record<never, never>): number {
  switch (e.op) {
    case "number":
      return toNumber(e.value);
    case "symbol":
      return (at as Point)(e.name);
    case "constant":
      return e.name === "pi" ? Math.PI : e.name === "e" ? Math.E : Number.POSITIVE_INFINITY;
    case "add":
      return roughly(e.a, at) + roughly(e.b, at);
    case "multiply":
      return roughly(e.a, at) * roughly(e.b, at);
    case "divide":
      return roughly(e.a, at) / roughly(e.b, at);
    case "negate":
      return -roughly(e.a, at);
    case "power":
      return roughly(e.a, at) ** roughly(e.b, at);
    case "call":
      return roughCall(
        e.name,
        e.args.map((one) => roughly(one, at)),
      );
  }
}

const rough: Readonly<Record<string, (x: number, y: number) => number>> = {
  sqrt: Math.sqrt,
  root: (x, order) => (x < 0 && order % 2 === 1 ? -((-x) ** (1 / order)) : x ** (1 / order)),
  abs: Math.abs,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  cot: (x) => 1 / Math.tan(x),
  sec: (x) => 1 / Math.cos(x),
  csc: (x) => 1 / Math.sin(x),
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  exp: Math.exp,
  ln: Math.log,
  log: (x, base) => (base === undefined ? Math.log10(x) : Math.log(x) / Math.log(base)),
};

const roughCall = (name: string, [x = Number.NaN, y]: readonly number[]): number =>
  rough[name]?.(x, y as number) ?? Number.NaN;

/** One string for all answers that are the same; see `canonicalMath`. */
export function canonicalOf(given: Answer): string {
  const { answer } = solved(given);
  switch (answer.kind) {
    case "text":
      return answer.text;
    case "list": {
      const items = answer.items.map(canonicalOf);
      const [open, close] = answer.brackets || "{}";
      return `${open}${(isUnordered(answer) ? items.sort() : items).join(", ")}${close}`;
    }
    case "relation":
      return answer.sides.map((side, i) => canonicalOf(side) + (answer.signs[i] ?? "")).join("");
    case "value": {
      const percent = answer.unit === "%";
      const text = canonicalExpression(percent ? hundredth(answer.expression) : answer.expression);
      return answer.unit === undefined || percent || silentUnits.has(answer.unit) ? text : `${text} ${answer.unit}`;
    }
  }
}

function canonicalExpression(expression: Expression): string {
  const names = [...symbolsOf(expression)].sort();
  if (names.length === 0) {
    const exact = exactly(expression, {});
    const value = exact ? 0 : roughly(expression, {});
    return exact ? show(exact) : Number.isFinite(value) ? value.toPrecision(10) : print(expression);
  }
  if (expression.op === "symbol") return expression.name;
  // A formula is named by its values: the names alone may be more than it depends on.
  const values = [0, 1].map((point) => {
    const exact = exactly(expression, exactPoint(point));
    return exact ? show(exact) : roughly(expression, roughPoint(point)).toPrecision(10);
  });
  return `f: ${values.join(", ")}`;
}
