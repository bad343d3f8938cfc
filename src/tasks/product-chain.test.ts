import { expect, test } from "vitest";
import { key } from "../key.ts";
import { productChain } from "./product-chain.ts";

const problem = productChain.parse("24*88*4*74\n");
const answer = "74*24=76;88*4*76\n76*4=4;88*4\n4*88=52\n"; // 24·88·4·74 = 625152

test("the answer of the header is correct, and 24·88·4·74 mod 100 is the reference", () => {
  expect(problem.reference).toBe("52");
  expect(productChain.check(problem, answer)).toMatchObject({
    correct: true,
    evidence: "every step holds: the product is 52 mod 100",
  });
});

test("the right number by a wrong step is counted by votes and refused by the checker", () => {
  const lucky = "74*24=77;88*4*77\n77*4=4;88*4\n4*88=52\n";
  expect(productChain.canonical(problem, lucky)).toBe("52");
  expect(productChain.check(problem, lucky)).toMatchObject({
    correct: false,
    evidence: "line 1: 74*24 is 76 mod 100, not 77",
  });
});

test.each([
  ["74*25=50;88*4*50\n", "74 and 25 are not both among 24*88*4*74"],
  ["74*24=76;88*76\n", "what remains is 88*4*76"],
  ["74*24=76\n", "what remains is 88*4*76"],
  [
    "74*24=1776;88*4*1776\n",
    "a step reads a*b=c;rest, where c is the product mod 100 and rest the factors that remain",
  ],
])("%j is refused: %s", (text, why) => {
  expect(productChain.check(problem, text).steps.at(-1)?.why).toBe(why);
  expect(productChain.solvable(problem, text)).toBe(false);
});

test("valid steps are always solvable, unfinished ones are not correct", () => {
  const lines = answer.split(/(?<=\n)/);
  for (let n = 0; n <= lines.length; n++) expect(productChain.solvable(problem, lines.slice(0, n).join(""))).toBe(true);
  expect(productChain.check(problem, lines.slice(0, 2).join("")).evidence).toBe("88*4 are not multiplied yet");
});

test("canonical reads the final number alone, and nothing from an answer that stops early", () => {
  expect(productChain.canonical(problem, answer)).toBe("52");
  expect(productChain.canonical(problem, "52")).toBe("52");
  expect(productChain.canonical(problem, "52\n")).toBe("52");
  for (const text of ["", "\n", "74*24=76;88*4*76\n", "052\n", "x52\n", "520\n"])
    expect(productChain.canonical(problem, text)).toBeUndefined();
});

test("the direct form has one line, the result", () => {
  const direct = productChain.parse("24*88*4*74=\n");
  expect(productChain.solve(direct, key(1))).toBe("52\n");
  expect(productChain.check(direct, "52\n").correct).toBe(true);
  expect(productChain.check(direct, "53\n").correct).toBe(false);
  expect(productChain.check(direct, "52\n52\n").correct).toBe(false);
  expect(productChain.check(direct, "").correct).toBe(false);
  expect(productChain.check(direct, answer).correct).toBe(false);
  expect(productChain.make(key(1), { level: "direct" }).prompt).toMatch(/^\d+\*\d+\*\d+\*\d+=\n$/);
});

test.each(["", "24", "24*", "0*2", "24*100", "24*88==", "1*2*3*4*5*6*7*8*9"])("%j is not a problem", (prompt) => {
  expect(() => productChain.parse(prompt)).toThrow(SyntaxError);
});
