import { expect, test } from "vitest";
import { cost, noCost } from "../budget.ts";
import { run } from "../run.ts";
import { custom } from "../scorers/custom.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { greedy } from "../search/sampling/sample.ts";
import type { Vector } from "../math/linear.ts";
import type { Extension, Policy } from "../policy.ts";
import { latent } from "./latent.ts";

const problem = { id: "z", prompt: "" };

async function childrenOf(policy: Policy<Vector>, entries: readonly number[]): Promise<Extension<Vector>[]> {
  const children: Extension<Vector>[] = [];
  const request = { problem, draw: "sample" as const, seeds: entries, ranks: entries };
  for await (const part of policy.extend(policy.root(problem), { ...request, signal: new AbortController().signal }))
    if (part.type === "extension") children.push(part.extension);
  return children;
}

test("draws from the standard normal law, and tells its log-density", async () => {
  const [n, dimension] = [4000, 3];
  const children = await childrenOf(
    latent({ dimension }),
    Array.from({ length: n }, (_, seed) => seed),
  );
  for (let i = 0; i < dimension; i++) {
    const values = children.map(({ state }) => state[i] as number);
    const mean = values.reduce((a, b) => a + b, 0) / n;
    const square = values.reduce((a, b) => a + b * b, 0) / n;
    expect(Math.abs(mean)).toBeLessThanOrEqual(5 / Math.sqrt(n)); // false alarm: 6e-7
    expect(Math.abs(square - 1)).toBeLessThanOrEqual(5 * Math.sqrt(2 / n));
  }
  const { state, logProb, logProposal, done } = children[7] as Extension<Vector>;
  const density = state.reduce((product, x) => product * (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)), 1);
  expect(Math.exp(logProb)).toBeCloseTo(density, 12);
  expect([logProposal, done]).toEqual([logProb, true]);
});

test("children at given points are those, with the prior's log-density and what a vector costs", async () => {
  const space = latent({ dimension: 2, cost: cost({ calls: 1 }) });
  const children = await childrenOf(
    space.at([
      [1, 0],
      [0, 2],
      [3, 3],
    ]),
    [2, 0],
  );
  expect(children.map(({ state }) => state)).toEqual([
    [3, 3],
    [1, 0],
  ]);
  expect(children[1]).toMatchObject({
    logProb: -0.5 - Math.log(2 * Math.PI),
    logProposal: Number.NaN,
    cost: { calls: 1 },
  });
  await expect(childrenOf(space.at([[1, 2, 3]]), [0])).rejects.toThrow("a point of 2 entries: it has 3");
});

test("a prior of one's own; text is what a vector is decoded to, when it is asked for", async () => {
  let decoded = 0;
  const prior = { name: "uniform", draw: ({ uniform }: { uniform(): number }) => [uniform()], logDensity: () => 0 };
  const policy = latent({ dimension: 1, prior, decode: ([x = 0]) => (decoded++, `at ${x.toFixed(1)}`) });
  expect([policy.name, policy.bound([0], problem)]).toEqual(["latent-1:uniform", noCost]);
  expect((await childrenOf(policy, [4]))[0]?.logProb).toBe(0);
  expect(decoded).toBe(0);
  expect(policy.text([0.26])).toBe("at 0.3");
});

test("best-of-n works on it as on any policy", async () => {
  const policy = latent({ dimension: 2 });
  const near = custom<Vector>("near", (text) => -Math.hypot(...text.split(" ").map((x) => Number(x) - 1)));
  const { outcome, answer } = await run(bestOfN<Vector>({ n: 200 }), problem, { policy, scorer: near });
  expect(outcome?.candidates).toHaveLength(200);
  // The best of 200 misses (1, 1) by more than 0.35 with probability (1 − 0.35² e⁻¹ / 2)²⁰⁰ ≈ 1 %; this seed does not.
  expect(Math.hypot(...(answer?.state ?? []).map((x) => x - 1))).toBeLessThan(0.35);
});

test("has no most probable vectors in order, and says what is wrong with its dimension", async () => {
  const { nodes } = await run(greedy<Vector>(), problem, { policy: latent({ dimension: 2 }) });
  expect(nodes[1]?.failure?.message).toBe(`Vectors have no order of probability to go by: use draw "sample"`);
  expect(() => latent({ dimension: 0 })).toThrow("'dimension' must be a whole number >= 1: current value is 0");
});
