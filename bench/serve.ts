/**
 * What the server adds to a call: an upstream that answers at once, asked directly and through `ponderosa serve`, in turn.
 * `npx node bench/serve.ts`; load and both servers share the cores.
 */
import { readConfiguration, serve } from "../src/server/index.ts";
import { chatReply, upstream } from "../src/testing/upstream.ts";

const rounds = 3;
const each = 200;

await using behind = await upstream(() => chatReply(["42"], { usage: { prompt_tokens: 5, completion_tokens: 2 } }));
const proxy = await serve(
  readConfiguration({
    models: { any: `${behind.url}#any` },
    methods: { "majority-8": "majority:8" },
    listen: { port: 0 },
    limits: { running: 1000, queue: 10_000 },
  }),
);

async function ask(base: string, model: string): Promise<void> {
  const response = await fetch(`${base}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "?" }], max_tokens: 20 }),
  });
  if (!response.ok) throw new Error(await response.text());
  await response.text();
}

/** Milliseconds of each of `each` calls, one after another. */
async function times(base: string, model: string): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < each; i++) {
    const before = performance.now();
    await ask(base, model);
    taken.push(performance.now() - before);
  }
  return taken;
}

async function perSecond(base: string, model: string): Promise<number> {
  const before = performance.now();
  const lane = async () => {
    for (let i = 0; i < each / 4; i++) await ask(base, model);
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  return (16 * each) / 4 / ((performance.now() - before) / 1000);
}

const quantile = (values: readonly number[], p: number): string =>
  (values.toSorted((a, b) => a - b)[Math.floor(p * values.length)] as number).toFixed(2);

const ways = [
  ["the upstream itself", behind.url, "any"],
  ["through serve, one answer", `${proxy.url}/v1`, "any"],
  ["through serve, majority of 8", `${proxy.url}/v1`, "any+majority-8"],
] as const;
const latencies = new Map<string, number[]>();
const rates = new Map<string, number[]>();
for (let round = 0; round < rounds; round++)
  for (const [name, base, model] of ways) {
    latencies.set(name, [...(latencies.get(name) ?? []), ...(await times(base, model))]);
    rates.set(name, [...(rates.get(name) ?? []), await perSecond(base, model)]);
  }
for (const [name] of ways) {
  const [taken, rate] = [latencies.get(name) ?? [], rates.get(name) ?? []];
  console.log(
    `${name.padEnd(30)} p50 ${quantile(taken, 0.5)} ms  p99 ${quantile(taken, 0.99)} ms  ${quantile(rate, 0.5)} requests/s at 16 connections`,
  );
}
console.log(`memory ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB`);
await proxy.close();
