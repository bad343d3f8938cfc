import { expect, test } from "vitest";
import { key } from "../key.ts";
import { consequencesOf, horn, type HornWorld, makeHorn, opposite, verdictOf, worldOf } from "./horn.ts";

const problem = horn.parse("a,b;a>c;b,c>-d;e>f?d\n");

test("the answer of the header is correct, with and without its last newline", () => {
  expect(horn.check(problem, "1:a>c\n2:b,c>-d\nno\n")).toEqual({
    correct: true,
    evidence: "every step holds: no",
    steps: ["1:a>c", "2:b,c>-d", "no"].map((text) => ({ text, valid: true })),
  });
  expect(horn.check(problem, "1:a>c\n2:b,c>-d\nno").correct).toBe(true);
  expect(problem.reference).toBe("no");
});

test.each([
  ["2:b,c>-d\n", "c is not known"],
  ["3:e>f\n", "e is not known"],
  ["2:a>c\n", "rule 2 is b,c>-d"],
  ["4:a>c\n", "there is no rule 4"],
  ["01:a>c\n", "a step reads n:premises>conclusion, the last one yes, no or unknown"],
  ["no\n", "-d is not known yet"],
  ["yes\n", "d is not known yet"],
  ["unknown\n", "rule 1 says more"],
  ["1:a>c\r\n", "a step reads n:premises>conclusion, the last one yes, no or unknown"],
])("%j is refused: %s", (text, why) => {
  const { correct, steps } = horn.check(problem, text);
  expect({ correct, steps }).toEqual({ correct: false, steps: [{ text: text.slice(0, -1), valid: false, why }] });
});

test("what is known, or answered, is not said twice", () => {
  expect(horn.check(problem, "1:a>c\n1:a>c\n").evidence).toBe("line 2: c is known already");
  expect(horn.check(problem, "1:a>c\n2:b,c>-d\nunknown\n").evidence).toBe("line 3: the question is decided");
  expect(horn.check(problem, "1:a>c\n2:b,c>-d\nno\nno\n").evidence).toBe("line 4: the question is answered already");
  expect(horn.check(problem, "1:a>c\n").evidence).toBe("the question is not answered");
});

test("unknown has to be earned: only where nothing more follows", () => {
  const open = horn.parse("a;a>b;c>d?d");
  expect(horn.check(open, "unknown").correct).toBe(false);
  expect(horn.check(open, "1:a>b\nunknown").correct).toBe(true);
});

test.each([
  ["a,b;a>c", "it must be facts, rules and a question"],
  ["a?b", "it must be facts, rules and a question"],
  ["a;>b?b", "it must be facts, rules and a question"],
  ["a;a>b>c?b", "it must be facts, rules and a question"],
  ["a;a>A?b", "it must be facts, rules and a question"],
  ["a;a>--b?b", "it must be facts, rules and a question"],
  ["a>b;a>b?b", "it must be facts, rules and a question"],
  ["a;a>b?b?", "it must be facts, rules and a question"],
  ["a,a;a>b?b", "no fact and no rule may be there twice"],
  ["a;a>b;a>b?b", "no fact and no rule may be there twice"],
  ["a;a>b;a>-b?b", "both b and -b follow"],
])("%j is no problem of it: %s", (prompt, why) => {
  expect(() => horn.parse(prompt)).toThrow(SyntaxError);
  expect(() => horn.parse(prompt)).toThrow(why);
});

test("a rule that is too long to be a step is refused with the problem, not with the proof", () => {
  const rule = (premises: number) => `${Array.from({ length: premises }, () => "a").join(",")}>b`;
  const fits = horn.parse(`a;${rule(98)}?b`); // 199 characters with "1:" before it
  expect(horn.check(fits, horn.solve(fits, key(1)) as string).correct).toBe(true);
  expect(() => horn.parse(`a;b>c;${rule(99)}?c`)).toThrow("rule 2 with its number has more than 200");
});

/** Another way to the same: the least set that holds the facts and is closed under the rules, by going on until nothing changes. */
function closure({ facts, rules }: HornWorld): Set<string> {
  const known = new Set(facts);
  for (let size = -1; size < known.size; ) {
    size = known.size;
    for (const { premises, conclusion } of rules) if (premises.every((one) => known.has(one))) known.add(conclusion);
  }
  return known;
}

test("worlds of each depth: a third of each verdict, proofs exactly as deep as the level says, and never a contradiction", () => {
  for (let depth = 1; depth <= 6; depth++) {
    const verdicts: Record<string, number> = { yes: 0, no: 0, unknown: 0 };
    for (let seed = 0; seed < 120; seed++) {
      const made = makeHorn(key(seed), depth);
      const world = worldOf(made);
      const verdict = verdictOf(world);
      verdicts[verdict] = (verdicts[verdict] as number) + 1;
      expect(made.reference).toBe(verdict);
      const known = closure(world);
      expect(new Set([...world.facts, ...consequencesOf(world).keys()])).toEqual(known);
      for (const literal of known) expect(known.has(opposite(literal))).toBe(false);
      const goal = verdict === "no" ? opposite(world.question) : world.question;
      expect(consequencesOf(world).get(goal)?.depth).toBe(verdict === "unknown" ? undefined : depth);
    }
    // Each is drawn with probability near 1/3: 120 draws, standard error 5.2; five of them either way.
    for (const count of Object.values(verdicts)) expect(Math.abs(count - 40)).toBeLessThan(26);
  }
});
