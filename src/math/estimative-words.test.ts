import { expect, test } from "vitest";
import { key } from "../key.ts";
import { estimativeWordIn, estimativeWords, eventBounds } from "./estimative-words.ts";
import { random } from "./random.ts";

test("every word is found in a sentence, and none inside another", () => {
  for (const word of Object.keys(estimativeWords)) expect(estimativeWordIn(`I think: ${word}.`)).toBe(word);
  expect(estimativeWordIn("It is HIGHLY UNLIKELY")).toBe("highly unlikely");
  expect(estimativeWordIn("Almost certainly")).toBe("almost certain");
  expect(estimativeWordIn("It is a very good chance")).toBe("very good chance");
  for (const changed of ["not likely", "very unlikely", "less likely", "more probable than not"])
    expect(estimativeWordIn(`It is ${changed}`)).toBeUndefined();
  expect(estimativeWordIn("likely, or unlikely")).toBeUndefined();
  expect(estimativeWordIn("uncertain")).toBeUndefined();
});

test("no joint law leaves the bounds, and some reach them", () => {
  const stream = random(key(2));
  for (let i = 0; i < 300; i++) {
    // Masses of both, A alone, B alone, neither; with zeros, so that the ends are met.
    const masses = Array.from({ length: 4 }, () => (stream.uniform() < 0.4 ? 0 : stream.uniform()));
    const total = masses.reduce((sum, one) => sum + one, 1e-12);
    const [both = 0, onlyA = 0, onlyB = 0] = masses.map((one) => one / total);
    const [a, b] = [both + onlyA, both + onlyB].map((p) => ({ low: p, high: p })) as [Point, Point];
    const and = eventBounds.and(a, b);
    const or = eventBounds.or(a, b);
    expect(both).toBeGreaterThanOrEqual(and.low - 1e-12);
    expect(both).toBeLessThanOrEqual(and.high + 1e-12);
    expect(both + onlyA + onlyB).toBeGreaterThanOrEqual(or.low - 1e-12);
    expect(both + onlyA + onlyB).toBeLessThanOrEqual(or.high + 1e-12);
    if (onlyA === 0 || onlyB === 0) expect(both).toBeCloseTo(and.high, 10);
  }
  expect(eventBounds.not({ low: 0.2, high: 0.3 })).toEqual({ low: 0.7, high: 0.8 });
});

type Point = { low: number; high: number };
