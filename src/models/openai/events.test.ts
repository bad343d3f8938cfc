/** Whatever bytes come, in whatever pieces: the same answer, or an error that says what is wrong; never a shorter answer. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ModelPart } from "../../model.ts";
import { chatChunk, chatReply, events } from "../../testing/upstream.ts";
import { openai } from "../openai.ts";

/** What the client makes of a reply that comes in these pieces. No socket: the reply is a stream in this process. */
async function read(pieces: readonly Uint8Array[], type = "text/event-stream"): Promise<ModelPart> {
  const body = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
  const model = openai({
    baseUrl: "http://127.0.0.1:9/v1",
    model: "m",
    retries: { count: 0 },
    fetch: async () => new Response(body(), { headers: { "content-type": type } }),
  });
  const { signal } = new AbortController();
  const request = { prefix: { prompt: "hi", text: "" }, seeds: [1], maxTokens: 50, sampling: {}, signal };
  const ends: ModelPart[] = [];
  for await (const part of model.generate({ ...request, stream: type === "text/event-stream" }))
    if (part.type !== "text-delta") ends.push(part);
  expect(ends).toHaveLength(1);
  return ends[0] as ModelPart;
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((to, i) => bytes.subarray(places[i], to));
}

const codes = ["bad-response", "truncated", "unavailable", "rejected", "rate-limited", "unauthorized", "overflow"];
const cuts = fc.array(fc.nat(4096), { maxLength: 12 });
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const ends = fc.constantFrom("\n", "\r\n", "\r");

test("any chunking of a stream, any line ends: the same answer", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 6 }), cuts, ends, async (words, cuts, end) => {
      const stream = events(...words.map((word) => chatChunk(word)), chatChunk("", "stop"), "[DONE]").join("");
      const part = await read(split(new TextEncoder().encode(stream.replaceAll("\n", end)), cuts));
      expect(part).toMatchObject({ type: "completion", completion: { text: words.join(""), finish: "end" } });
    }),
    { seed: 1, numRuns: 150 },
  );
});

test("any beginning of a stream that ends too soon is no answer", async () => {
  const stream = events(chatChunk("hé"), chatChunk("llo"), chatChunk("", "stop")).join("");
  const bytes = new TextEncoder().encode(stream);
  for (let length = 0; length < bytes.length - 2; length++) {
    const part = await read([bytes.subarray(0, length)]);
    expect(part).toMatchObject({
      type: "failure",
      failure: { code: expect.toSatisfy((code) => codes.includes(code)) },
    });
  }
});

test("any beginning of a JSON reply is no answer; in any pieces the whole is", async () => {
  const bytes = new TextEncoder().encode(JSON.stringify((chatReply(["hé"]) as { json: object }).json));
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), cuts, async (length, cuts) => {
      expect(await read(split(bytes.subarray(0, length), cuts), "application/json")).toMatchObject({ type: "failure" });
      const whole = await read(split(bytes, cuts), "application/json");
      expect(whole).toMatchObject({ completion: { text: "hé" } });
    }),
    { seed: 2, numRuns: 60 },
  );
});

test.each(["text/event-stream", "application/json"])("any bytes as %s: one end, with a code of ours", async (type) => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((json) => new TextEncoder().encode(json)),
    fc.json().map((json) => new TextEncoder().encode(`data: ${json}\n\n`)),
    fc.json().map((json) => new TextEncoder().encode(`data: {"choices":[${json}]}\n\ndata: [DONE]\n\n`)),
    fc.json().map((json) => new TextEncoder().encode(`{"choices":[{"message":{"content":"a"},"logprobs":${json}}]}`)),
    fc.json().map((json) => new TextEncoder().encode(`{"choices":[{"text":"a"}],"usage":${json}}`)),
  );
  await fc.assert(
    fc.asyncProperty(noise, cuts, async (bytes, cuts) => {
      const part = await read(split(bytes, cuts), type);
      if (part.type === "failure") expect(codes).toContain(part.failure.code);
      else expect(part.type).toBe("completion");
    }),
    { seed: 3, numRuns: 250 },
  );
});
