import { expect, test } from "vitest";
import { lineEnd, paragraphEnd, sentenceEnd, type StepEnd } from "./steps.ts";

/** Cuts a text as a search would: one step after the other, each from what is left. */
function steps(end: StepEnd, text: string): string[] {
  const cut: string[] = [];
  for (let left = text; left !== ""; ) {
    const length = end(left) ?? left.length;
    cut.push(left.slice(0, length));
    left = left.slice(length);
  }
  return cut;
}

test.each([
  ["line", lineEnd, "a\nb\r\n\n  \nc", ["a\n", "b\r\n", "\n  \nc"]],
  [
    "sentence",
    sentenceEnd,
    'It is 3.14. "Why?" he asked.\nSo! 好。完',
    ["It is 3.14. ", '"Why?" ', "he asked.\n", "So! ", "好。", "完"],
  ],
  ["paragraph", paragraphEnd, "a\nb\n\nc\n \n\nd", ["a\nb\n\n", "c\n \n", "\nd"]],
])("%s", (_, end, text, expected) => {
  expect(steps(end, text)).toEqual(expected);
});

test.each([
  ["line", lineEnd],
  ["sentence", sentenceEnd],
  ["paragraph", paragraphEnd],
] as const)("the end of a %s does not move when more is written", (_, end) => {
  const text = 'One two. "Three?"  Four!\n\n\nFive 6.7\n \nEight。Nine.';
  for (let i = 0; i <= text.length; i++) {
    const length = end(text.slice(0, i));
    if (length !== undefined) expect(end(text)).toBe(length);
  }
});

test.each([
  ["line", lineEnd, "a ".repeat(1e5)],
  ["sentence", sentenceEnd, '"a '.repeat(1e5)],
  ["paragraph", paragraphEnd, "a \n \rb".repeat(1e5)],
] as const)("a %s that never ends is read once", (_, end, text) => {
  const start = performance.now();
  expect(end(text)).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(500); // a quadratic search of 10^5 characters takes seconds
});
