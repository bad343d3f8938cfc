import fc from "fast-check";
import { expect, test } from "vitest";
import { checkEquation, evaluate, fractionText } from "./arithmetic.ts";

const valueOf = (text: string): string => {
  const evaluated = evaluate(text);
  return "why" in evaluated ? evaluated.why : fractionText(evaluated.value);
};

test.each([
  ["4 x 5 + 10", "30"],
  ["4 × (5 + 10)", "60"],
  ["10 - 2 - 3", "5"], // from left to right
  ["24 / 4 / 2", "3"],
  ["24 ÷ (4 / 2)", "12"],
  ["2 - -3", "5"],
  ["-(2 − 5) · 2", "6"],
  ["7 / 2", "7/2"],
  ["0.1 + 0.2", "3/10"],
  ["1 / 3 * 3", "1"],
  ["6 / (0 - 4)", "-3/2"],
  ["  12  ", "12"],
  ["99999999999999999999 + 1", "100000000000000000000"],
])("%s is %s", (text, value) => expect(valueOf(text)).toBe(value));

test.each([
  ["", "a number is missing at character 1"],
  ["2 +", "a number is missing at character 4"],
  ["2 3", '"3" is no part of arithmetic here'],
  ["(2", "a bracket is not closed"],
  ["2)", '")" is no part of arithmetic here'],
  ["1 / (2 - 2)", "a division by zero has no value"],
  ["process.exit()", "a number is missing at character 1"],
  ["constructor", "a number is missing at character 1"],
  ["(".repeat(500), "brackets go at most 100 deep"],
  ["1+".repeat(600), "an expression has at most 1000 characters, this one has 1200"],
])("%s has no value: %s", (text, why) => expect(valueOf(text)).toBe(why));

test("brackets side by side are not deep", () => {
  expect(valueOf(Array.from({ length: 150 }, () => "(1)").join("+"))).toBe("150");
});

test("an equation holds when all its sides are equal", () => {
  expect(checkEquation("4 x 5 = 20")).toMatchObject({ holds: true });
  expect(checkEquation("2 + 3 = 4 + 1 = 5")).toMatchObject({ holds: true });
  expect(checkEquation("7 / 2 = 3.5")).toMatchObject({ holds: true });
  expect(checkEquation("4 x 5 = 25")).toMatchObject({ holds: false, why: "4 x 5 is 20, not 25" });
  expect(checkEquation("20 + 10")).toBeUndefined();
  expect(checkEquation("the result = 30")).toBeUndefined();
});

interface Expression {
  readonly text: string;
  readonly value: number;
}

test("it agrees with JavaScript on whole numbers", () => {
  const { expression } = fc.letrec<{ expression: Expression; sum: Expression; leaf: Expression }>((tie) => ({
    expression: fc.oneof({ maxDepth: 5 }, tie("leaf"), tie("sum")),
    leaf: fc.nat(20).map((value) => ({ text: `${value}`, value })),
    sum: fc.tuple(tie("expression"), fc.constantFrom("+", "-", "*"), tie("expression")).map(([a, sign, b]) => ({
      text: `(${a.text} ${sign} ${b.text})`,
      value: sign === "+" ? a.value + b.value : sign === "-" ? a.value - b.value : a.value * b.value,
    })),
  }));
  fc.assert(
    fc.property(expression, ({ text, value }) => {
      fc.pre(text.length <= 1000 && Number.isSafeInteger(value));
      expect(valueOf(text)).toBe(`${value + 0}`.replace(/^-0$/, "0"));
    }),
    { seed: 5 },
  );
});

test("nonsense never throws", () => {
  const noise = fc.string({ unit: fc.constantFrom(..."0123456789.+-*/()x×÷= e"), maxLength: 40 });
  fc.assert(
    fc.property(noise, (text) => {
      evaluate(text);
      checkEquation(text);
    }),
    { seed: 6 },
  );
});
