import { afterEach, expect, test } from "vitest";
import type { Model } from "../../model.ts";
import { chatReply, type Upstream, upstream, type UpstreamReply } from "../../testing/upstream.ts";
import { openai, type OpenaiOptions } from "../openai.ts";
import { openaiEmbedder } from "./embeddings.ts";

let servers: Upstream[] = [];
afterEach(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
  servers = [];
});

/** The first server and its mirrors, each with what it answers and its weight. */
async function client(
  plans: readonly { readonly reply: () => UpstreamReply; readonly weight?: number }[],
  options: Partial<OpenaiOptions> = {},
): Promise<Model> {
  for (const { reply } of plans) servers.push(await upstream(reply));
  const [first, ...others] = servers as [Upstream, ...Upstream[]];
  const mirrors = others.map(({ url }, i) => ({ baseUrl: url, weight: plans[i + 1]?.weight ?? 1 }));
  return openai({ baseUrl: first.url, model: "m", mirrors, ...options });
}

async function ask(model: Model, seeds: readonly number[]): Promise<string[]> {
  const texts: string[] = [];
  const { signal } = new AbortController();
  const request = { prefix: { prompt: "hi", text: "" }, seeds, maxTokens: 5, sampling: {}, signal };
  for await (const part of model.generate(request))
    if (part.type !== "text-delta")
      texts[part.index] = part.type === "completion" ? part.completion.text : part.failure.message;
  return texts;
}

const says = (text: string) => (): UpstreamReply => chatReply([text]);
const down = (): UpstreamReply => ({ status: 503, json: {} });
const seeds = Array.from({ length: 200 }, (_, i) => i);

test("work is shared by weight, and by the seed: the same sample goes to the same server", async () => {
  const model = await client([{ reply: says("a") }, { reply: says("b"), weight: 3 }]);
  expect(model.concurrency).toBe(32);
  const texts = await ask(model, seeds);
  const share = texts.filter((text) => text === "b").length / texts.length;
  expect(Math.abs(share - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / texts.length));
  expect(await ask(model, seeds)).toEqual(texts);
  expect(await ask(model, [...seeds].reverse())).toEqual([...texts].reverse());
});

test("a failed attempt goes to another at once; after some, the one that fails is left alone", async () => {
  const model = await client([{ reply: down }, { reply: says("b") }], { retries: { count: 1 }, concurrency: 1 });
  const started = performance.now();
  expect(new Set(await ask(model, seeds))).toEqual(new Set(["b"]));
  expect(performance.now() - started).toBeLessThan(2000); // without a pause, which is 250 ms at least
  expect(servers[0]?.calls).toHaveLength(5);
});

test("none is asked again sooner than it said, whatever another said", async () => {
  let now = 0;
  const clock = { now: () => now, sleep: async (ms: number) => void (now += ms) };
  const busy = (seconds: number, asked: number[]) => (): UpstreamReply => {
    asked.push(now);
    return { status: 429, headers: { "retry-after": String(seconds) }, json: {} };
  };
  const [slow, quick]: [number[], number[]] = [[], []];
  const plans = [{ reply: busy(50, slow) }, { reply: busy(1, quick) }];
  await using model = (await client(plans, { clock, retries: { count: 30 } })) as Model & AsyncDisposable;
  await ask(model, [1]);
  expect(slow.length + quick.length).toBe(31);
  for (const [asked, ms] of [
    [slow, 50_000],
    [quick, 1000],
  ] as const) {
    expect(asked.length).toBeGreaterThan(1);
    for (const [i, at] of asked.slice(1).entries()) expect(at - (asked[i] as number)).toBeGreaterThanOrEqual(ms);
  }
});

test("where all fail it says which", async () => {
  const clock = { now: () => 0, sleep: async () => {} };
  const model = await client([{ reply: down }, { reply: down }], { retries: { count: 2 }, clock });
  const [message] = await ask(model, [1]);
  expect(message).toMatch(/127\.0\.0\.1.*#m answered 503; 3 attempts/);
  expect(servers.flatMap(({ calls }) => calls)).toHaveLength(3);
});

test("a mirror has a key of its own, and a weight above 0", async () => {
  servers.push(await upstream(down), await upstream(says("b")));
  const [first, second] = servers as [Upstream, Upstream];
  const mirrors = [{ baseUrl: second.url, apiKey: "sk-second" }];
  const model = openai({ baseUrl: first.url, model: "m", apiKey: "sk-first", mirrors });
  await ask(model, [1, 2, 3]);
  for (const { headers } of first.calls) expect(headers.authorization).toBe("Bearer sk-first");
  for (const { headers } of second.calls) expect(headers.authorization).toBe("Bearer sk-second");
  expect(model.id).toBe(`${first.url}#m`);
  expect(() =>
    openai({ baseUrl: "http://x/v1", model: "m", mirrors: [{ baseUrl: "http://y/v1", weight: 0 }] }),
  ).toThrow(/'weight' must be > 0/);
});

test("a time that runs out lowers the requests in flight, as a 429 does", async () => {
  let most = 0;
  const model = await client([{ reply: () => "hang" }], {
    concurrency: 4,
    timeouts: { attemptMs: 40 },
    circuit: { failures: 100 },
  });
  await ask(model, [1, 2, 3, 4]);
  const [server] = servers as [Upstream];
  const watching = setInterval(() => (most = Math.max(most, server.open)), 1);
  await expect.poll(() => server.open).toBe(0);
  await ask(model, [5, 6, 7, 8]);
  clearInterval(watching);
  expect(most).toBe(2);
});

test("what has no seed of its own is shared, too: by what is asked", async () => {
  const scored = (): UpstreamReply => ({ json: { data: [{ index: 0, embedding: [1] }] } });
  servers.push(await upstream(scored), await upstream(scored));
  const [first, second] = servers as [Upstream, Upstream];
  await using embedder = openaiEmbedder({ baseUrl: first.url, model: "m", mirrors: [{ baseUrl: second.url }] });
  const { signal } = new AbortController();
  const asked = (): unknown[][] => servers.map(({ calls }) => calls.map(({ body }) => body["input"]));
  for (let i = 0; i < 20; i++) await embedder.embed([`text ${i}`], { signal });
  const once = asked();
  for (const inputs of once) expect(inputs.length).toBeGreaterThan(2); // 2 or fewer of 20 by a fair lot: 2e-4
  for (let i = 0; i < 20; i++) await embedder.embed([`text ${i}`], { signal });
  expect(asked()).toEqual(once.map((inputs) => [...inputs, ...inputs]));
  await embedder[Symbol.asyncDispose]();
  await expect.poll(() => first.sockets + second.sockets).toBe(0);
});
