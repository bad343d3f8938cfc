import { describe, expect, test } from "vitest";
import { random } from "../math/random.ts";
import {
  cacheBytesPerToken,
  decodeWork,
  fitRuntime,
  generationWork,
  idealisedRuntime,
  idealisedSeconds,
  parameterCount,
  prefillWork,
  secondsOf,
} from "./cost.ts";

const llama2 = { layers: 32, width: 4096, heads: 32, hidden: 11008, vocabulary: 32000 };
const llama3 = { ...llama2, keyValueHeads: 8, hidden: 14336, vocabulary: 128256 };
const tinyLlama = { layers: 22, width: 2048, heads: 32, keyValueHeads: 4, hidden: 5632, vocabulary: 32000 };
/** Small enough to count by hand: q and o 2 × 2, k and v 2 × 1, gate, up and down 2 × 3. */
const toy = { layers: 1, width: 2, heads: 2, keyValueHeads: 1, hidden: 3, vocabulary: 5 };

describe("work", () => {
  test("the published numbers of weights", () => {
    expect(parameterCount(llama2)).toBe(6_738_415_616);
    expect(parameterCount(llama3)).toBe(8_030_261_248);
    expect(parameterCount(tinyLlama)).toBe(1_100_048_384);
    expect(parameterCount({ ...toy, tied: true })).toBe(parameterCount(toy) - 10);
    expect(cacheBytesPerToken(llama2)).toBe(2 * 32 * 4096 * 2); // half a mebibyte
    expect(cacheBytesPerToken(llama3)).toBe(2 * 32 * 1024 * 2);
  });

  test("a toy by hand", () => {
    // A layer has 4 + 4 + 2 + 2 + 3 · 6 = 30 weights. Two tokens see 1 and 2: 3 pairs of 2 + 2 products each. Logits 2 × 5.
    expect(prefillWork(toy, 2).operations).toBe(2 * 2 * 30 + 2 * (3 * 4) + 2 * 10);
    // Weights 30 + 4 (norms) + 2 (last norm) + 10 (output) + 2 rows of the embedding; 2 tokens of cache, 2 numbers each.
    expect(prefillWork(toy, 2).bytes).toBe(2 * (30 + 4 + 2 + 10 + 4) + 2 * 4);
    // One more: it sees 3.
    expect(decodeWork(toy, 2).operations).toBe(2 * 30 + 2 * (3 * 4) + 2 * 10);
    expect(decodeWork(toy, 2).bytes).toBe(2 * (30 + 4 + 2 + 10 + 2) + 3 * 4);
  });

  test("prefill of n tokens is n decoding steps less the logits in between, and reads the weights once", () => {
    const steps = [1, 2, 3, 4].map((context) => decodeWork(toy, context).operations);
    const first = prefillWork(toy, 1).operations;
    expect(prefillWork(toy, 5).operations).toBe(first + steps.reduce((a, b) => a + b) - 4 * 20);
    const whole = generationWork(toy, { promptTokens: 1, outputTokens: 5 });
    expect(whole.operations).toBe(first + steps.reduce((a, b) => a + b));
    expect(generationWork(toy, { promptTokens: 3, outputTokens: 1 })).toEqual(prefillWork(toy, 3));
  });

  test("short contexts cost two operations a weight; a batch shares the weights", () => {
    const body = parameterCount(llama2) - 32000 * 4096;
    expect(decodeWork(llama2, 1).operations / (2 * body)).toBeCloseTo(1, 3);
    const [one, eight] = [decodeWork(llama2, 100), decodeWork(llama2, 100, { batch: 8 })];
    expect(eight.operations).toBe(8 * one.operations);
    expect(eight.bytes / one.bytes).toBeLessThan(1.05);
  });

  test("the slower of computing and moving", () => {
    const machine = { operationsPerSecond: 10, bytesPerSecond: 2 };
    expect(idealisedSeconds({ operations: 100, bytes: 2 }, machine)).toBe(10);
    expect(idealisedSeconds({ operations: 1, bytes: 2 }, machine)).toBe(1);
    expect(() => parameterCount({ ...toy, heads: 0 })).toThrow("'heads' must be positive: current value is 0");
  });
});

describe("runtime", () => {
  const law = { fixed: 0.05, perPromptToken: 0.0002, perOutputToken: 0.03 };
  const shapes = [16, 256, 1024].flatMap((promptTokens) =>
    [1, 8, 32].map((outputTokens) => ({ promptTokens, outputTokens })),
  );

  test("a planted law is found", () => {
    const fit = fitRuntime(shapes.map((shape) => ({ ...shape, seconds: secondsOf(law, shape) })));
    for (const [name, value] of Object.entries(law))
      expect(fit.value?.[name as keyof typeof law]).toBeCloseTo(value, 9);
    expect(fit).toMatchObject({ shapes: 9, relativeError: expect.closeTo(0, 9) });
  });

  test("no constant is negative", () => {
    const { value } = fitRuntime(
      shapes.map((shape) => ({ ...shape, seconds: 0.001 * shape.promptTokens ** 1.3 + 0.03 * shape.outputTokens })),
    );
    for (const constant of Object.values(value ?? {})) expect(constant).toBeGreaterThanOrEqual(0);
  });

  // Llama 2 of 7B on something like an A100 at half of its peaks; attention makes it not quite linear.
  const machine = { operationsPerSecond: 1.5e14, bytesPerSecond: 1e12 };
  const clean = shapes.map((shape) => ({ ...shape, seconds: idealisedRuntime(llama2, shape, machine) + 0.01 }));

  test("held-out shapes are foretold within 10%", () => {
    const { value } = fitRuntime(clean);
    for (const shape of [
      { promptTokens: 512, outputTokens: 128 },
      { promptTokens: 900, outputTokens: 4 },
      { promptTokens: 64, outputTokens: 256 },
    ]) {
      const seconds = idealisedRuntime(llama2, shape, machine) + 0.01;
      expect(Math.abs(secondsOf(value as typeof law, shape) / seconds - 1)).toBeLessThan(0.1);
    }
  });

  test("other users of the server do not move the figure: the fastest of eight", () => {
    const stream = random(3);
    // Half of the requests wait, up to three times as long; every one jitters by up to 1%.
    const shared = clean.flatMap((timing) =>
      Array.from({ length: 8 }, () => ({
        ...timing,
        seconds:
          timing.seconds * (1 + 0.01 * stream.uniform()) * (stream.uniform() < 0.5 ? 1 + 2 * stream.uniform() : 1),
      })),
    );
    const [alone, among] = [fitRuntime(clean).value, fitRuntime(shared).value];
    expect((among?.perOutputToken as number) / (alone?.perOutputToken as number)).toBeCloseTo(1, 1.5);
    const shape = { promptTokens: 512, outputTokens: 128 };
    expect(secondsOf(among as typeof law, shape) / secondsOf(alone as typeof law, shape)).toBeCloseTo(1, 1.5);
  });

  test("undefined, with a reason", () => {
    expect(fitRuntime(clean.slice(0, 3)).why).toMatch(/3 shapes are too few/);
    expect(fitRuntime([1, 2, 3, 4].map((n) => ({ promptTokens: 5, outputTokens: n, seconds: n }))).why).toMatch(
      /all prompts/,
    );
    expect(fitRuntime([1, 2, 3, 4].map((n) => ({ promptTokens: n, outputTokens: 2 * n, seconds: n }))).why).toMatch(
      /grow together/,
    );
  });
});
