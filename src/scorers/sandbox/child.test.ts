import { describe, expect, test } from "vitest";
import { frame, frameReader, residentBytes } from "./child.ts";
import { checkRequest, defaultLimits, saysOutOfMemory } from "./sandbox.ts";

describe("frames", () => {
  const sent = [
    ["x", ""],
    ["o", "é\n"],
    ["e", "x".repeat(300)],
    ["x", '{"a": 1}'],
  ] as const;
  const bytes = Buffer.concat(sent.map(([kind, text]) => frame(kind, text)));

  test.each([1, 2, 3, 5, 7, 64, 1000])("arrive whole in chunks of %d", (size) => {
    const got: [string, string][] = [];
    const read = frameReader((kind, body) => got.push([kind, body.toString("utf8")]), 1000, expect.fail);
    for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
    expect(got).toEqual(sent);
  });

  test("that announce too much are told at once, before their text is there", () => {
    let told = 0;
    const read = frameReader(expect.fail, 1000, () => told++);
    read(frame("x", "a".repeat(1001)).subarray(0, 5));
    expect(told).toBe(1);
  });
});

test("limits and names of files are checked", () => {
  const request = { language: "python", code: "" } as const;
  expect(checkRequest(request)).toEqual(defaultLimits);
  expect(checkRequest({ ...request, limits: { timeMs: 5 } })).toEqual({ ...defaultLimits, timeMs: 5 });
  for (const timeMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => checkRequest({ ...request, limits: { timeMs } })).toThrow("limit 'timeMs' must be a positive integer");
  for (const name of ["../a", "/a", "a/b", "..", ".", "", "a\0", "a\nb"])
    expect(() => checkRequest({ ...request, files: { [name]: "" } })).toThrow("its name must be plain");
  expect(() => checkRequest({ ...request, files: { "data_1.txt": "" } })).not.toThrow();
});

test("the interpreter's last word tells that it was refused memory", () => {
  expect(saysOutOfMemory("Traceback\n  File\nMemoryError\n")).toBe(true);
  expect(saysOutOfMemory("MemoryError\nValueError: MemoryError\n")).toBe(false);
});

test.runIf(process.platform === "linux")("resident memory is read, and undefined of what is gone", () => {
  expect(residentBytes(process.pid)).toBeGreaterThan(2 ** 24);
  expect(residentBytes(2 ** 30)).toBeUndefined();
});
