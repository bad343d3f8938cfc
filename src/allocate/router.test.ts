import { expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { run } from "../run.ts";
import { sample } from "../search/sampling/sample.ts";
import { lettersPolicy, lettersProblem } from "../testing/letters.ts";
import { fitRouter, routed, type RoutingRecord, routeThreshold, routingCurve, sufficed } from "./router.ts";

/** Problems with one feature of difficulty; the small model's chance falls with it, by `gap`, the large one's does not. */
function problems(n: number, seed: number, gap: number) {
  const stream = random(fold(key(53), seed));
  return Array.from({ length: n }, () => {
    const difficulty = stream.uniform();
    const draws = (p: number) => Array.from({ length: 4 }, () => Number(stream.uniform() < p));
    return { features: [difficulty, stream.normal()], cheap: draws(0.9 - gap * difficulty), dear: draws(0.9) };
  });
}
const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;

test("what suffices: pairs of draws, with slack", () => {
  expect(sufficed([1, 0], [1, 0])).toBe(3 / 4);
  expect(sufficed([0.8], [1, 0.85], { slack: 0.1 })).toBe(1 / 2);
});

test("quality over cost lies above choosing by lot, everywhere in between", () => {
  const learned = problems(1500, 1, 0.8);
  const router = fitRouter(
    learned.map(({ features }) => features),
    learned.map(({ cheap, dear }) => sufficed(cheap, dear)),
  );
  const curve = routingCurve(
    problems(6000, 2, 0.8).map(({ features, cheap, dear }) => ({
      probability: router.suffices(features),
      cheap: { quality: mean(cheap), cost: 1 },
      dear: { quality: mean(dear), cost: 20 },
    })),
  );
  const [all, none] = [curve.at(-1), curve[0]] as const;
  expect([none?.share, none?.cost, all?.share, all?.cost]).toEqual([0, 1, 1, 20]);
  const [low, high] = [none?.quality ?? 0, all?.quality ?? 0];
  for (const { share, quality } of curve.filter((one) => one.share > 0.05 && one.share < 0.95))
    expect(quality).toBeGreaterThan(low + share * (high - low));
  // Sending the harder half costs at most: ∫ 0.8 d over d > 1/2 is 3/4 of the whole gap.
  const half = curve.find(({ share }) => share >= 0.5);
  expect(((half?.quality ?? 0) - low) / (high - low)).toBeGreaterThan(0.7);
});

test("where the small model is as good, nothing goes to the large one", () => {
  const equal = problems(800, 3, 0);
  const router = fitRouter(
    equal.map(({ features }) => features),
    equal.map(({ cheap, dear }) => sufficed(cheap, dear)),
  );
  expect(problems(2000, 4, 0).every(({ features }) => router.suffices(features) >= 0.5)).toBe(true);
  expect(router.suffices([0.5])).toBeNaN(); // a feature is missing
});

test("the threshold sends the share that is wanted, never more, and rises with it", () => {
  const probabilities = [0.9, 0.1, 0.5, 0.5, 0.3];
  const sent = (threshold: number) => probabilities.filter((one) => one < threshold).length;
  expect([0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => sent(routeThreshold(probabilities, share)))).toEqual([
    0, 1, 2, 2, 4, 5,
  ]);
});

test("the curve, by hand", () => {
  const record = (probability: number, cheap: number, dear: number): RoutingRecord => ({
    probability,
    cheap: { quality: cheap, cost: 1 },
    dear: { quality: dear, cost: 3 },
  });
  expect(routingCurve([record(0.8, 1, 1), record(0.2, 0, 1), record(0.8, 1, 0)])).toEqual([
    { threshold: 0.2, share: 0, quality: 2 / 3, cost: 1 },
    { threshold: 0.8, share: 1 / 3, quality: 1, cost: 5 / 3 },
    { threshold: Infinity, share: 1, quality: 2 / 3, cost: 3 },
  ]);
});

test.each([
  [0.7, "cheap", 1],
  [0.3, "dear", 5],
  [Number.NaN, "dear", 5],
] as const)("a problem at %d takes the %s way", async (probability, route, answers) => {
  const router = { name: "fixed", suffices: () => probability };
  const search = routed<string>({ cheap: sample({ n: 1 }), dear: sample({ n: 5 }), router });
  const { outcome } = await run(search, lettersProblem, { policy: lettersPolicy(), seed: 1 });
  expect([outcome?.route, outcome?.candidates.length]).toEqual([route, answers]);
});

test.each([
  ["share", () => routeThreshold([0.5], 2)],
  ["labels", () => fitRouter([[1]], [])],
  [
    "threshold",
    () => routed({ cheap: sample(), dear: sample(), router: { name: "", suffices: () => 1 }, threshold: Number.NaN }),
  ],
])("refuses a wrong '%s' by name", (name, make) => {
  expect(make).toThrow(`'${name}'`);
});
