import { describe, expect, test } from "vitest";
import { cost } from "../../../budget.ts";
import { key } from "../../../key.ts";
import { random } from "../../../math/random.ts";
import type { Policy } from "../../../policy.ts";
import { run } from "../../../run.ts";
import type { Scorer } from "../../../scorer.ts";
import { type AbMctsOptions, abMcts } from "../ab-mcts.ts";
import { aggregation } from "./aggregation.ts";
import { Arms } from "./arms.ts";
import { Belief, betaPrior, gaussianPrior, thompson } from "./beliefs.ts";
import { type Group, mixedPosterior } from "./mixed-model.ts";
import type { Twig } from "./widener.ts";

describe("beliefs", () => {
  test("the normal-inverse-χ² posterior of three rewards, by hand", () => {
    const belief = new Belief(gaussianPrior);
    for (const reward of [0.2, 0.8, 0.5]) belief.observe(reward);
    // κ = 4, ν = 4, m = 1.5/4, τ² = (0.1 + 0.18 + ¾·0.5²)/4; the mean is a t with scale √(τ²/κ)
    const { location, scale, degrees } = belief;
    expect([location, degrees]).toEqual([expect.closeTo(0.375, 14), 4]);
    expect(scale ** 2).toBeCloseTo((0.1 + 0.18 + 0.1875) / 4 / 4, 14);
  });

  test("a Beta belief adds r and 1 − r, and refuses what is no reward", () => {
    const belief = new Belief({ ...betaPrior, a: 1, b: 1 });
    for (let i = 0; i < 50; i++) belief.observe(0.25);
    const stream = random(3);
    const draws = Array.from({ length: 4000 }, () => belief.draw(stream));
    const [a, b] = [1 + 12.5, 1 + 37.5];
    const deviation = Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1)));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    expect(Math.abs(mean - a / (a + b))).toBeLessThan((4 * deviation) / Math.sqrt(draws.length));
    expect(() => belief.observe(1.5)).toThrow(/rewards in \[0, 1\]/);
  });

  test("drawing few arms of many has the law of drawing all", () => {
    const arms = new Arms(gaussianPrior);
    const rewards = random(5);
    for (let i = 0; i < 60; i++) arms.add(rewards.uniform());
    for (let i = 0; i < 120; i++) arms.observe(rewards.integer(20), rewards.uniform());
    const draws = 15_000;
    const [lazy, plain] = [new Float64Array(60), new Float64Array(60)];
    const [a, b] = [random(6), random(7)];
    for (let i = 0; i < draws; i++) {
      (lazy[arms.draw(a)] as number)++;
      (plain[thompson(arms.beliefs, b)] as number)++;
    }
    let chiSquare = 0;
    for (let i = 0; i < 60; i++) {
      const [x, y] = [lazy[i] as number, plain[i] as number];
      if (x + y > 0) chiSquare += (x - y) ** 2 / (x + y);
    }
    expect(chiSquare).toBeLessThan(59 + 4 * Math.sqrt(2 * 59)); // false alarm: about 1e-4
  });
});

test("a reward is backed up to GEN at its parent, and to CONT and the arm on the way above", () => {
  const widener = aggregation(gaussianPrior, 1, "thompson");
  const twig = (parent: Twig | undefined, reward: number): Twig => {
    const made = { parent, action: 0, reward, children: [], arm: 0 };
    if (parent) {
      parent.children.push(made);
      widener.observe(made);
    }
    return made;
  };
  const root = twig(undefined, 0);
  const first = twig(root, 0.2);
  twig(root, 0.4);
  const below = twig(first, 0.6);
  twig(below, 1);
  const told = ({ count, mean }: Belief) => [count, Number(mean.toFixed(12))];
  const at = (place: Twig) => {
    const { gen, cont, arms } = widener.at(place);
    return { gen: told(gen[0] as Belief), cont: told(cont[0] as Belief), arms: arms[0]?.beliefs.map(told) };
  };
  expect(at(root)).toEqual({
    gen: [2, 0.3],
    cont: [2, 0.8],
    arms: [
      [3, 0.6],
      [1, 0.4],
    ],
  });
  expect(at(first)).toEqual({ gen: [1, 0.6], cont: [1, 1], arms: [[2, 0.8]] });
  expect(at(below)).toEqual({ gen: [1, 1], cont: [0, 0], arms: [[1, 1]] });
});

