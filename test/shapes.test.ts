/**
 * Searches in the latent space of a trained generator: images of discs, whose factors can be measured. Shown with the shipped
 * weights: what a search makes of a learned score, and what a scorer that it never saw says of that.
 */
import { statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { key } from "../src/key.ts";
import { angle, cosine, dot, type Vector } from "../src/math/linear.ts";
import { random } from "../src/math/random.ts";
import { latent } from "../src/policies/latent.ts";
import { run } from "../src/run.ts";
import { bestOfN } from "../src/search/sampling/best-of-n.ts";
import { cmaEs } from "../src/search/latent/cma-es.ts";
import { gradientAscent } from "../src/search/latent/gradient-ascent.ts";
import { changesAlong, latentDirection } from "../src/search/latent/latent-direction.ts";
import type { Scorer } from "../src/scorer.ts";
import type { Search } from "../src/search.ts";
import { trainCritic, trainGenerator } from "../training/shapes.ts";
import { factorNames, imageOf, measured, pixels, randomFactors, standardised } from "../training/shapes/images.ts";
import { activations, backward, freshNetwork, outputOf, trainer } from "../training/shapes/network.ts";
import { dimension, fromBytes, shippedShapes, toBytes } from "../training/shapes/weights.ts";

const { generator, critics } = shippedShapes();
const [critic, secondCritic] = critics;
const space = latent({ dimension });
const problem = { id: "shapes", prompt: "" };
const draws = random(key(6));
const vectors = Array.from({ length: 200 }, () => Array.from({ length: dimension }, () => draws.normal()));

const scorerOf = (value: (z: Vector) => number): Scorer<Vector> => ({
  name: "value",
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: value(state) }),
});

async function best(search: Search<Vector>, value: (z: Vector) => number): Promise<Vector> {
  const { answer } = await run(search, problem, { policy: space, scorer: scorerOf(value), seed: 1 });
  if (!answer) throw new Error("no answer");
  return answer.state;
}

describe("the generator and its critics", () => {
  test("are a few ten thousand weights in a small file, and come back from it as they are", () => {
    expect(statSync(new URL("../training/shapes/weights.bin", import.meta.url)).size).toBeLessThan(50_000);
    expect(fromBytes(toBytes({ generator, critics }))).toEqual({ generator, critics });
  });

  test("factors are measured from pixels", () => {
    const squares = [0, 0, 0, 0];
    for (let i = 0; i < 200; i++) {
      const factors = randomFactors(draws);
      const [told, true_] = [standardised(measured(imageOf(factors))), standardised(factors)];
      for (const k of squares.keys())
        squares[k] = (squares[k] as number) + ((told[k] as number) - (true_[k] as number)) ** 2 / 200;
    }
    for (const square of squares) expect(Math.sqrt(square)).toBeLessThan(0.35); // in standard deviations
  });

  test("what it draws are discs", () => {
    const misses = vectors.map((z) => {
      const image = outputOf(generator, z);
      const disc = imageOf(measured(image));
      return Math.sqrt(image.reduce((sum, light, i) => sum + (light - (disc[i] as number)) ** 2, 0) / pixels);
    });
    expect(misses.sort((a, b) => a - b)[180]).toBeLessThan(0.05); // nine in ten, by root mean square
  });

  test("critics tell the factors of images", () => {
    for (const network of critics)
      for (const k of factorNames.keys()) {
        const errors = Array.from({ length: 200 }, () => {
          const factors = randomFactors(draws);
          return (outputOf(network, imageOf(factors))[k] as number) - (standardised(factors)[k] as number);
        });
        expect(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / 200)).toBeLessThan(0.4);
      }
  });

  test("backpropagation is the slope, of inputs and of weights", () => {
    for (const output of ["linear", "sigmoid"] as const) {
      const network = freshNetwork([3, 5, 4, 2], output, key(1));
      const input = [0.3, -0.7, 1.1];
      const value = (): number => dot(Array.from(outputOf(network, input)), [1, -2]);
      const { sums } = trainer(network);
      const slope = backward(network, activations(network, input), [1, -2], sums);
      const h = 1e-5;
      const difference = (numbers: number[] | Float64Array, i: number): number => {
        const before = numbers[i] as number;
        numbers[i] = before + h;
        const up = value();
        numbers[i] = before - h;
        const down = value();
        numbers[i] = before;
        return (up - down) / (2 * h);
      };
      for (const i of input.keys()) expect(slope[i]).toBeCloseTo(difference(input, i), 8);
      for (const [layer, matrix] of network.weights.entries())
        for (const i of matrix.keys()) expect(sums[layer]?.[i]).toBeCloseTo(difference(matrix, i), 8);
    }
  });

  test.each([
    ["generator", trainGenerator],
    ["critic", trainCritic],
  ])("training the %s lowers its loss, the same way every time", (_, train) => {
    const losses: number[] = [];
    const trained = train(key(3), 50, (_, loss) => losses.push(loss));
    const mean = (part: readonly number[]) => part.reduce((a, b) => a + b, 0) / part.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.7 * mean(losses.slice(0, 10)));
    const first: number[] = [];
    train(key(3), 2, (_, loss) => first.push(loss));
    expect(first).toEqual(losses.slice(0, 2));
    expect(trained.weights.flatMap((matrix) => Array.from(matrix)).every(Number.isFinite)).toBe(true);
  });
});

