import fc from "fast-check";
import { expect, test } from "vitest";
import { stated } from "../../../test/helpers/reasoner.ts";
import { cost } from "../../budget.ts";
import { key } from "../../key.ts";
import { random } from "../../math/random.ts";
import { run } from "../../run.ts";
import type { Score, Scorer } from "../../scorer.ts";
import { type Associate, oddOneOut, thinkSum } from "./think-sum.ts";

const policy = stated("");
const problem = { id: "set", prompt: "" };

/** A table of associations as a model would tell them: p(item | given), one call each. */
const table =
  (probabilities: Readonly<Record<string, Readonly<Record<string, number | undefined>>>>): Associate<string> =>
  (item, given) => ({
    name: `${item} given ${given}`,
    kind: "probability",
    bound: () => cost({ calls: 1 }),
    score: () => ({
      score: { kind: "probability", value: probabilities[given]?.[item] ?? Number.NaN },
      cost: cost({ calls: 1 }),
    }),
  });

const animals = {
  dog: { cat: 0.5, cow: 0.4, car: 0.1 },
  cat: { dog: 0.6, cow: 0.3, car: 0.05 },
  cow: { dog: 0.3, cat: 0.3, car: 0.02 },
  car: { dog: 0.1, cat: 0.05, cow: 0.01 },
};

test("the odd one out is the exact one, with its probability", async () => {
  const search = oddOneOut({ items: () => ["dog", "cat", "cow", "car"], associate: table(animals), answer: stated });
  const { text, outcome, confidence, spent } = await run(search, problem, { policy });
  // In proportion to the product of all pairs without it, by hand.
  const { dog, cat, cow, car } = animals;
  const without = {
    car: dog.cat * dog.cow * cat.dog * cat.cow * cow.dog * cow.cat,
    cow: dog.cat * dog.car * cat.dog * cat.car * car.dog * car.cat,
    cat: dog.cow * dog.car * cow.dog * cow.car * car.dog * car.cow,
    dog: cat.cow * cat.car * cow.cat * cow.car * car.cat * car.cow,
  };
  const total = Object.values(without).reduce((sum, one) => sum + one);
  expect(text).toBe("car");
  for (const { choice, probability } of outcome?.choices ?? [])
    expect(probability).toBeCloseTo(without[choice as keyof typeof without] / total, 12);
  expect(outcome?.choices.map(({ choice }) => choice)).toEqual(["car", "cow", "cat", "dog"]);
  expect(confidence).toBe(outcome?.choices[0]?.probability);
  expect(spent.calls).toBe(12);
});

const likelihoods = {
  flies: { robin: 0.9, eagle: 0.8, penguin: 0.01 },
  swims: { robin: 0.05, eagle: 0.3, penguin: 0.95 },
};

test.each([
  // 0.9 × 0.8 × 0.01 = 0.0072 against 0.05 × 0.3 × 0.95 = 0.01425; the means are 0.57 and 0.4333.
  ["product", "swims", 0.01425 / (0.01425 + 0.0072)],
  ["mixture", "flies", 1.71 / (1.71 + 1.3)],
] as const)("a set query by %s, by hand: %s", async (sum, expected, probability) => {
  const search = thinkSum({
    choices: () => ["flies", "swims"],
    items: () => ["robin", "eagle", "penguin"],
    associate: table(likelihoods),
    sum,
    answer: stated,
  });
  const { text, confidence } = await run(search, problem, { policy });
  expect(text).toBe(expected);
  expect(confidence).toBeCloseTo(probability, 12);
});

test("the order of the items changes nothing, to the last bit", async () => {
  const items = ["a", "b", "c", "d", "e", "f"];
  const stream = random(key(8));
  const weights = Object.fromEntries(
    items.map((given) => [given, Object.fromEntries(items.map((item) => [item, stream.uniform() ** 8]))]),
  );
  const ask = async (order: readonly string[]) => {
    const associate = table(weights);
    const odd = await run(oddOneOut({ items: () => order, associate, answer: stated }), problem, { policy });
    const query = await run(
      thinkSum({ choices: () => order, items: () => order, associate, sum: "mixture", answer: stated }),
      problem,
      { policy },
    );
    return [odd.text, odd.outcome?.choices, query.text, query.outcome?.choices];
  };
  const expected = await ask(items);
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(items, { minLength: items.length }), async (order) => {
      expect(await ask(order)).toEqual(expected);
    }),
    { seed: 2, numRuns: 40 },
  );
});

test("equal ones: the first in the order of their texts; impossible ones share nothing", async () => {
  const even = table(Object.fromEntries(["b", "a"].map((given) => [given, { a: 0.5, b: 0.5 }])));
  expect(
    (await run(oddOneOut({ items: () => ["b", "a"], associate: even, answer: stated }), problem, { policy })).text,
  ).toBe("a");
  const never = table({ x: { one: 0, two: 1 }, y: { one: 0.1, two: 0.1 }, z: { one: 0, two: 0 } });
  const { outcome } = await run(
    thinkSum({ choices: () => ["x", "y", "z"], items: () => ["one", "two"], associate: never, answer: stated }),
    problem,
    { policy },
  );
  expect(outcome?.choices).toEqual([
    { choice: "y", probability: 1 },
    { choice: "x", probability: 0 },
    { choice: "z", probability: 0 },
  ]);
});

test("what cannot be scored is left out, never taken for zero", async () => {
  const holes = table({ x: { one: 0.4, two: Number.NaN }, y: { one: 0.5, two: 0.2 }, z: {} });
  const { text, outcome } = await run(
    thinkSum({ choices: () => ["x", "y", "z"], items: () => ["one", "two"], associate: holes, answer: stated }),
    problem,
    { policy },
  );
  // x: 0.4, squared for the one that is missing, 0.16; y: 0.5 × 0.2 = 0.1; of z nothing is known.
  expect(text).toBe("x");
  expect(outcome?.choices[0]?.probability).toBeCloseTo(0.16 / 0.26, 12);
  expect(outcome?.choices.length).toBe(2);
});

test("verdicts and log-likelihoods are likelihoods too; rewards are not", async () => {
  const giving =
    (score: Score): Associate<string> =>
    (item, given): Scorer<string> => ({ name: `${item} ${given}`, kind: score.kind, score: () => score });
  const search = (score: Score) =>
    thinkSum({ choices: () => ["x"], items: () => ["one"], associate: giving(score), answer: stated });
  expect((await run(search({ kind: "verdict", correct: true }), problem, { policy })).text).toBe("x");
  expect((await run(search({ kind: "log-likelihood", value: -3 }), problem, { policy })).text).toBe("x");
  await expect(run(search({ kind: "reward", value: 1 }), problem, { policy })).rejects.toThrow("which have no scale");
});

test("a spent budget leaves what was scored", async () => {
  const search = oddOneOut({ items: () => ["dog", "cat", "cow", "car"], associate: table(animals), answer: stated });
  const { answer, stopped } = await run(search, problem, { policy, budget: { calls: 6 } });
  expect([answer?.done, stopped.why]).toEqual([true, "budget-spent"]);
  expect((await run(search, problem, { policy, budget: { calls: 0 } })).answer).toBeUndefined();
});
