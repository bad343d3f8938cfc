import { afterEach, expect, test } from "vitest";
import type { GenerateRequest, Model, ModelPart } from "../model.ts";
import { text } from "../policies/text.ts";
import {
  chatChunk,
  chatReply,
  chatStream,
  completionReply,
  events,
  type Upstream,
  upstream,
  type UpstreamReply,
} from "../testing/upstream.ts";
import { openai, openaiFromUrl, type OpenaiOptions } from "./openai.ts";

const { signal } = new AbortController();
let server: Upstream | undefined;
afterEach(() => server?.[Symbol.asyncDispose]());

async function client(replies: readonly UpstreamReply[], options: Partial<OpenaiOptions> = {}): Promise<Model> {
  server = await upstream(({ number }) => replies[number % replies.length] as UpstreamReply);
  return openai({ baseUrl: server.url, model: "m", ...options });
}

async function ask(model: Model, more: Partial<GenerateRequest> = {}): Promise<ModelPart[]> {
  const parts: ModelPart[] = [];
  const request = { prefix: { prompt: "hi", text: "" }, seeds: [7], maxTokens: 50, sampling: {}, signal, ...more };
  for await (const part of model.generate(request)) parts.push(part);
  return parts;
}

const bodies = (): unknown[] => server?.calls.map(({ body }) => body) ?? [];

test("chat: every sampling field is sent, defaults too", async () => {
  const model = await client([chatReply(["ok"])], { body: { cache_prompt: false }, headers: { "x-team": "blue" } });
  await ask(model);
  await ask(model, { sampling: { temperature: 0.7, topK: 20, topP: 0.9, minP: 0.05 }, stop: ["\n"] });
  const usual = {
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    max_tokens: 50,
    seed: 7,
    stream: false,
    cache_prompt: false,
  };
  expect(bodies()).toEqual([
    { ...usual, temperature: 1, top_p: 1 },
    { ...usual, temperature: 0.7, top_p: 0.9, top_k: 20, min_p: 0.05, stop: ["\n"] },
  ]);
  expect(server?.calls[0]).toMatchObject({ path: "/v1/chat/completions", headers: { "x-team": "blue" } });
  expect(server?.calls[0]?.headers.authorization).toBeUndefined();
});

test("completions: the prompt and the partial answer are one text", async () => {
  const model = await client([completionReply([" 4"])], { api: "completions", capabilities: { logProbs: true } });
  const [part] = await ask(model, { prefix: { prompt: "2 + 2", text: " =" } });
  expect(part).toMatchObject({ completion: { text: " 4", finish: "end", length: 3 } });
  expect(bodies()).toEqual([
    { model: "m", prompt: "2 + 2 =", max_tokens: 50, temperature: 1, top_p: 1, seed: 7, logprobs: 1, stream: false },
  ]);
  expect(await ask(model, { prefix: { prompt: [{ role: "user", content: "hi" }], text: "" } })).toMatchObject([
    { failure: { code: "unsupported", message: expect.stringContaining('api "chat"') }, cost: { calls: 0 } },
  ]);
});

test("chat continues an answer only where that is declared", async () => {
  const prompt = [{ role: "user", content: "2 + 2" }] as const;
  const able = await client([chatReply(["4"])], { capabilities: { continues: true } });
  await ask(able, { prefix: { prompt, text: "It is " } });
  expect(bodies()).toMatchObject([
    {
      messages: [...prompt, { role: "assistant", content: "It is " }],
      continue_final_message: true,
      add_generation_prompt: false,
    },
  ]);
  const unable = openai({ baseUrl: server?.url as string, model: "m" });
  expect(await ask(unable, { prefix: { prompt, text: "It is " } })).toMatchObject([
    { failure: { code: "unsupported" } },
  ]);
  expect(() => text(unable, { step: "line" })).toThrow(/step "answer"/);
});

test("the log-probability is the sum over tokens; the proposal's is known only where nothing was changed", async () => {
  const reply = chatReply(["ab"], {
    logProbs: [
      [
        ["a", -0.5],
        ["b", -0.25],
        ["", -0.125],
      ],
    ],
  });
  const model = await client([reply], { capabilities: { logProbs: true } });
  expect(await ask(model)).toMatchObject([{ completion: { length: 3, logProb: -0.875, logProposal: -0.875 } }]);
  expect(await ask(model, { sampling: { topP: 0.9 } })).toMatchObject([
    { completion: { logProb: -0.875, logProposal: NaN } },
  ]);
});