describe("data that optimise a score: e₁ · e₂, a critic's reading of the image and of the one that is wanted", () => {
  const wanted = imageOf({ x: 7.5, y: 3.5, size: 3, brightness: 0.9 });
  const alignmentBy = (network: typeof critic) => {
    const query = Array.from(outputOf(network, wanted));
    return (z: Vector): number => dot(Array.from(outputOf(network, outputOf(generator, z))), query);
  };
  const alignment = alignmentBy(critic);
  /** Never searched by: how alike the pixels are. */
  const likeness = (z: Vector): number => cosine(Array.from(outputOf(generator, z)), Array.from(wanted));
  const slope = (z: Vector): number[] => {
    const image = activations(generator, z);
    const reading = activations(critic, image.at(-1) as Float64Array);
    const query = outputOf(critic, wanted);
    return Array.from(backward(generator, image, backward(critic, reading, query)));
  };
  const half = (z: Vector): number => dot(z, z) / 4;

  test("evolution and ascent raise the score far above the best of 64 draws, as its own slope says", async () => {
    const drawn = alignment(await best(bestOfN({ n: 64 }), alignment));
    const evolved = alignment(await best(cmaEs({ space, generations: 40 }), alignment));
    const climbed = alignment(await best(gradientAscent({ space, gradient: slope, starts: 4, steps: 200 }), alignment));
    expect(drawn).toBeGreaterThan(5);
    expect(Math.min(evolved, climbed)).toBeGreaterThan(drawn + 1);
  });

  test("left to itself the search cheats: the score rises, what it stands for falls; a critic of the same make is fooled too", async () => {
    const drawn = await best(bestOfN({ n: 64 }), alignment);
    const evolved = await best(cmaEs({ space, generations: 40 }), alignment);
    expect(alignment(evolved)).toBeGreaterThan(alignment(drawn) + 1);
    expect(alignmentBy(secondCritic)(evolved)).toBeGreaterThan(alignmentBy(secondCritic)(drawn));
    expect(likeness(evolved)).toBeLessThan(likeness(drawn) - 0.1);
    expect(Math.hypot(...evolved)).toBeGreaterThan(10); // no vector of the prior is that long
  });

  test("where the score pays for its distance from the prior, both rise", async () => {
    const paid = (z: Vector): number => alignment(z) - half(z);
    const drawn = await best(bestOfN({ n: 64 }), alignment);
    const evolved = await best(cmaEs({ space, generations: 40 }), paid);
    const gradient = (z: Vector): number[] => slope(z).map((s, i) => s - (z[i] as number) / 2);
    const climbed = await best(gradientAscent({ space, gradient, starts: 4, steps: 200 }), paid);
    for (const found of [evolved, climbed]) {
      expect(alignment(found)).toBeGreaterThan(alignment(drawn));
      expect(likeness(found)).toBeGreaterThan(likeness(drawn) + 0.05);
      expect(likeness(found)).toBeGreaterThan(0.97);
    }
  });
});

describe("directions along which a critic's opinion rises", () => {
  const readingOf = (k: number) => (z: Vector) => outputOf(critic, outputOf(generator, z))[k] as number;
  const factors = Object.fromEntries(
    factorNames.map((name, k) => [name, (z: Vector) => standardised(measured(outputOf(generator, z)))[k] as number]),
  );

  async function learn(k: number) {
    const options = { policy: space, scorer: scorerOf(readingOf(k)), seed: 3 };
    const { outcome } = await run(latentDirection({ space, samples: 128, rounds: 3 }), problem, options);
    if (!outcome?.direction) throw new Error("no direction");
    return { ...outcome, direction: outcome.direction };
  }

  test("where the disc is: it moves that way, and is else what it was", async () => {
    const [x, y] = await Promise.all([0, 1].map(learn));
    for (const [learned, own, others] of [
      [x, "x", ["size", "brightness"]],
      [y, "y", ["size", "brightness"]],
    ] as const) {
      expect(Math.abs((learned?.slope ?? 0) - 1)).toBeLessThan(0.15);
      expect(learned?.error).toBeLessThan((learned?.without ?? 0) / 2);
      const changes = changesAlong(learned?.direction as Vector, vectors, factors);
      expect(changes[own]?.deviations).toBeGreaterThan(0.8);
      for (const other of others)
        expect(Math.abs(changes[other]?.deviations ?? 9)).toBeLessThan((changes[own]?.deviations ?? 0) / 3);
    }
    const between = angle(x?.direction as Vector, y?.direction as Vector);
    expect(between).toBeGreaterThan(60);
    expect(between).toBeLessThan(120);
  });
});
