import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "./heap.ts";

test("gives what a sorted list gives, under any mixture of pushes and pops", () => {
  // `undefined` pops, a number pushes; the model is a list that is sorted before every pop.
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer({ min: -5, max: 5 }), { nil: undefined }), { maxLength: 60 }),
      (steps) => {
        const heap = new Heap<number>((a, b) => a - b);
        const model: number[] = [];
        for (const step of steps) {
          if (step === undefined) expect(heap.pop()).toBe(model.sort((a, b) => a - b).shift());
          else {
            heap.push(step);
            model.push(step);
          }
          expect(heap.size).toBe(model.length);
        }
      },
    ),
    { seed: 2, numRuns: 300 },
  );
});

test("sorts a hundred thousand", () => {
  const heap = new Heap<number>((a, b) => a - b);
  const items = Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 100_000); // 7919 and 10^5 share no factor: a permutation
  for (const item of items) heap.push(item);
  for (let i = 0; i < items.length; i++) if (heap.pop() !== i) expect.fail(`The ${i}-th item is not ${i}`);
  expect(heap.pop()).toBeUndefined();
});
