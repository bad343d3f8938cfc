import fc from "fast-check";
import { expect, test } from "vitest";
import { key } from "../key.ts";
import { countdown } from "./countdown.ts";

const problem = countdown.parse("11,2,5,8>29\n");
const answer = "5*2=10;11,8,10\n11+10=21;8,21\n21+8=29\n";

test("the answer of the header is correct, with and without its last newline", () => {
  expect(countdown.check(problem, answer)).toEqual({
    correct: true,
    evidence: "reaches 29",
    steps: answer
      .trim()
      .split("\n")
      .map((text) => ({ text, valid: true })),
  });
  expect(countdown.check(problem, answer.trimEnd()).correct).toBe(true);
});

test.each([
  ["5*2=11;11,8,11\n", "5*2 is 10, not 11"],
  ["5*3=15;11,8,15\n", "5 and 3 are not both among 11,2,5,8"],
  ["5*5=25;11,2,8,25\n", "5 and 5 are not both among 11,2,5,8"],
  ["5*2=10;11,10\n", "what remains is 11,8,10"],
  ["5*2=10;11,8,8,10\n", "what remains is 11,8,10"],
  ["5*2=10\n", "what remains is 11,8,10"],
  ["5/2=2;11,8,2\n", "5/2 is 2.5, not 2"],
  ["2-5=3;11,8,3\n", "2-5 is -3, not 3"],
  ["5*2=010;11,8,10\n", "a step reads a+b=c;rest, where rest lists what remains"],
  ["\n", "a step reads a+b=c;rest, where rest lists what remains"],
  ["5*2=10;11,8,10\r\n", "a step reads a+b=c;rest, where rest lists what remains"],
])("%j is refused: %s", (text, why) => {
  const { correct, steps } = countdown.check(problem, text);
  expect({ correct, steps }).toEqual({ correct: false, steps: [{ text: text.slice(0, -1), valid: false, why }] });
  expect(countdown.solvable(problem, text)).toBe(false);
});

test("what remains may be listed in any order, and operands stand in any order", () => {
  expect(countdown.check(problem, "2*5=10;10,8,11\n10+11=21;21,8\n8+21=29\n").correct).toBe(true);
});

test("a valid answer that misses the target, or stops early, or goes on, is wrong and says so", () => {
  expect(countdown.check(problem, "5*2=10;11,8,10\n11+10=21;8,21\n21-8=13\n").evidence).toBe("reaches 13, not 29");
  expect(countdown.check(problem, "5*2=10;11,8,10\n").evidence).toBe("11,8,10 are not combined yet");
  expect(countdown.check(problem, "").evidence).toBe("11,2,5,8 are not combined yet");
  expect(countdown.check(problem, `${answer}29+1=30\n`).evidence).toBe(
    "line 4: all numbers are used: there is nothing left to combine",
  );
});

/**
 * The oracle: every value that numbers reach, by splitting the set in two in all ways. It shares nothing with the
 * solver, which goes pair by pair: an expression tree's root divides its leaves into those left and right of it.
 */
function values(numbers: readonly number[]): Set<number> {
  if (numbers.length === 1) return new Set(numbers);
  const found = new Set<number>();
  for (let mask = 1; mask < 2 ** numbers.length - 1; mask++) {
    const left = values(numbers.filter((_, i) => mask & (1 << i)));
    const right = values(numbers.filter((_, i) => !(mask & (1 << i))));
    for (const a of left)
      for (const b of right) {
        found.add(a + b).add(a * b);
        if (a > b) found.add(a - b);
        if (a % b === 0) found.add(a / b);
      }
  }
  return found;
}

test("solvable and solve agree with an independent enumeration of all values", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 13 }), { minLength: 2, maxLength: 4 }),
      fc.integer({ min: 1, max: 60 }),
      (numbers, target) => {
        const asked = countdown.parse(`${numbers.join(",")}>${target}`);
        const reachable = values(numbers).has(target);
        expect(countdown.solvable(asked, "")).toBe(reachable);
        const solution = countdown.solve(asked, key(target));
        expect(solution !== undefined && countdown.check(asked, solution).correct).toBe(reachable);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});

test("a prefix of an answer is solvable, and every branch agrees with the enumeration of what remains", () => {
  const lines = answer.split(/(?<=\n)/);
  for (let n = 0; n <= lines.length; n++) expect(countdown.solvable(problem, lines.slice(0, n).join(""))).toBe(true);
  expect(countdown.solvable(problem, answer.slice(0, -1))).toBe(false); // not whole lines
  expect(countdown.solvable(problem, "11*8=88;2,5,88\n")).toBe(values([2, 5, 88]).has(29));
  expect(countdown.solvable(problem, "11+8=19;2,5,19\n")).toBe(values([2, 5, 19]).has(29));
});

test("canonical: the order of independent steps and of what remains does not count, the equations do", () => {
  const asked = countdown.parse("9,3,8,2>3");
  const one = countdown.canonical(asked, "9-3=6;8,2,6\n8/2=4;6,4\n6-4=2\n");
  expect(one).toBe("6-4=2 8/2=4 9-3=6");
  expect(countdown.canonical(asked, "8/2=4;9,3,4\n9-3=6;4,6\n6-4=2\n")).toBe(one);
  expect(countdown.canonical(asked, "9-3=6;8,2,6\n")).toBeUndefined(); // states no result
  expect(countdown.canonical(asked, "no idea")).toBeUndefined();
});

test.each(["", "11>29", "11,2,5,8,9,10>29", "0,2>2", "100,2>3", "11,2,5,8>1000", "11,2>x", " 11,2>13"])(
  "%j is not a problem",
  (prompt) => {
    expect(() => countdown.parse(prompt)).toThrow(SyntaxError);
  },
);
