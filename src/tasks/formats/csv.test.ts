import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCsv } from "./csv.ts";

const written = (rows: readonly (readonly string[])[], end: string): string =>
  rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(",")).join(end);

describe("parseCsv", () => {
  test.each([
    ["a,b\nc,d\n", [["a", "b"], ["c", "d"]]],
    ["a,b\r\nc,d", [["a", "b"], ["c", "d"]]],
    ['"a, ""b""",c', [['a, "b"', "c"]]],
    ['"one\ntwo",x\ny,z', [["one\ntwo", "x"], ["y", "z"]]],
    [",\n\n,", [["", ""], ["", ""]]],
    ['""\n', [[""]]],
    ["é,数,🙂", [["é", "数", "🙂"]]],
    ["", []],
  ])("%j", (text, rows) => expect(parseCsv(text).map(({ fields }) => fields)).toEqual(rows)); // biome-ignore format: a table

  test("rows say the line that they begin on", () => {
    expect(parseCsv('a\n"b\n\nc"\n\nd').map(({ line }) => line)).toEqual([1, 2, 6]);
  });

  test.each([
    ['a\n"b', "line 2: expected the quote that is opened here to be closed"],
    ['a\n"b"c', "line 2: expected a comma or the end of the line after a closed quote"],
    ['a\nb"c"', "line 2: expected a field with a quote in it to be in quotes"],
  ])("refuses %j", (text, why) => expect(() => parseCsv(text)).toThrow(why));

  test("what is written in quotes is read back, whatever it holds", () => {
    const field = fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom('"', ",", "\n", "\r\n", "\ufeff"),
    );
    const rows = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.constantFrom("\n", "\r\n"), (table, end) => {
        expect(parseCsv(written(table, end)).map(({ fields }) => fields)).toEqual(table);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("bare fields are read back", () => {
    const field = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/[",\r\n]/.test(text));
    const rows = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 5 });
    fc.assert(
      fc.property(rows, (table) => {
        const text = table.map((row) => row.join(",")).join("\r\n");
        expect(parseCsv(text).map(({ fields }) => fields)).toEqual(table);
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});