describe("the mixed model", () => {
  const groupOf = (rewards: readonly number[]): Group => {
    const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    return { count: rewards.length, mean, squares: rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) };
  };
  const data = [[0.1, 0.2, 0.15], [0.7, 0.9], [0.4]];

  test("its predictions are those of the model, by importance sampling from the prior", () => {
    const posterior = mixedPosterior(data.map(groupOf), 0.5);
    const stream = random(2);
    const expected = [0, 0, 0, 0];
    const squares = [0, 0, 0, 0];
    let total = 0;
    let totalSquares = 0;
    for (let draw = 0; draw < 200_000; draw++) {
      const mu = 0.5 + 0.2 * stream.normal();
      const a = (0.2 * stream.normal()) ** 2;
      const s = (0.3 * stream.normal()) ** 2;
      let logWeight = 0;
      const means = data.map((rewards) => {
        // rewards of a group are jointly normal: each in turn given those before it
        let [mean, variance] = [mu, a];
        for (const reward of rewards) {
          logWeight -= 0.5 * (Math.log(variance + s) + (reward - mean) ** 2 / (variance + s));
          [mean, variance] = [(mean * s + reward * variance) / (variance + s), (variance * s) / (variance + s)];
        }
        return mean;
      });
      const weight = Math.exp(logWeight);
      total += weight;
      totalSquares += weight ** 2;
      for (const [j, mean] of [...means, mu].entries()) {
        (expected[j] as number) += weight * mean;
        (squares[j] as number) += weight * mean ** 2;
      }
    }
    const effective = total ** 2 / totalSquares;
    for (const [j, group] of [...data.map(groupOf), undefined].entries()) {
      const mean = (expected[j] as number) / total;
      const error = Math.sqrt(((squares[j] as number) / total - mean ** 2) / effective);
      expect(effective).toBeGreaterThan(500);
      expect(Math.abs(posterior.predictiveMean(group) - mean)).toBeLessThan(4 * error + 0.003); // 0.003: the grid's
    }
  });

  test("draws have the predictive mean; a new group is less certain than an old one", () => {
    const groups = data.map(groupOf);
    const posterior = mixedPosterior(groups, 0.5);
    const stream = random(9);
    const spread = (group: Group | undefined) => {
      const draws = Array.from({ length: 8000 }, () => posterior.predict(group, stream));
      const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
      const deviation = Math.sqrt(draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length);
      expect(Math.abs(mean - posterior.predictiveMean(group))).toBeLessThan((4 * deviation) / Math.sqrt(draws.length));
      return deviation;
    };
    expect(spread(groups[0])).toBeLessThan(spread(undefined));
  });

  test("equal rewards everywhere, and none at all, are no trouble", () => {
    const same = mixedPosterior([groupOf([0, 0, 0, 0]), groupOf([0, 0])], 0.5);
    expect(same.predictiveMean({ count: 4, mean: 0, squares: 0 })).toBeCloseTo(0, 2);
    expect(mixedPosterior([], 0.3).predictiveMean(undefined)).toBeCloseTo(0.3, 12);
  });
});

