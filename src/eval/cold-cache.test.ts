import { expect, test } from "vitest";
import { cost, noCost } from "../budget.ts";
import type { Model } from "../model.ts";
import { openModel } from "../open-model.ts";
import { coldCache } from "./cold-cache.ts";

const { signal } = new AbortController();

async function costOf(model: Model, text: string, seeds: readonly number[]) {
  const costs = [];
  const request = { prefix: { prompt: "1,2,3>6\n", text }, seeds, maxTokens: 8, sampling: {}, signal };
  for await (const part of model.generate(request)) if (part.type === "completion") costs.push(part.completion.cost);
  return costs.reduce((a, b) => ({
    ...a,
    promptTokens: a.promptTokens + b.promptTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
  }));
}

test("prompts are charged as if the cache had been empty, whatever ran before", async () => {
  const engine = await openModel("sapling");
  const cold = { promptTokens: 9, cachedTokens: 2 * 9 }; // the start token and eight characters; two samples share them
  expect(await costOf(coldCache(engine), "", [1, 2, 3])).toMatchObject(cold);
  expect(await costOf(engine, "", [4])).toMatchObject({ promptTokens: 0, cachedTokens: 9 });
  const second = coldCache(engine);
  expect(await costOf(second, "", [1, 2, 3])).toMatchObject(cold);
  // What it sent itself is cached, and what goes beyond that is not.
  expect(await costOf(second, "", [4])).toMatchObject({ promptTokens: 0, cachedTokens: 9 });
  expect(await costOf(second, "1+2=3;", [4])).toMatchObject({ promptTokens: 6, cachedTokens: 9 });
  expect(await second.nextTokens?.({ prompt: "1,2,3>6\n", text: "1+2=3;" }, { signal })).toMatchObject({
    cost: cost({ cachedTokens: 15, calls: 1 }),
  });
});

test("continuations are charged by what the cell itself has read", async () => {
  const engine = await openModel("sapling");
  const prefix = { prompt: "1,2,3>6\n", text: "" }; // nine tokens with the one that starts
  const costOf = async (model: Model, paths: number[][]) =>
    (await model.nextTokensAfter?.(prefix, paths, { signal }))?.map(({ cost }) => cost);
  const cold = [cost({ promptTokens: 9 + 3, calls: 1 }), noCost, noCost]; // two continuations share their first token
  expect(await costOf(coldCache(engine), [[], [5, 6], [5, 7]])).toEqual(cold);
  const second = coldCache(engine); // the engine knows all of it by now
  expect(await costOf(second, [[], [5, 6], [5, 7]])).toEqual(cold);
  expect(await costOf(second, [[5, 6, 8]])).toEqual([cost({ promptTokens: 1, cachedTokens: 9 + 2, calls: 1 })]);
  expect(await second.nextTokens?.(prefix, { signal })).toMatchObject({ cost: cost({ cachedTokens: 9, calls: 1 }) });
});

test("a server's bill is left as it is", () => {
  const server = { id: "http://127.0.0.1:1/v1#any" } as Model;
  expect(coldCache(server)).toBe(server);
});
