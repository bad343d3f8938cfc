import { describe, expect, test } from "vitest";
import { addCosts, cost } from "../../budget.ts";
import type { Node } from "../../node.ts";
import { run } from "../../run.ts";
import type { Judgement } from "../../scorer.ts";
import { batched, reward } from "../../scorers/reward.ts";
import { similarity } from "../../scorers/similarity.ts";
import { bestOfN } from "../../search/sampling/best-of-n.ts";
import { type UpstreamReply, upstream } from "../../testing/upstream.ts";
import type { Clock } from "../clock.ts";
import { openaiEmbedder } from "./embeddings.ts";
import { openaiRewards, type OpenaiRewardsOptions } from "./rewards.ts";

const clock: Clock = { now: () => 0, sleep: async () => {} };
const signal = new AbortController().signal;
const usage = { prompt_tokens: 12, total_tokens: 12 };

const cases: [OpenaiRewardsOptions["route"], object, Partial<OpenaiRewardsOptions>, object][] = [
  [
    "rerank",
    {
      usage: { total_tokens: 12 },
      results: [
        { index: 1, document: { text: "b" }, relevance_score: 0.25 },
        { index: 0, document: { text: "a" }, relevance_score: -3 },
      ],
    },
    {},
    { query: "q", documents: ["a", "b"] },
  ],
  [
    "score",
    {
      data: [
        { index: 0, object: "score", score: -3 },
        { index: 1, object: "score", score: 0.25 },
      ],
      usage,
    },
    {},
    { text_1: "q", text_2: ["a", "b"] },
  ],
  [
    "classify",
    {
      data: [
        { index: 0, label: "no", probs: [4, -3, 9], num_classes: 3 },
        { index: 1, label: "yes", probs: [0, 0.25, 0], num_classes: 3 },
      ],
      usage,
    },
    { classIndex: 1, format: (prompt, answer) => `${String(prompt)}=${answer}` },
    { input: ["q=a", "q=b"] },
  ],
  [
    "pooling",
    {
      data: [
        { index: 0, object: "pooling", data: [[1], [2], [-3]] },
        { index: 1, object: "pooling", data: [0.25] },
      ],
      usage,
    },
    { format: (prompt, answer) => `${String(prompt)}=${answer}` },
    { input: ["q=a", "q=b"] },
  ],
];

test.each(cases)("%s: what is asked, and the values in order of the answers", async (route, json, options, asked) => {
  await using server = await upstream(() => ({ json }));
  const model = openaiRewards({ baseUrl: server.url, model: "rm", route, apiKey: "sk-canary", ...options });
  const { values, cost } = await model.rewards("q", ["a", "b"], { signal });
  expect(values).toEqual([-3, 0.25]);
  expect(cost).toMatchObject({ calls: 1, promptTokens: 12, tokens: 0 });
  expect(server.calls.map(({ path, body }) => [path, body])).toEqual([[`/v1/${route}`, { model: "rm", ...asked }]]);
  expect(server.calls[0]?.headers["authorization"]).toBe("Bearer sk-canary");
  expect(model.kind).toBe(route === "classify" ? "probability" : "reward");
});

test.each(["classify", "pooling"] as const)("%s: as a conversation, a request each", async (route) => {
  await using server = await upstream(({ number }) => ({
    json: { data: [{ index: 0, probs: [0, number / 2], data: [0, number / 2] }], usage },
  }));
  const model = openaiRewards({ baseUrl: server.url, model: "rm", route, concurrency: 1 });
  const { values, cost } = await model.rewards([{ role: "system", content: "s" }], ["a", "b"], { signal });
  expect([values, cost.calls]).toEqual([[0, 0.5], 2]);
  expect(server.calls[1]?.body["messages"]).toEqual([
    { role: "system", content: "s" },
    { role: "assistant", content: "b" },
  ]);
});

