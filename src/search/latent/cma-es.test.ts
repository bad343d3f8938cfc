import { describe, expect, test } from "vitest";
import { cost } from "../../budget.ts";
import type { Vector } from "../../math/linear.ts";
import { latent } from "../../policies/latent.ts";
import { run, type RunOptions } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { cmaEs, type CmaEsOptions } from "./cma-es.ts";

type Loss = (x: Vector) => number;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const sphere: Loss = (x) => sum(x.map((v) => v * v));
const ellipsoid: Loss = (x) => sum(x.map((v, i) => 10 ** ((6 * i) / (x.length - 1)) * v * v));
const rosenbrock: Loss = (x) =>
  sum(x.slice(1).map((next, i) => 100 * (next - (x[i] as number) ** 2) ** 2 + (1 - (x[i] as number)) ** 2));
/** The ellipsoid in coordinates that are turned by reflection, so that no axis is special. */
const turned: Loss = (x) => ellipsoid(x.map((v) => v - (2 / x.length) * sum(x)));

const scorerOf = (loss: Loss): Scorer<Vector> => ({
  name: "loss",
  kind: "reward",
  bound: () => cost({ calls: 1 }),
  score: ({ state }) => ({ score: { kind: "reward", value: -loss(state) }, cost: cost({ calls: 1 }) }),
});

async function minimise(
  loss: Loss,
  dimension: number,
  options: Partial<CmaEsOptions> = {},
  running: Partial<RunOptions<Vector>> = {},
) {
  const space = latent({ dimension });
  const search = cmaEs({ space, start: Array(dimension).fill(1), generations: 3000, enough: -1e-8, ...options });
  return await run(search, { id: "f", prompt: "" }, { policy: space, scorer: scorerOf(loss), ...running });
}

// Within a factor of two either way. Published runs of the same size, in the documentation of pycma: the ellipsoid in three
// dimensions from 1 with σ 1 is at 6e-12 after 1,400 scores, Rosenbrock's function in ten dimensions below 1e-12 within 8,000.
describe.each([
  ["ellipsoid", ellipsoid, 3, 800],
  ["sphere", sphere, 5, 700],
  ["sphere", sphere, 10, 1400],
  ["ellipsoid", ellipsoid, 5, 1500],
  ["ellipsoid", ellipsoid, 10, 3900],
  ["turned ellipsoid", turned, 10, 3900],
  ["Rosenbrock", rosenbrock, 5, 1700],
  ["Rosenbrock", rosenbrock, 8, 3700],
] as const)("%s, %#", (name, loss, dimension, evaluations) => {
  test(`reaches 1e-8 in ${dimension} dimensions with about ${evaluations} scores`, async () => {
    const options = name === "Rosenbrock" ? { start: Array(dimension).fill(0), spread: 0.5 } : {};
    const { spent, answer } = await minimise(loss, dimension, options);
    expect(loss(answer?.state as Vector)).toBeLessThan(1e-8);
    expect(spent.calls).toBeGreaterThan(evaluations / 2);
    expect(spent.calls).toBeLessThan(evaluations * 2);
  });
});

test("Rosenbrock in ten dimensions is below 1e-12 within 8,000 scores", async () => {
  const { spent, answer } = await minimise(rosenbrock, 10, { start: Array(10).fill(0.1), spread: 0.3, enough: -1e-12 });
  expect(rosenbrock(answer?.state as Vector)).toBeLessThan(1e-12);
  expect(spent.calls).toBeLessThan(8000);
});

test("only ranks matter: any increasing function of the score gives the same run", async () => {
  const [a, b] = await Promise.all(
    [sphere, (x: Vector) => Math.log(sphere(x)) ** 3].map((loss) =>
      minimise(loss, 4, { generations: 30, enough: Infinity }),
    ),
  );
  expect(a?.outcome?.mean).toEqual(b?.outcome?.mean);
});

test("a budget is kept, and the answer is the best of what it bought", async () => {
  const { spent, stopped, answer, nodes } = await minimise(sphere, 5, {}, { budget: { calls: 203 } });
  expect([spent.calls, stopped]).toEqual([203, { why: "budget-spent", limit: "calls" }]);
  const scored = nodes.flatMap(({ score }) => (score?.kind === "reward" ? [score.value] : []));
  expect(scored).toHaveLength(203);
  expect(answer?.score).toEqual({ kind: "reward", value: Math.max(...scored) });
});

test("points without a score take no part", async () => {
  let asked = 0;
  const flaky: Loss = (x) => (asked++ % 3 === 0 ? Number.NaN : sphere(x));
  const { answer, nodes } = await minimise(flaky, 5);
  expect(sphere(answer?.state as Vector)).toBeLessThan(1e-8);
  expect(nodes.some(({ depth, score }) => depth === 1 && !score)).toBe(true);
});

test("ends when nothing is scored, and when the law has shrunk to a point", async () => {
  const blind = await minimise(() => Number.NaN, 3);
  expect([blind.outcome?.generations, blind.answer?.id]).toEqual([0, "0#0"]); // the first point, for want of a better one
  const exact = await minimise(sphere, 2, { enough: Infinity });
  expect(exact.outcome?.generations).toBeLessThan(3000);
  expect(exact.outcome?.spread).toBeLessThan(1e-11);
});

test("one dimension, and a few points a generation", async () => {
  expect(sphere((await minimise(sphere, 1)).answer?.state as Vector)).toBeLessThan(1e-8);
  expect(sphere((await minimise(sphere, 2, { population: 3 })).answer?.state as Vector)).toBeLessThan(1e-8);
});

test("says what is wrong with its options", () => {
  const space = latent({ dimension: 2 });
  expect(() => cmaEs({ space, spread: 0 })).toThrow("Cannot use cma-es as 'spread' must be a finite number > 0");
  expect(() => cmaEs({ space, start: [1] })).toThrow("'start' must have 2 entries: it has 1");
});
