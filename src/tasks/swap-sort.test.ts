import fc from "fast-check";
import { expect, test } from "vitest";
import { key } from "../key.ts";
import { fewestSwaps, swapSort } from "./swap-sort.ts";

const problem = swapSort.parse("3:bdac\n"); // one cycle of four letters: 4 - 1 = 3 swaps
const answer = "d-a;badc\nb-a;abdc\nd-c;abcd\n";

test("the answer of the header is correct", () => {
  expect(swapSort.check(problem, answer)).toMatchObject({ correct: true, evidence: "sorted in 3 swaps" });
});

test.each([
  ["d-a;bcad\n", "the letters are badc after this swap"],
  ["d-e;badc\n", "d and e are not two of the letters bdac"],
  ["d-d;bdac\n", "d and d are not two of the letters bdac"],
  ["d-a\n", "a step reads x-y;letters: the two that are swapped, and all letters after the swap"],
  [`${answer}a-b;bacd\n`, "no swap is left"],
])("%j is refused: %s", (text, why) => {
  expect(swapSort.check(problem, text).steps.at(-1)?.why).toBe(why);
});

test("valid swaps that end unsorted are wrong", () => {
  expect(swapSort.check(problem, "d-a;badc\n").evidence).toBe("badc is not sorted");
  expect(swapSort.check(problem, "").evidence).toBe("bdac is not sorted");
  expect(swapSort.check(swapSort.parse("0:abc"), "").correct).toBe(true);
});

/** The oracle: breadth first over all swaps. */
function distance(letters: string): number {
  const goal = [...letters].sort().join("");
  let reached = new Set([letters]);
  for (let swaps = 0; ; swaps++) {
    if (reached.has(goal)) return swaps;
    const next = new Set<string>();
    for (const at of reached)
      for (let i = 0; i < at.length; i++)
        for (let j = i + 1; j < at.length; j++) {
          const list = [...at];
          [list[i], list[j]] = [at.charAt(j), at.charAt(i)];
          next.add(list.join(""));
        }
    reached = next;
  }
}

const permutation = fc.shuffledSubarray([..."acefh"], { minLength: 5 }).map((letters) => letters.join(""));

test("n minus cycles is the distance that breadth-first search finds", () => {
  fc.assert(
    fc.property(permutation, (letters) => {
      expect(fewestSwaps(letters)).toBe(distance(letters));
    }),
    { seed: 1, numRuns: 60 },
  );
});

test("solvable: exactly when the swaps that are left suffice", () => {
  fc.assert(
    fc.property(
      permutation,
      fc.integer({ min: 0, max: 5 }),
      fc.constantFrom(..."acefh"),
      fc.constantFrom(..."acefh"),
      (letters, swaps, x, y) => {
        const asked = swapSort.parse(`${swaps}:${letters}`);
        expect(swapSort.solvable(asked, "")).toBe(distance(letters) <= swaps);
        expect(swapSort.solve(asked, key(swaps)) !== undefined).toBe(distance(letters) <= swaps);
        const after = Array.from(letters, (c) => (c === x ? y : c === y ? x : c)).join("");
        expect(swapSort.solvable(asked, `${x}-${y};${after}\n`)).toBe(
          x !== y && swaps > 0 && distance(after) <= swaps - 1,
        );
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});

test("canonical: which swaps, not how they are written", () => {
  expect(swapSort.canonical(problem, answer)).toBe("a-d a-b c-d");
  expect(swapSort.canonical(problem, "a-d;badc\na-b;abdc\nc-d;abcd")).toBe("a-d a-b c-d");
  expect(swapSort.canonical(problem, "")).toBeUndefined();
  expect(swapSort.canonical(problem, "sorted!")).toBeUndefined();
});

test.each(["", "3:bdab", "3:b", "x:bdac", "3:bdaC", "-1:ba"])("%j is not a problem", (prompt) => {
  expect(() => swapSort.parse(prompt)).toThrow(SyntaxError);
});