test("what changes its replies and is not in its id is in its revision, by which a ledger knows it", () => {
  const revisionOf = (options: Partial<OpenaiOptions>) =>
    openai({ baseUrl: "http://127.0.0.1:1", model: "m", ...options }).revision;
  const different: Partial<OpenaiOptions>[] = [
    {},
    { api: "completions" },
    { body: { top_k: 0 } },
    { endText: "<end>" },
  ];
  expect(new Set(different.map(revisionOf)).size).toBe(different.length);
  expect(revisionOf({ body: {}, concurrency: 2 })).toBe(revisionOf({}));
});

test("a boundary is cut out of a stream, and the rest is cancelled", async () => {
  const pieces = events(chatChunk("one"), chatChunk(" two\nthr"), chatChunk("ee"));
  const model = await client([{ pieces, then: "hang" }]);
  const until = (so: string): number | undefined => (so.includes("\n") ? so.indexOf("\n") + 1 : undefined);
  const parts = await ask(model, { until, stream: true });
  expect(parts).toMatchObject([
    { type: "text-delta", delta: "one" },
    { type: "text-delta", delta: " two\n" },
    { completion: { text: "one two\n", finish: "until", length: 3 } }, // three events, or 11 bytes of about 4 a token
  ]);
  await expect.poll(() => server?.calls[0]?.left).toBe(true);
});

test("a stop text that a server ignores is cut here", async () => {
  const model = await client([chatStream(["a", "b", "EN", "D", "c"]), chatReply(["abENDc"])]);
  const parts = await ask(model, { stop: ["END"], stream: true });
  expect(parts.map((part) => (part.type === "text-delta" ? part.delta : part.type))).toEqual(["a", "b", "completion"]);
  expect(parts.at(-1)).toMatchObject({ completion: { text: "ab", finish: "stop" } });
  expect(await ask(model, { stop: ["END"] })).toMatchObject([{ completion: { text: "ab", finish: "stop" } }]);
});

test("log-probabilities of a cut stream are those of the tokens that are kept", async () => {
  const chunk = (token: string, logprob: number): object => ({
    choices: [
      { index: 0, delta: { content: token }, logprobs: { content: [{ token, logprob }] }, finish_reason: null },
    ],
  });
  const model = await client([{ pieces: events(chunk("a", -1), chunk("\n", -2), chunk("b", -4)) }], {
    capabilities: { logProbs: true },
  });
  const until = (so: string): number | undefined => (so.includes("\n") ? so.indexOf("\n") + 1 : undefined);
  expect(await ask(model, { until })).toMatchObject([
    { completion: { text: "a\n", logProb: -3, length: 2, cost: { tokens: 2 } } },
  ]);
});

test("the token limit, and a server that tells of its stop text", async () => {
  const model = await client([
    chatReply(["abc"], { finish: "length" }),
    { json: { choices: [{ message: { content: "abc" }, finish_reason: "stop", stop_reason: "END" }] } },
    chatReply(["half"], { finish: "content_filter" }),
  ]);
  expect(await ask(model)).toMatchObject([{ completion: { finish: "length" } }]);
  expect(await ask(model)).toMatchObject([{ completion: { finish: "stop" } }]);
  expect(await ask(model)).toMatchObject([{ failure: { code: "rejected" }, cost: { tokens: 5 } }]);
});

test("n samples in one request share its bill to the last token", async () => {
  const usage = { prompt_tokens: 100, completion_tokens: 11, prompt_tokens_details: { cached_tokens: 64 } };
  const model = await client([chatReply(["a", "bb", "ccc"], { usage })], {
    capabilities: { samplesPerCall: 3 },
    price: { dollarsPerToken: 2e-9, dollarsPerPromptToken: 1e-9, dollarsPerCachedToken: 5e-10 },
  });
  const parts = await ask(model, { seeds: [1, 2, 3] });
  expect(bodies()).toMatchObject([{ n: 3, seed: 1 }]);
  // 11 in proportion to 2, 3, 4: 2.44, 3.67, 4.89; the two that are left go to the largest remainders.
  expect(parts.map((part) => part.type === "completion" && part.completion.cost)).toEqual([
    { tokens: 2, promptTokens: 36, cachedTokens: 64, calls: 1, nanodollars: 72 }, // 4 + 36 + 32
    { tokens: 4, promptTokens: 0, cachedTokens: 0, calls: 1, nanodollars: 8 },
    { tokens: 5, promptTokens: 0, cachedTokens: 0, calls: 1, nanodollars: 10 },
  ]);
});

