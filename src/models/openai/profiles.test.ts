import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import type { GenerateRequest, Model, ModelPart } from "../../model.ts";
import {
  chatChunk,
  chatReply,
  completionReply,
  events,
  type Upstream,
  upstream,
  type UpstreamReply,
} from "../../testing/upstream.ts";
import { openai, type OpenaiOptions } from "../openai.ts";
import { abilities, type Ability } from "./profile.ts";
import { profileNames, profiles } from "./profiles.ts";
import { serverTokens } from "./tokens.ts";

const { signal } = new AbortController();
let server: Upstream | undefined;
afterEach(() => server?.[Symbol.asyncDispose]());

async function client(reply: UpstreamReply, options: Partial<OpenaiOptions>): Promise<Model> {
  server = await upstream(() => reply);
  return openai({ baseUrl: server.url, model: "m", ...options });
}

async function ask(model: Model, more: Partial<GenerateRequest> = {}): Promise<ModelPart[]> {
  const request = { prefix: { prompt: "hi", text: "" }, seeds: [7], maxTokens: 50, sampling: {}, signal, ...more };
  const parts: ModelPart[] = [];
  for await (const part of model.generate(request)) parts.push(part);
  return parts;
}

const sent = (): Record<string, unknown> => server?.calls.at(-1)?.body as Record<string, unknown>;

test("every cut that vLLM would take from generation_config.json is turned off, and what is asked for wins", async () => {
  const model = await client(chatReply(["ok"]), { profile: "vllm", body: { repetition_penalty: 1.1 } });
  await ask(model);
  expect(sent()).toMatchObject({ temperature: 1, top_p: 1, top_k: -1, min_p: 0, repetition_penalty: 1.1 });
  await ask(model, { sampling: { topK: 20, minP: 0.1 } });
  expect(sent()).toMatchObject({ top_k: 20, min_p: 0.1 });
  await ask(model, { sampling: { topK: 0 } }); // no cut, in this server's words
  expect(sent()).toMatchObject({ top_k: -1 });
});

test("where cuts cannot be turned off, the law that was sampled from is not known", async () => {
  const reply = chatReply(["a"], { logProbs: [[["a", -0.5]]], usage: { prompt_tokens: 1, completion_tokens: 1 } });
  expect(await ask(await client(reply, { profile: "ollama" }))).toMatchObject([
    { completion: { logProb: -0.5, logProposal: NaN } },
  ]);
  await server?.[Symbol.asyncDispose]();
  expect(await ask(await client(reply, { profile: "vllm" }))).toMatchObject([
    { completion: { logProb: -0.5, logProposal: -0.5 } },
  ]);
});

test.each([
  [{ top_k: 0, min_p: 0, cache_prompt: false }, -0.5],
  [{ top_k: 20 }, NaN],
  [{ temperature: 0.6 }, NaN],
  [{ logit_bias: { 5: 1 } }, NaN],
])("with %j in every request the proposal's log-probability is %d", async (body, logProposal) => {
  const reply = chatReply(["a"], { logProbs: [[["a", -0.5]]], usage: { prompt_tokens: 1, completion_tokens: 1 } });
  expect(await ask(await client(reply, { body }))).toMatchObject([{ completion: { logProb: -0.5, logProposal } }]);
});

test.each([
  ["vllm", { continue_final_message: true, add_generation_prompt: false }],
  ["sglang", { continue_final_message: true }],
  ["llama-server", {}],
] as const)("%s is told in its own words to continue", async (profile, words) => {
  const model = await client(chatReply(["4"]), { profile });
  expect(model.capabilities.continues).toBe(true);
  await ask(model, { prefix: { prompt: "2 + 2", text: "It is " } });
  const { continue_final_message, add_generation_prompt, messages } = sent();
  expect(JSON.parse(JSON.stringify({ continue_final_message, add_generation_prompt }))).toEqual(words);
  expect(messages).toMatchObject([{ role: "user" }, { role: "assistant", content: "It is " }]);
});

test("llama-server reuses no cache where replies must repeat", async () => {
  const model = await client(chatReply(["4"]), { profile: "llama-server", repeatable: true });
  await ask(model);
  expect(sent()).toMatchObject({ cache_prompt: false });
  const usual = openai({ baseUrl: "http://x/v1", model: "m", profile: "llama-server" });
  expect(model.revision).not.toBe(usual.revision);
});

test.each(["openai", "azure"] as const)("%s is sent nothing that its reasoning models refuse", async (profile) => {
  const model = await client(chatReply(["4"]), { profile });
  await ask(model);
  expect(sent()).toEqual({
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    max_completion_tokens: 50,
    seed: 7,
    stream: false,
  });
  await ask(model, { sampling: { temperature: 0.5, topP: 0.9 } });
  expect(sent()).toMatchObject({ temperature: 0.5, top_p: 0.9 });
});

