import { describe, expect, test } from "vitest";
import { cost } from "../../budget.ts";
import { angle, dot, norm, scaled, type Vector } from "../../math/linear.ts";
import { key } from "../../key.ts";
import { random } from "../../math/random.ts";
import { latent } from "../../policies/latent.ts";
import { run } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { changesAlong, latentDirection, type LatentDirectionOptions } from "./latent-direction.ts";

const dimension = 5;
const space = latent({ dimension });

async function learn(value: (z: Vector) => number, options: Partial<LatentDirectionOptions> = {}) {
  const scorer: Scorer<Vector> = {
    name: "value",
    kind: "reward",
    bound: () => cost({ calls: 1 }),
    score: ({ state }) => ({ score: { kind: "reward", value: value(state) }, cost: cost({ calls: 1 }) }),
  };
  const search = latentDirection({ space, ...options });
  const result = await run(search, { id: "d", prompt: "" }, { policy: space, scorer, seed: 2 });
  if (!result.outcome?.direction) throw new Error("no direction");
  return { ...result.outcome, direction: result.outcome.direction, spent: result.spent };
}

describe("a linear score", () => {
  const weights = [1, -2, 0.5, 0, 3];
  const value = (z: Vector) => dot(weights, z) + 7;

  test.each([
    ["exact slopes", { gradient: () => weights }],
    ["measured slopes", {}],
  ])("%s: d is w / |w|², the shortest direction of slope 1, without error", async (_, options) => {
    const { direction, slope, error, without } = await learn(value, options);
    const shortest = scaled(weights, 1 / dot(weights, weights));
    for (const [i, x] of direction.entries()) expect(x).toBeCloseTo(shortest[i] as number, 8);
    expect([slope, error]).toEqual([expect.closeTo(1, 8), expect.closeTo(0, 8)]);
    expect(without).toBeCloseTo(0.2 * Math.sqrt((1 + 0.25) / 2), 12);
  });

  test("costs one score a sample, one more for each round after the first, and five for the check", async () => {
    const samples = 20;
    const { spent } = await learn(value, { gradient: () => weights, samples });
    expect(spent.calls).toBe(samples * (1 + 1 + 5)); // the second round moves nothing, so there is no third
  });
});

describe("a generator with known factors", () => {
  // Three factors of an output, each a bent function of its own direction in a mixed latent space.
  const stream = random(key(4));
  const axes = Array.from({ length: 3 }, () => Array.from({ length: dimension }, () => stream.normal()));
  const factor = (i: number) => (z: Vector) =>
    Math.tanh(dot(axes[i] as Vector, z) / 10) + 0.01 * Math.sin((z[i] as number) * 2);
  const factors = { size: factor(0), brightness: factor(1), roundness: factor(2) };
  const vectors = Array.from({ length: 200 }, () => Array.from({ length: dimension }, () => stream.normal()));

  test("the score rises by what one says, within 5 %, and the other factors change less", async () => {
    const learned = await learn(factors.size, { samples: 200 });
    expect(Math.abs(learned.slope - 1)).toBeLessThan(0.05);
    expect(learned.error).toBeLessThan(learned.without / 2);
    const changes = changesAlong(learned.direction, vectors, factors);
    expect(Math.abs((changes.size?.change ?? 0) - 1)).toBeLessThan(0.05);
    for (const other of ["brightness", "roundness"])
      expect(Math.abs(changes[other]?.deviations ?? 9)).toBeLessThan(Math.abs(changes.size?.deviations ?? 0) / 2);
  });

  test("a second score has a direction of its own, at the angle of what the two rest on", async () => {
    const bent = (i: number) => (z: Vector) => Math.tanh(dot(axes[i] as Vector, z) / 10);
    const [first, second] = await Promise.all([0, 1].map((i) => learn(bent(i))));
    const expected = angle(axes[0] as Vector, axes[1] as Vector);
    expect(angle(first?.direction as Vector, second?.direction as Vector)).toBeCloseTo(expected, 4);
    expect(expected).toBeGreaterThan(30);
  });

  test("what is learned again from other samples is nearly the same direction", async () => {
    const [a, b] = await Promise.all([100, 300].map((samples) => learn(factors.roundness, { samples })));
    expect(angle(a?.direction as Vector, b?.direction as Vector)).toBeLessThan(10);
  });
});

test("where slopes differ from place to place, the mean one is 1 − (error / without)²", async () => {
  const { slope, error, without } = await learn((z) => Math.tanh(z[0] as number), { samples: 1000, reach: 0.01 });
  expect(slope).toBeLessThan(0.9);
  expect(Math.abs(slope - (1 - (error / without) ** 2))).toBeLessThan(0.05);
});

test("a score that no direction moves says so by its error", async () => {
  const { error, without, slope } = await learn((z) => norm(z) ** 2, { samples: 100 });
  expect(error).toBeGreaterThan(0.9 * without);
  expect(Math.abs(slope)).toBeLessThan(0.5);
});

test("where scores are missing there is nothing to learn", async () => {
  const scorer = {
    name: "none",
    kind: "reward" as const,
    score: () => ({ kind: "reward" as const, value: Number.NaN }),
  };
  const { outcome } = await run(latentDirection({ space }), { id: "d", prompt: "" }, { policy: space, scorer });
  expect(outcome).toMatchObject({ direction: undefined, slope: Number.NaN, answer: { id: "0#0", score: undefined } });
});
