import { describe, expect, test } from "vitest";
import { cost } from "../../budget.ts";
import { key } from "../../key.ts";
import { cosine, dot, leastSquares, norm, plus, scaled, type Vector } from "../../math/linear.ts";
import { random } from "../../math/random.ts";
import { latent } from "../../policies/latent.ts";
import { run, type RunOptions } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { gradientAscent, type GradientAscentOptions } from "./gradient-ascent.ts";

const dimension = 4;
const space = latent({ dimension });
const stream = random(key(8));
/** A linear generator of six pixels, and a query in the space of its outputs. */
const generator = Array.from({ length: 6 }, () => Array.from({ length: dimension }, () => stream.normal()));
const query = Array.from({ length: 6 }, () => stream.normal());
const output = (z: Vector): number[] => generator.map((row) => dot(row, z));
/** Gᵀ v */
const transposed = (v: Vector): number[] =>
  generator.reduce<number[]>((sum, row, i) => plus(sum, row, v[i] as number), Array(dimension).fill(0));

const scorerOf = (value: (z: Vector) => number): Scorer<Vector> => ({
  name: "value",
  kind: "reward",
  bound: () => cost({ calls: 1 }),
  score: ({ state }) => ({ score: { kind: "reward", value: value(state) }, cost: cost({ calls: 1 }) }),
});

async function climb(
  value: (z: Vector) => number,
  options: Partial<GradientAscentOptions> = {},
  running: Partial<RunOptions<Vector>> = {},
) {
  const search = gradientAscent({ space, ...options });
  return await run(search, { id: "f", prompt: "" }, { policy: space, scorer: scorerOf(value), seed: 3, ...running });
}

const rankOfAnswer = (result: Awaited<ReturnType<typeof climb>>): number =>
  result.answer?.score?.kind === "reward" ? result.answer.score.value : Number.NaN;

describe("the alignment of a linear generator's output with a query reaches its closed form", () => {
  const alignment = (z: Vector): number => cosine(output(z), query);
  /** ∇ cos(Gz, q) = Gᵀ (q / |q| − cos · Gz / |Gz|) / |Gz| */
  const gradient = (z: Vector): number[] => {
    const y = output(z);
    const ahead = plus(scaled(query, 1 / norm(query)), y, -alignment(z) / norm(y));
    return scaled(transposed(ahead), 1 / norm(y));
  };
  // The largest cosine is that of the query with its projection onto the generator's range.
  const most = cosine(output(leastSquares(generator, query)), query);

  test.each([
    ["exact slopes, Adam", { gradient, steps: 300 }],
    ["exact slopes, plain steps", { gradient, steps: 400, method: "plain", rate: 0.5 }],
    ["measured slopes", { steps: 300 }],
  ] as const)("%s", async (_, options) => {
    const result = await climb(alignment, options);
    expect(rankOfAnswer(result)).toBeLessThanOrEqual(most + 1e-12);
    expect(rankOfAnswer(result)).toBeGreaterThan(most - 1e-4);
  });
});

test("a dot product that pays for its distance has its optimum at Gᵀq", async () => {
  const value = (z: Vector) => dot(output(z), query) - dot(z, z) / 2;
  const gradient = (z: Vector) => plus(transposed(query), z, -1);
  const { answer } = await climb(value, { gradient, method: "plain", rate: 0.5, steps: 60 });
  expect(norm(plus(answer?.state as Vector, transposed(query), -1))).toBeLessThan(1e-7); // where the score is flat to rounding
});

test("plain steps are what they are", async () => {
  const value = ([x = 0]: Vector) => 3 * x;
  const { nodes } = await climb(value, { gradient: () => [3, 0, 0, 0], method: "plain", rate: 0.25, steps: 3 });
  const [start, ...way] = nodes.slice(1).map(({ state }) => state[0] as number);
  expect(way).toEqual([1, 2, 3].map((i) => expect.closeTo((start as number) + 0.75 * i, 12)));
});

test("a step costs one score with exact slopes, and two a coordinate more without", async () => {
  const value = (z: Vector) => -dot(z, z);
  const exact = await climb(value, { gradient: (z) => scaled(z, -2), steps: 7 });
  const measured = await climb(value, { steps: 7 });
  expect([exact.spent.calls, measured.spent.calls]).toEqual([1 + 7, 1 + 7 * (1 + 2 * dimension)]);
});

test("starts climb by themselves; the answer is the best of them", async () => {
  // Two hills, of height 1 at (2, 0, …) and 2 at (−2, 0, …): who starts on the right ends on the lower one.
  const hill = (z: Vector, at: number) => Math.exp(-((((z[0] as number) - at) ** 2 + dot(z.slice(1), z.slice(1))) / 2));
  const value = (z: Vector) => hill(z, 2) + 2 * hill(z, -2);
  const result = await climb(value, { starts: 8, steps: 100 });
  const heights = (result.outcome?.candidates ?? []).map(({ state }) => value(state));
  expect(heights).toHaveLength(8);
  expect(heights[0]).toBeGreaterThan(1.99);
  expect(heights.at(-1)).toBeLessThan(1.1);
});

test("a budget is kept, and the answer is the best of what it bought", async () => {
  const { spent, stopped, answer } = await climb((z) => -dot(z, z), {}, { budget: { calls: 50 } });
  expect([spent.calls, stopped]).toEqual([50, { why: "budget-spent", limit: "calls" }]);
  expect(answer?.score).toBeDefined();
});

test("a climb without a slope or a score ends, the others go on", async () => {
  const value = (z: Vector) => ((z[0] as number) > 0 ? Number.NaN : -dot(z, z));
  const { answer, outcome } = await climb(value, { starts: 6, steps: 30 });
  expect(answer?.state[0]).toBeLessThanOrEqual(0);
  expect(outcome?.candidates.length).toBeLessThan(6);
});
