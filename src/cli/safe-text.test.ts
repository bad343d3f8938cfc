import fc from "fast-check";
import { expect, test } from "vitest";
import { fit, oneLine, safeLines, widthOf } from "./safe-text.ts";

test.each([
  ["\x1b[2J\x1b[31mred", "␛[2J␛[31mred"],
  ["a\nb\r\nc\td", "a⏎b␍⏎c d"],
  ["\x00\x07\x08\x7f", "␀␇␈␡"],
  ["\u009b31m", "<009B>31m"],
  ["abc\u202edcba", "abc<202E>dcba"],
  ["\ud800", "<D800>"],
  ["日本 é 👩‍👩‍👧", "日本 é 👩‍👩‍👧"],
])("%j is shown as %s", (text, shown) => expect(oneLine(text)).toBe(shown));

test("lines stay lines", () => expect(safeLines("a\tb\r\n\x1b]0;title\x07\n")).toBe("a\tb\n␛]0;title␇\n"));

// UAX 11 (wide is 2), and clusters as terminals draw them.
test.each([
  ["abc", 3],
  ["日本", 4],
  ["é", 1],
  ["👩‍👩‍👧", 2],
  ["✓ ✗ •", 5],
  ["", 0],
])("%s takes %i columns", (text, columns) => expect(widthOf(text)).toBe(columns));

test("nothing that controls a terminal comes through, and what is fitted fits", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(20), (text, columns) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
      expect(oneLine(text)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
      expect(widthOf(fit(oneLine(text), columns))).toBeLessThanOrEqual(columns);
    }),
  );
});