test("chat scores given text by prompt_logprobs: the last tokens that spell it", async () => {
  const entry = (decoded_token: string, logprob: number) => ({ 9: { decoded_token, logprob, rank: 1 } });
  const list = [null, entry("user", -7), entry("It", -3), entry(" is", -2), entry(" fo", -1), entry("ur", -0.5)];
  const reply = { json: { ...(chatReply(["!"]) as { json: object }).json, prompt_logprobs: list } };
  const model = await client(reply, { profile: "vllm" });
  const prefix = { prompt: "2 + 2", text: "It is" };
  expect(await model.scoreText?.(prefix, " four", { signal })).toEqual({
    tokens: [" fo", "ur"],
    logProbs: [-1, -0.5],
    cost: { tokens: 2, promptTokens: 10, cachedTokens: 0, calls: 1, nanodollars: 0 }, // the one generated token is paid
  });
  expect(sent()).toMatchObject({
    prompt_logprobs: 0,
    max_tokens: 1,
    messages: [{ role: "user" }, { role: "assistant", content: "It is four" }],
    continue_final_message: true,
  });
  expect((await model.scoreText?.(prefix, "s four", { signal }))?.tokens).toEqual([" is", " fo", "ur"]); // straddles
  await expect(model.scoreText?.(prefix, " five", { signal })).rejects.toThrow(/do not spell/);
  await expect(model.scoreText?.(prefix, "x".repeat(99), { signal })).rejects.toThrow(/first token/);
});

test("SGLang scores given text by its native route", async () => {
  const input_token_logprobs = [
    [null, 5, "Q="],
    [-0.5, 6, " 4"],
    [-0.25, 7, "2"],
  ];
  const model = await client(
    { json: { text: "", meta_info: { prompt_tokens: 3, input_token_logprobs } } },
    { profile: "sglang", api: "completions" },
  );
  expect(await model.scoreText?.({ prompt: "Q=", text: "" }, " 42", { signal })).toMatchObject({
    tokens: [" 4", "2"],
    logProbs: [-0.5, -0.25],
    cost: { calls: 1, promptTokens: 3 },
  });
  expect(server?.calls[0]).toMatchObject({
    path: "/generate", // beside /v1
    body: { text: "Q= 42", return_logprob: true, sampling_params: { max_new_tokens: 0 } },
  });
  expect(openai({ baseUrl: "http://x/v1", model: "m", profile: "sglang" }).scoreText).toBeUndefined(); // not in chat
});

test("reasoning is no part of the answer, and its tokens are paid", async () => {
  const delta = (words: object): object => ({ choices: [{ index: 0, delta: words, finish_reason: null }] });
  const pieces = events(
    delta({ reasoning: "First " }),
    delta({ reasoning: "second." }),
    chatChunk("4"),
    chatChunk("2", "stop"),
    "[DONE]",
  );
  const model = await client({ pieces }, {});
  const parts = await ask(model, { stream: true });
  expect(parts).toMatchObject([
    { delta: "4" },
    { delta: "2" },
    { completion: { text: "42", cost: { tokens: 4 } } }, // four pieces, as no usage was told
  ]);
  await server?.[Symbol.asyncDispose]();
  const message = { role: "assistant", reasoning_content: "Twelve bytes", content: "42" };
  const whole = await client({ json: { choices: [{ index: 0, message, finish_reason: "stop" }] } }, {});
  expect(await ask(whole)).toMatchObject([{ completion: { text: "42", cost: { tokens: 12 + 2 + 1 } } }]);
});

test("tokens are counted exactly where that was learned before, else bounded", async () => {
  server = await upstream(({ body }) => ({ json: { tokens: String(body["content"]).split(" ") } }));
  await using tokens = serverTokens({ baseUrl: server.url, model: "m", profile: "llama-server" });
  expect(tokens.countTokens("one two")).toBe(7);
  await tokens.learn(["one two", "one two"], { signal });
  await tokens.learn(["one two"], { signal });
  expect(tokens.countTokens("one two")).toBe(2);
  expect(server.calls).toMatchObject([{ path: "/tokenize", body: { content: "one two", add_special: true } }]);
  expect(() => serverTokens({ baseUrl: "http://x/v1", model: "m", profile: "ollama" })).toThrow(/no route/);
});

test.each(profileNames)("%s: what its fields can ask for, and nothing else, is said to work", (name) => {
  const { fields, abilities, server } = profiles[name];
  expect(server).toBe(name);
  const works = (ability: keyof typeof abilities): boolean => abilities[ability].works === "yes";
  expect(works("continues")).toBe(fields.continuation !== undefined);
  expect(works("scoresText")).toBe(Object.keys(fields.scoring).length > 0);
  expect(works("tokenizes")).toBe(fields.tokenizes !== undefined);
  expect(works("grammar")).toBe(fields.grammar !== undefined);
  for (const { evidence } of Object.values(abilities)) expect(evidence).toMatch(/20\d\d-\d\d-\d\d$/);
});

test("the table of docs/servers.md is that of the profiles, and so are its sources", () => {
  const page = readFileSync(new URL("../../../docs/servers.md", import.meta.url), "utf8");
  const marks = { yes: "✓", no: "✗", unknown: "?" };
  for (const [ability, meaning] of Object.entries(abilities)) {
    const cells = profileNames.map((name) => marks[profiles[name].abilities[ability as Ability].works]);
    expect(page).toContain(`| ${meaning} | ${cells.join(" | ")} |`);
  }
  for (const name of profileNames) expect(page).toContain(`- \`${name}\`: ${profiles[name].abilities.chat.evidence}`);
});

test("one that was probed is taken like one that is declared", async () => {
  const probed = JSON.parse(JSON.stringify({ ...profiles.vllm, origin: "probed" })) as typeof profiles.vllm;
  const model = await client(completionReply(["ok"]), { profile: probed, api: "completions" });
  expect(model.capabilities).toEqual(
    openai({ baseUrl: "http://x/v1", model: "m", profile: "vllm", api: "completions" }).capabilities,
  );
});
