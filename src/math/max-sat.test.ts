import fc from "fast-check";
import { expect, test } from "vitest";
import { type Clause, type MaxSat, maxSat } from "./max-sat.ts";

const satisfied = (values: readonly boolean[], { literals }: Clause): boolean =>
  literals.some((literal) => values[Math.abs(literal) - 1] === literal > 0);

const lostBy = (values: readonly boolean[], clauses: readonly Clause[]): number =>
  clauses.reduce((lost, clause) => lost + (satisfied(values, clause) ? 0 : clause.weight), 0);

/** All assignments, true before false, the first of the best. */
function bruteForce(variables: number, clauses: readonly Clause[]): MaxSat {
  let best: MaxSat | undefined;
  for (let code = 0; code < 2 ** variables; code++) {
    const values = Array.from({ length: variables }, (_, i) => ((code >> (variables - 1 - i)) & 1) === 0);
    const lost = lostBy(values, clauses);
    if (!best || lost < best.lost) best = { values, lost };
  }
  return best as MaxSat;
}

const problems = (most: number) =>
  fc.integer({ min: 1, max: most }).chain((variables) => {
    const literal = fc.tuple(fc.integer({ min: 1, max: variables }), fc.boolean()).map(([v, sign]) => (sign ? v : -v));
    const clause = fc.record({
      literals: fc.array(literal, { maxLength: 4 }),
      weight: fc.integer({ min: 0, max: 9 }).map((weight) => weight / 4), // sums of quarters are exact
    });
    return fc.tuple(fc.constant(variables), fc.array(clause, { maxLength: 40 }));
  });

test("it is what trying all assignments finds, the same one of equals too", () => {
  fc.assert(
    fc.property(problems(9), ([variables, clauses]) => {
      expect(maxSat(variables, clauses)).toEqual(bruteForce(variables, clauses));
    }),
    { seed: 3, numRuns: 400 },
  );
});

test("so it is with up to sixteen variables", () => {
  fc.assert(
    fc.property(problems(16), ([variables, clauses]) => {
      expect(maxSat(variables, clauses)).toEqual(bruteForce(variables, clauses));
    }),
    { seed: 4, numRuns: 12 },
  );
});

test("by hand: a or b, not a, not b, of which the cheapest is given up", () => {
  const clauses = [
    { literals: [1, 2], weight: 5 },
    { literals: [-1], weight: 2 },
    { literals: [-2], weight: 1 },
  ];
  expect(maxSat(2, clauses)).toEqual({ values: [false, true], lost: 1 });
  expect(maxSat(0, [{ literals: [], weight: 3 }])).toEqual({ values: [], lost: 3 });
  expect(maxSat(2, [])).toEqual({ values: [true, true], lost: 0 });
});

test("a chain of forty implications with a fact at one end and a doubt at the other", () => {
  const clauses: Clause[] = Array.from({ length: 39 }, (_, i) => ({ literals: [-(i + 1), i + 2], weight: 3 }));
  const { values, lost } = maxSat(40, [...clauses, { literals: [1], weight: 2 }, { literals: [-40], weight: 1 }]);
  expect([values.every(Boolean), lost]).toEqual([true, 1]);
});

test.each([
  [{ literals: [1], weight: -1 }, "'weight'"],
  [{ literals: [1], weight: Infinity }, "'weight'"],
  [{ literals: [0], weight: 1 }, "±[1, 2]"],
  [{ literals: [-3], weight: 1 }, "±[1, 2]"],
])("refuses %j", (clause, what) => {
  expect(() => maxSat(2, [clause])).toThrow(what);
});
