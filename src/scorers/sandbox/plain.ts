/**
 * Plain data on its way between two interpreters: as JSON, with a tag where JSON has no word for a type.
 *
 * None, booleans and strings are themselves; the rest is `[tag, content]`: i integer (hexadecimal, any size), f float, c complex,
 * b bytes, l list, t tuple, s set, d dictionary (pairs), u undefined. Only these exact types travel: an object of a class of the
 * program's own, with an equality of its own, cannot leave its interpreter. What arrives was written by the program, so it is
 * read by what is expected, never by what it claims.
 */
import type { Json } from "../../problem.ts";

/** Arguments for a program. Whole numbers become integers. */
export function toPlain(value: Json): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number")
    return Number.isInteger(value) && !Object.is(value, -0)
      ? ["i", `${value < 0 ? "-" : ""}0x${BigInt(Math.abs(value)).toString(16)}`]
      : ["f", Object.is(value, -0) ? "-0.0" : String(value)];
  if (isList(value)) return ["l", value.map(toPlain)];
  return ["d", Object.entries(value).map(([name, item]) => [name, toPlain(item)])];
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const contentOf = (plain: unknown, tags: string): unknown =>
  Array.isArray(plain) && typeof plain[0] === "string" && plain[0].length === 1 && tags.includes(plain[0])
    ? plain[1]
    : undefined;

/**
 * Whether a result is the expected value. A tuple equals the array of its items, an integer the float of its value; a boolean is
 * no number, and a set no array. `tolerance` is absolute below 1 and relative above, for numbers alone. Expected
 * numbers beyond 2^53 are doubles already, so they are compared as such.
 */
export function isExpected(plain: unknown, expected: Json, tolerance = 0): boolean {
  if (expected === null || typeof expected === "boolean" || typeof expected === "string") return plain === expected;
  if (typeof expected === "number") {
    const whole = integerOf(plain);
    if (whole !== undefined && Number.isSafeInteger(expected) && tolerance === 0) return whole === BigInt(expected);
    const float = contentOf(plain, "f");
    const value = whole === undefined ? (typeof float === "string" ? Number(float) : Number.NaN) : Number(whole);
    return Math.abs(value - expected) <= tolerance * Math.max(1, Math.abs(expected));
  }
  if (isList(expected)) {
    const items = contentOf(plain, "lt");
    return (
      Array.isArray(items) &&
      items.length === expected.length &&
      expected.every((item, i) => isExpected(items[i], item, tolerance))
    );
  }
  const pairs = contentOf(plain, "d");
  const names = Object.keys(expected);
  if (!Array.isArray(pairs) || pairs.length !== names.length) return false;
  const found = new Map(
    pairs.map((pair): [unknown, unknown] => (Array.isArray(pair) ? [pair[0], pair[1]] : [pair, pair])),
  );
  return names.every((name) => found.has(name) && isExpected(found.get(name), expected[name] as Json, tolerance));
}

/** Longer hexadecimal numbers are not read: no expected number is that large. */
const mostDigits = 400;

function integerOf(plain: unknown): bigint | undefined {
  const text = contentOf(plain, "i");
  if (typeof text !== "string" || text.length > mostDigits || !/^-?0x[0-9a-f]+$/.test(text)) return undefined;
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}

/** For a person, at most `most` characters. */
export function showPlain(plain: unknown, most = 120): string {
  const text = show(plain, 0, { left: 4 * most });
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function show(plain: unknown, depth: number, room: { left: number }): string {
  if (depth > 20 || room.left < 0) return "…";
  const text = (() => {
    if (plain === null || typeof plain === "boolean") return String(plain);
    if (typeof plain === "string") return JSON.stringify(plain.slice(0, room.left));
    const [tag, content] = Array.isArray(plain) ? plain : [];
    if (tag === "u") return "undefined";
    if (tag === "i") return integerOf(plain)?.toString() ?? "a number of many digits";
    if (typeof content === "string") return content;
    const items = Array.isArray(content) ? content : [];
    const inner: string[] = [];
    for (const item of items) {
      if (room.left < 0) break;
      inner.push(
        tag === "d" && Array.isArray(item)
          ? `${show(item[0], depth + 1, room)}: ${show(item[1], depth + 1, room)}`
          : show(item, depth + 1, room),
      );
    }
    const [open, close] = tag === "d" || tag === "s" ? "{}" : tag === "t" || tag === "c" ? "()" : "[]";
    return `${open}${inner.join(", ")}${close}`;
  })();
  room.left -= text.length;
  return text;
}