describe("what goes wrong", () => {
  const data = (...entries: object[]): UpstreamReply => ({ json: { data: entries } });
  const faults: [string, UpstreamReply, string][] = [
    ["a null", data({ index: 0, score: null }), "bad-response"],
    ["a text", data({ index: 0, score: "0.5" }), "bad-response"],
    ["no entry", data(), "bad-response"],
    ["two entries", data({ index: 0, score: 1 }, { index: 1, score: 1 }), "bad-response"],
    ["an index beyond all bounds", data({ index: 4_294_967_294, score: 1 }), "bad-response"],
    ["the wrong index", data({ index: 3, score: 1 }), "bad-response"],
    ["no list", { json: { data: 7 } }, "bad-response"],
    ["NaN in what is no JSON", { headers: { "content-type": "application/json" }, pieces: ['{"data":[{"index":0,"score":NaN}]}'] }, "bad-response"], // biome-ignore format: one line
    ["HTML", { headers: { "content-type": "text/html" }, pieces: ["<html>"] }, "bad-response"],
    ["half a reply", { headers: { "content-type": "application/json", "content-length": "99" }, pieces: ['{"da'], then: "reset" }, "truncated"], // biome-ignore format: one line
    ["401", { status: 401, json: {} }, "unauthorized"],
    ["404", { status: 404, json: { detail: "Not Found" } }, "rejected"],
    ["an error in a 200", { json: { error: { message: "bad", code: 400 } } }, "rejected"],
    ["503 to the last", { status: 503, json: {} }, "unavailable"],
    ["429 to the last", { status: 429, json: {} }, "rate-limited"],
  ];
  test.each(faults)("%s: %o is the failure %s, and the node is unscored", async (_, reply, code) => {
    await using server = await upstream(() => reply);
    const model = openaiRewards({ baseUrl: server.url, model: "rm", route: "score", clock, retries: { count: 1 } });
    const scorer = reward<string>(model);
    const request = { problem: { id: "p", prompt: "q" }, text: (state: string) => state, seed: 1, signal };
    await expect(scorer.score({ state: "a" } as Node<string>, request)).rejects.toMatchObject({ code });
    expect(server.calls.length).toBe(code === "unavailable" || code === "rate-limited" ? 2 : 1);
  });

  test("a refused connection is asked again, then it is unavailable; an aborted one ends at once", async () => {
    await using server = await upstream(() => "hang");
    const model = openaiRewards({ baseUrl: server.url, model: "rm", route: "score" });
    const controller = new AbortController();
    const waiting = model.rewards("q", ["a"], { signal: controller.signal });
    await expect.poll(() => server.calls.length).toBe(1);
    controller.abort(new Error("no longer"));
    await expect(waiting).rejects.toThrow("no longer");
    await expect.poll(() => server.open).toBe(0);
  });
});

test("in best-of-n a server's reward chooses, within its bound; what it cannot score does not win", async () => {
  await using server = await upstream(({ body }) => {
    const [text] = body["text_2"] as [string];
    return { json: { data: [{ index: 0, score: text === "bbbb" ? null : text.charCodeAt(0) + text.charCodeAt(1) }] } };
  });
  const { lettersPolicy, lettersProblem } = await import("../../testing/letters.ts");
  const model = openaiRewards({ baseUrl: server.url, model: "rm", route: "score" });
  const { answer, nodes, spent } = await run(bestOfN({ n: 6, scorer: reward<string>(model) }), lettersProblem, {
    policy: lettersPolicy(),
    seed: 3,
    budget: { promptTokens: 2000 },
  });
  const values = nodes.filter(({ done }) => done).map(({ score }) => (score?.kind === "reward" ? score.value : 0));
  expect(answer?.score).toMatchObject({ value: Math.max(...values) });
  expect(spent.promptTokens).toBeLessThanOrEqual(2000);
});

