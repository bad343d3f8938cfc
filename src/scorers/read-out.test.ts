import { describe, expect, test } from "vitest";
import { cost } from "../budget.ts";
import { fold, key } from "../key.ts";
import { sigmoid } from "../math/logistic.ts";
import { random } from "../math/random.ts";
import { auroc, expectedCalibrationError } from "../measure/calibration.ts";
import { tabular } from "../models/tabular.ts";
import type { Node } from "../node.ts";
import type { Judgement } from "../scorer.ts";
import { custom } from "./custom.ts";
import { joinedFeatures, likelihoodFeatures, scoreFeature, vectorFeatures } from "./features.ts";
import { learnReadOut, readOut } from "./read-out.ts";

/** Three features of very different size; right by a known law of two of them. */
function graded(n: number, seed: number) {
  const stream = random(fold(key(3), seed));
  const rows = Array.from({ length: n }, () => [stream.normal(), 1000 + 100 * stream.normal(), 0.01 * stream.normal()]);
  const chances = rows.map(([a = 0, b = 0]) => sigmoid(0.5 + a - (b - 1000) / 100));
  return { rows, chances, labels: chances.map((p) => Number(stream.uniform() < p)) };
}

describe("a read-out of 1,000 graded answers", () => {
  const train = graded(1000, 1);
  const held = graded(4000, 2);
  const fitted = learnReadOut(train.rows, train.labels);

  test("finds the law, whatever the size of the features", () => {
    const [a = 0, b = 0, c = 0] = fitted.weights;
    // Standard error of a weight of 1 on 1,000 answers: about 0.09; the ridge shrinks by as little.
    expect(Math.abs(a - 1)).toBeLessThan(0.35);
    expect(Math.abs(b + 0.01)).toBeLessThan(0.0035);
    expect(Math.abs(c)).toBeLessThan(35);
    const away = held.rows.map((row, i) => Math.abs(fitted.at(row) - (held.chances[i] as number)));
    expect(away.reduce((sum, one) => sum + one, 0) / away.length).toBeLessThan(0.04);
  });

  test("is calibrated on held-out answers, and ranks them nearly as well as the truth", () => {
    const right = held.labels.map(Boolean);
    const said = held.rows.map((row) => fitted.at(row));
    const { value = 1, whenCalibrated = 0 } = expectedCalibrationError(said, right);
    expect(value).toBeLessThan(whenCalibrated + 0.03);
    expect(auroc(held.chances, right).value as number).toBeLessThan((auroc(said, right).value as number) + 0.01);
  });

  test("other numbers of features have no probability", () => expect(fitted.at([1])).toBeNaN());
  test("a constant feature does no harm, and a great ridge says the base rate", () => {
    const rows = train.rows.map(([a = 0]) => [a, 7]);
    expect(learnReadOut(rows, train.labels).at([0, 7])).toBeGreaterThan(0.5);
    const rate = train.labels.reduce((sum, one) => sum + one, 0) / train.labels.length;
    expect(learnReadOut(rows, train.labels, { l2: 1e6 }).at([5, 7])).toBeCloseTo(rate, 2);
  });
});

const request = {
  problem: { id: "p", prompt: "?" },
  text: (state: string) => state,
  seed: 5,
  signal: new AbortController().signal,
};
const node = (state: string) => ({ id: state, state }) as Node<string>;
const model = tabular({ alphabet: "ab.", maxLength: 3, conditional: () => [0.5, 0.25, 0.25] });

test("features of an answer: by hand, joined, within their bound", async () => {
  const embedder = {
    id: "counts",
    countTokens: (text: string) => text.length,
    embed: async (texts: readonly string[]) => ({
      vectors: texts.map((text) => [text.length]),
      cost: cost({ calls: 1, promptTokens: 3 }),
    }),
  };
  const lengths = custom<string>("length", (text) => text.length);
  const features = joinedFeatures(
    likelihoodFeatures<string>(model),
    scoreFeature(lengths),
    vectorFeatures<string>(embedder),
    vectorFeatures<string>(embedder, { of: "question", asked: "ok?" }),
  );
  const { values, cost: paid } = await features.read(node("ab"), request);
  const logs = [0.5, 0.25, 0.25].map(Math.log);
  const sum = logs.reduce((total, one) => total + one, 0);
  for (const [i, value] of [sum, sum / 3, Math.log(0.25), 3, 2, 3, 4].entries())
    expect(values[i]).toBeCloseTo(value, 12);
  const bound = features.bound?.(node("ab"), request);
  for (const unit of ["tokens", "promptTokens", "calls"] as const)
    expect(paid[unit]).toBeLessThanOrEqual(bound?.[unit] ?? 0);

  const scorer = readOut(likelihoodFeatures<string>(model), learnReadOut([[0, 0, 0, 1], [0, 0, 0, 3]], [0, 1])); // biome-ignore format: one line
  const { score } = (await scorer.score(node("ab"), request)) as Judgement;
  expect(score).toMatchObject({ kind: "probability", value: expect.closeTo(learnedAt3(), 12) });
});

const learnedAt3 = (): number => learnReadOut([[0, 0, 0, 1], [0, 0, 0, 3]], [0, 1]).at([0, 0, 0, 3]); // biome-ignore format: one line