describe("wider or deeper", () => {
  /** An answer is its quality; a fresh one and a revision of one have laws of their own. */
  type Law = (quality: number | undefined, uniform: number) => number;
  const policy = (name: string, law: Law): Policy<number> => ({
    name,
    root: () => -1,
    bound: () => cost({ calls: 1 }),
    text: String,
    async *extend(quality, { seeds }) {
      for (const [index, seed] of seeds.entries())
        yield {
          type: "extension",
          index,
          extension: {
            state: Math.min(1, Math.max(0, law(quality < 0 ? undefined : quality, random(key(seed)).uniform()))),
            done: true,
            logProb: Number.NaN,
            logProposal: Number.NaN,
            length: 1,
            cost: cost({ calls: 1 }),
          },
        };
    },
  });
  const scorer: Scorer<number> = {
    name: "quality",
    kind: "reward",
    score: ({ state }) => ({ kind: "reward", value: state }),
  };
  const problem = { id: "p", prompt: "" };

  const draws = 64;

  async function best(law: Law, options: Partial<AbMctsOptions<number>> = {}): Promise<number> {
    let sum = 0;
    const runs = options.beliefs === "mixed" ? 12 : 40; // the standard error of the means is then about 0.02
    for (let seed = 0; seed < runs; seed++) {
      const search = abMcts<number>({ actions: { ask: () => undefined }, n: draws, ...options });
      sum += (await run(search, problem, { policy: policy("simulated", law), scorer, seed })).answer?.state ?? 0;
    }
    return sum / runs;
  }

  /** Means of the best of as many: independent draws, and a chain of revisions of the latest answer. */
  function simulated(law: Law): { sampling: number; revising: number } {
    const stream = random(1);
    let [sampling, revising] = [0, 0];
    const runs = 4000;
    for (let i = 0; i < runs; i++) {
      let most = 0;
      let chain: number | undefined;
      let longest = 0;
      for (let j = 0; j < draws; j++) {
        most = Math.max(most, Math.min(1, Math.max(0, law(undefined, stream.uniform()))));
        chain = Math.min(1, Math.max(0, law(chain, stream.uniform())));
        longest = Math.max(longest, chain);
      }
      sampling += most / runs;
      revising += longest / runs;
    }
    return { sampling, revising };
  }

  // Fresh answers differ a lot and revision only spoils them; or all are alike and revision adds a little each time.
  const widthPays: Law = (quality, u) => (quality === undefined ? u ** 2 : quality * u);
  const depthPays: Law = (quality, u) => (quality === undefined ? 0.1 + 0.2 * u : quality + 0.2 * u);

  // Each fixed strategy is best in one case and worst in the other; not knowing which it is costs little in either.
  test.each(["gaussian", "beta", "mixed"] as const)(
    "%s: good in both cases, where a fixed strategy is good in one",
    async (beliefs) => {
      const [wide, deep] = [simulated(widthPays), simulated(depthPays)];
      expect(wide).toEqual({ sampling: expect.closeTo(0.97, 2), revising: expect.closeTo(0.33, 2) });
      expect(deep).toEqual({ sampling: expect.closeTo(0.3, 2), revising: expect.closeTo(1, 2) });
      const found = { wide: await best(widthPays, { beliefs }), deep: await best(depthPays, { beliefs }) };
      expect(found.wide).toBeGreaterThan(0.8); // measured: 0.97, 0.96, 0.85
      expect(found.deep).toBeGreaterThan(0.6); // measured: 0.76, 0.67, 0.78
      const fixed = Math.max(wide.sampling + deep.sampling, wide.revising + deep.revising) / 2;
      expect((found.wide + found.deep) / 2).toBeGreaterThan(fixed + 0.1);
    },
  );

  test.each(
    (["gaussian", "beta", "mixed"] as const).flatMap((beliefs) =>
      (["stack", "thompson", "ucb"] as const).map((selection) => ({ beliefs, selection })),
    ),
  )("$beliefs beliefs, $selection: the better of two models is asked more often", async ({ beliefs, selection }) => {
    const good = policy("good", (_, u) => 0.5 + 0.4 * u);
    const bad = policy("bad", (_, u) => 0.3 * u);
    let [asked, all] = [0, 0];
    for (let seed = 0; seed < 10; seed++) {
      const search = abMcts<number>({ actions: { bad: () => bad, good: () => good }, n: 30, beliefs, selection });
      const { nodes } = await run(search, problem, { policy: good, scorer, seed });
      asked += nodes.filter(({ state }) => state >= 0.5).length;
      all += nodes.length - 1;
    }
    expect(all).toBe(300);
    expect(asked / all).toBeGreaterThan(0.6);
  });
});

test("what makes no sense is refused", () => {
  expect(() => abMcts({ actions: {} })).toThrow(/'actions' is empty/);
  expect(() => abMcts({ actions: { a: () => undefined }, n: 0 })).toThrow(/'n'/);
  expect(() => abMcts({ actions: { a: () => undefined }, beliefs: "beta", prior: gaussianPrior })).toThrow(
    /'prior' must be beta/,
  );
  expect(() => abMcts({ actions: { a: () => undefined }, prior: { ...gaussianPrior, nu: 0.5 } })).toThrow(/nu >= 1/);
});