test("given text is scored by echo, where that is declared", async () => {
  const logprobs = {
    tokens: ["Q", "é", "=", " 4", "2", "<end>"],
    token_logprobs: [null, -9, -8, -0.5, -0.25, -0.125],
    text_offset: [0, 1, 2, 3, 5, 6], // in code points
  };
  const model = await client(
    [
      {
        json: {
          choices: [{ index: 0, text: "Qé= 42", finish_reason: "length", logprobs }],
          usage: { prompt_tokens: 6, completion_tokens: 0 },
        },
      },
    ],
    {
      api: "completions",
      capabilities: { scoresText: true },
      endText: "<end>",
    },
  );
  const score = await model.scoreText?.({ prompt: "Qé=", text: "" }, " 42", { end: true, signal });
  expect(score).toMatchObject({
    tokens: [" 4", "2", "<end>"],
    logProbs: [-0.5, -0.25, -0.125],
    cost: { calls: 1, promptTokens: 6 },
  });
  expect(bodies()).toMatchObject([{ prompt: "Qé= 42<end>", echo: true, max_tokens: 0, logprobs: 1 }]);
  const plain = await model.scoreText?.({ prompt: "Qé", text: "=" }, " 42", { signal });
  expect(plain?.tokens).toEqual([" 4", "2"]); // what comes after the text is no part of it
  expect(() => openai({ baseUrl: "http://x/v1", model: "m", capabilities: { scoresText: true } })).toThrow(
    /completions/,
  );
  expect(openai({ baseUrl: "http://x/v1", model: "m" }).scoreText).toBeUndefined();
});

test("answers grow line by line through the completions API", async () => {
  const model = await client(
    [
      { pieces: events({ choices: [{ index: 0, text: "one\ntw", finish_reason: null }] }), then: "hang" },
      completionStream("two"),
    ],
    { api: "completions" },
  );
  const policy = text(model, { step: "line" });
  const problem = { id: "p", prompt: "Count:" };
  let state = policy.root(problem);
  for (const done of [false, true]) {
    for await (const part of policy.extend(state, { problem, draw: "sample", seeds: [1], ranks: [0], signal }))
      if (part.type === "extension") {
        state = part.extension.state;
        expect(part.extension.done).toBe(done);
      }
  }
  expect(state).toMatchObject({ text: "one\ntwo", finish: "end" });
  expect(bodies()).toMatchObject([{ prompt: "Count:", stream: true }, { prompt: "Count:one\n" }]);
});

const completionStream = (so: string): UpstreamReply => ({
  pieces: events({ choices: [{ index: 0, text: so, finish_reason: "stop" }] }, "[DONE]"),
});

test("no more requests in flight than allowed", async () => {
  let most = 0;
  server = await upstream(() => {
    most = Math.max(most, server?.open ?? 0);
    return { ...chatReply(["ok"]), delayMs: 5 };
  });
  await ask(openai({ baseUrl: server.url, model: "m", concurrency: 2 }), { seeds: [1, 2, 3, 4, 5, 6] });
  expect(most).toBe(2);
  expect(server.calls).toHaveLength(6);
});

test.each([Number.POSITIVE_INFINITY, 2 ** 31, 0, Number.NaN])(
  "a time of %d ms, which no timer keeps, is refused",
  (ms) => {
    const options = { baseUrl: "http://x/v1", model: "m", timeouts: { requestMs: ms } };
    expect(() => openai(options)).toThrow(/'requestMs' must be a number of milliseconds in \(0, 2147483647\]/);
  },
);

test("a model by its URL; queries and keys stay out of its name", async () => {
  expect(openaiFromUrl("http://127.0.0.1:8000/v1/?version=7#org/qwen").id).toBe("http://127.0.0.1:8000/v1#org/qwen");
  expect(() => openaiFromUrl("http://127.0.0.1:8000/v1")).toThrow(/#qwen/);
  const vllm = openaiFromUrl("http://127.0.0.1:8000/v1?profile=vllm&version=7#qwen");
  expect(vllm).toMatchObject({
    id: "http://127.0.0.1:8000/v1#qwen",
    capabilities: { continues: true, logProbs: true },
  });
  expect(() => openaiFromUrl("http://127.0.0.1:8000/v1?profile=probe#qwen")).toThrow(/openModel/);
  expect(() => openai({ baseUrl: "ftp://x", model: "m" })).toThrow(/http or https/);
  for (const options of [{ baseUrl: "http://u:canary@x/v1" }, { baseUrl: "http://x/v1", apiKey: "canary\n1" }])
    expect(() => openai({ model: "m", ...options })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("canary") }),
    );
  const model = await client([chatReply(["ok"])]);
  const behind = openai({ baseUrl: `${server?.url}/?version=7`, model: model.id });
  await ask(behind);
  expect(server?.calls[0]?.path).toBe("/v1/chat/completions?version=7");
});