test("batched: what is asked in one turn is one request, each gets its own value, the first pays", async () => {
  await using server = await upstream(({ body }) => ({
    json: {
      data: (body["text_2"] as string[]).map((text, index) => ({ index, score: Number(text) })),
      usage,
    },
  }));
  const model = batched(openaiRewards({ baseUrl: server.url, model: "rm", route: "score" }), { most: 3 });
  const left = new AbortController();
  const asked = ["1", "2", "3", "4"].map((one) => model.rewards("q", [one], { signal: left.signal }));
  const other = model.rewards("another", ["5"], { signal });
  expect((await Promise.all(asked)).map(({ values, cost }) => [values, cost.calls])).toEqual([
    [[1], 1],
    [[2], 0],
    [[3], 0],
    [[4], 1],
  ]);
  expect((await other).values).toEqual([5]);
  expect(server.calls.map(({ body }) => (body["text_2"] as string[]).length).sort()).toEqual([1, 1, 3]);
});

test("batched: nobody pays more than his bound, and the parts are the whole", async () => {
  await using server = await upstream(({ body }) => {
    const texts = (body["text_2"] as string[] | undefined) ?? ["one"];
    const data = texts.map((_, index) => ({ index, score: 1, probs: [1] }));
    return { json: { data, usage: { prompt_tokens: 10 * texts.length } } };
  });
  for (const route of ["score", "classify"] as const) {
    const model = openaiRewards({ baseUrl: server.url, model: "rm", route });
    const scorer = reward<string>(batched(model));
    const request = { problem: { id: "p", prompt: "q" }, text: (state: string) => state, seed: 1, signal };
    const nodes = ["a", "a much longer answer than the others", "bc", ""].map((state) => ({ state }) as Node<string>);
    const judged = (await Promise.all(nodes.map((one) => scorer.score(one, request)))) as Required<Judgement>[];
    for (const [i, { cost }] of judged.entries()) {
      const bound = scorer.bound?.(nodes[i] as Node<string>, request);
      expect(cost.calls).toBeLessThanOrEqual(1);
      expect(cost.promptTokens).toBeLessThanOrEqual(bound?.promptTokens ?? 0);
    }
    const sum = judged.map(({ cost }) => cost).reduce(addCosts);
    expect(sum).toEqual(cost({ calls: route === "score" ? 1 : 4, promptTokens: 40 }));
  }
});

test("batched: the request goes on while one still wants it, and ends with the last", async () => {
  await using server = await upstream(() => "hang");
  const model = batched(openaiRewards({ baseUrl: server.url, model: "rm", route: "score" }));
  const [first, second] = [new AbortController(), new AbortController()];
  const both = [first, second].map((one) => model.rewards("q", ["1"], { signal: one.signal }));
  const ended = Promise.allSettled(both);
  await expect.poll(() => server.calls.length).toBe(1);
  first.abort(new Error("one left"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(server.open).toBe(1);
  second.abort(new Error("both left"));
  expect((await ended).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await expect.poll(() => server.open).toBe(0);
});

test("embeddings: one request for all texts, vectors in their order; cosine of answer and reference", async () => {
  await using server = await upstream(({ number }) => ({
    json: {
      data: [
        { index: 1, embedding: [0, 2] },
        { index: 0, embedding: number === 0 ? [3, 3] : [0, null] },
      ],
      usage,
    },
  }));
  const scorer = similarity<string>(openaiEmbedder({ baseUrl: server.url, model: "e" }));
  const request = { problem: { id: "p", prompt: "q", reference: "r" }, text: (one: string) => one, seed: 1, signal };
  expect(await scorer.score({ state: "a" } as Node<string>, request)).toMatchObject({
    score: { kind: "reward", value: expect.closeTo(Math.SQRT1_2, 12) },
    cost: { calls: 1, promptTokens: 12 },
  });
  expect(server.calls[0]).toMatchObject({
    path: "/v1/embeddings",
    body: { model: "e", input: ["a", "r"], encoding_format: "float" },
  });
  await expect(scorer.score({ state: "a" } as Node<string>, request)).rejects.toMatchObject({ code: "bad-response" });
});
