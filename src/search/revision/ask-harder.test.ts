import { expect, test } from "vitest";
import { cost } from "../../budget.ts";
import { random } from "../../math/random.ts";
import type { Policy } from "../../policy.ts";
import { run } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { type AskHarderOptions, askHarder, makeItMore } from "./ask-harder.ts";

/** An output of this world is a pair: how beautiful it is, and how much of a waterfall is left in it. */
type Picture = readonly [beauty: number, waterfall: number];
const problem = { id: "picture", prompt: "a {very}beautiful waterfall" };

function painting(paint: (from: Picture, uniform: number) => Picture | undefined): Policy<Picture> {
  return {
    name: "painting",
    root: () => [0, 0],
    text: String,
    bound: () => cost({ calls: 1 }),
    async *extend(from, { seeds }) {
      for (const [index, seed] of seeds.entries()) {
        const state = paint(from, random(seed).uniform());
        if (!state) throw new Error("no picture");
        const drawn = { logProb: 0, logProposal: 0, length: 1, cost: cost({ calls: 1 }) };
        yield { type: "extension", index, extension: { state, done: true, ...drawn } };
      }
    },
  };
}
const scorerOf = (name: string, part: 0 | 1): Scorer<Picture> => ({
  name,
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: state[part] }),
});
const [beauty, waterfall] = [scorerOf("beauty", 0), scorerOf("waterfall", 1)];

/** What a strength makes of the picture: more beautiful with each "very", and from the fifth on no waterfall any more. */
const plain = (strength: number): Picture => [strength, strength < 5 ? 1 : 0];
const asking: AskHarderOptions<Picture> = {
  ask: (strength) => painting(() => plain(strength)),
  scorer: beauty,
  guard: waterfall,
};
const policy = painting(() => undefined); // never asked
const look = (search: ReturnType<typeof askHarder<Picture>>, options = {}) =>
  run(search, problem, { policy, ...options });

test("it stops when the guard falls, and the best before the fall is the answer", async () => {
  const { answer, outcome, spent } = await look(askHarder(asking));
  expect(outcome?.curve.map(({ strength, score, guard }) => [strength, score, guard])).toEqual([
    [0, 0, 1],
    [1, 1, 1],
    [2, 2, 1],
    [3, 3, 1],
    [4, 4, 1],
    [5, 5, 0],
  ]);
  expect([answer?.state, outcome?.ended, spent.calls]).toEqual([[4, 1], "guard-fell", 6]);
});

test("a guard may fall by as much as is allowed", async () => {
  const fading = (strength: number) => painting(() => [strength, 1 - strength / 8]);
  const { answer, outcome } = await look(askHarder({ ...asking, ask: fading, mostFall: 0.5 }));
  expect([answer?.state, outcome?.curve.at(-1)?.guard, outcome?.ended]).toEqual([[4, 0.5], 0.375, "guard-fell"]);
});

test("it stops on a plateau, and the first of equal outputs is the answer", async () => {
  const levelling = (strength: number) => painting(() => [Math.min(strength, 3), 1]);
  const { answer, outcome } = await look(askHarder({ ...asking, ask: levelling, patience: 2 }));
  expect([answer?.state, outcome?.ended]).toEqual([[3, 1], "plateau"]);
  expect(outcome?.candidates.indexOf(answer as NonNullable<typeof answer>)).toBe(3);
  expect(outcome?.curve.length).toBe(6); // 0, 1, 2, 3, and two that are no better
});

test("after a turn of the score the best is kept", async () => {
  const turning = (strength: number) => painting(() => [-((strength - 2) ** 2), 1]);
  const { answer, outcome } = await look(askHarder({ ...asking, ask: turning, patience: 9, most: 6 }));
  expect(outcome?.curve.map(({ score }) => score)).toEqual([-4, -1, -0, -1, -4, -9, -16]);
  expect([outcome?.candidates.indexOf(answer as NonNullable<typeof answer>), outcome?.ended]).toEqual([2, "strongest"]);
});

test("asking harder asks the root each time; making it more edits the last output", async () => {
  const more = painting(([beauty, waterfall]) => [beauty + 1, waterfall + 1]);
  const depths = async (make: typeof askHarder<Picture>) =>
    (await look(make({ ...asking, ask: () => more, most: 3, patience: 9 }))).outcome?.curve.map(({ output }) => [
      output.depth,
      output.state[0],
    ]);
  expect(await depths(askHarder)).toEqual([1, 1, 1, 1].map((depth) => [depth, 1]));
  expect(await depths(makeItMore)).toEqual([1, 2, 3, 4].map((depth) => [depth, depth]));
});

test("drift is measured from the first output", async () => {
  const distance = (a: { state: Picture }, b: { state: Picture }) => Math.abs(a.state[0] - b.state[0]);
  const more = painting(([beauty]) => [beauty + 2, 1]);
  const { outcome } = await look(makeItMore({ ...asking, ask: () => more, most: 3, distance }));
  expect(outcome?.curve.map(({ drift }) => drift)).toEqual([0, 2, 4, 6]);
});

test("a random walk that is edited n times drifts as far as theory says", async () => {
  // n steps of +1 or -1: the mean square is n; its deviation is below n √2.
  const walk = painting(([at], uniform) => [at + (uniform < 0.5 ? 1 : -1), 1]);
  const [most, runs] = [16, 400];
  let squares = 0;
  for (let seed = 0; seed < runs; seed++) {
    const distance = (a: { state: Picture }, b: { state: Picture }) => b.state[0] - a.state[0];
    const search = makeItMore({ ...asking, ask: () => walk, most, patience: 99, distance });
    squares += ((await look(search, { seed })).outcome?.curve.at(-1)?.drift as number) ** 2;
  }
  expect(Math.abs(squares / runs - most)).toBeLessThan((4 * most * Math.SQRT2) / Math.sqrt(runs)); // false alarm: 6e-5
});

test("an output that failed is passed over; one that nobody vouches for is not the answer", async () => {
  const failing = (strength: number) => painting(() => (strength === 1 ? undefined : plain(strength)));
  const { outcome } = await look(askHarder({ ...asking, ask: failing, most: 3 }));
  expect(outcome?.curve.map(({ strength }) => strength)).toEqual([0, 2, 3]);

  const blind: Scorer<Picture> = {
    ...waterfall,
    score: ({ state }) => ({ kind: "reward", value: state[0] === 3 ? Number.NaN : 1 }),
  };
  const unguarded = await look(askHarder({ ...asking, guard: blind, most: 3 }));
  expect([unguarded.answer?.state, unguarded.outcome?.curve.at(-1)]).toMatchObject([[2, 1], { guard: undefined }]);
});

test("a spent budget leaves the best so far", async () => {
  const { answer, outcome, stopped } = await look(askHarder(asking), { budget: { calls: 3 } });
  expect([answer?.state, outcome?.ended, stopped.why]).toEqual([[2, 1], "budget", "budget-spent"]);
});

test.each([
  ["most", -1],
  ["patience", 0],
  ["mostFall", Number.NaN],
])("refuses %s = %d by name", (name, value) => {
  expect(() => makeItMore({ ...asking, [name]: value })).toThrow(`'${name}'`);
});
