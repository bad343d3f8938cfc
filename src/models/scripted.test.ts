import { expect, test } from "vitest";
import type { GenerateRequest, Model, ModelPart } from "../model.ts";
import { scripted } from "./scripted.ts";

const request = (more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  prefix: { prompt: "6 * 7 =", text: "" },
  seeds: [1],
  maxTokens: 100,
  sampling: {},
  signal: new AbortController().signal,
  ...more,
});

async function collect(model: Model, more: Partial<GenerateRequest> = {}): Promise<ModelPart[]> {
  const parts: ModelPart[] = [];
  for await (const part of model.generate(request(more))) parts.push(part);
  return parts;
}

test("answers in order of asking and counts every character as a token", async () => {
  const model = scripted({ replies: ["41", "42"], price: { dollarsPerToken: 1e-6, dollarsPerPromptToken: 1e-7 } });
  const parts = await collect(model, { seeds: [1, 2, 3] });
  expect(parts.map((part) => part.type === "completion" && part.completion.text)).toEqual(["41", "42", "41"]);
  // "41" and its end are 3 tokens; the prompt has 7 characters: 3 * 1000 + 7 * 100 nanodollars.
  expect(parts[0]).toMatchObject({
    completion: { length: 3, finish: "end", cost: { tokens: 3, promptTokens: 7, calls: 1, nanodollars: 3700 } },
  });
  expect(model.calls.map(({ seed, index, call, outcome }) => ({ seed, index, call, outcome }))).toEqual([
    { seed: 1, index: 0, call: 0, outcome: "completed" },
    { seed: 2, index: 1, call: 1, outcome: "completed" },
    { seed: 3, index: 2, call: 2, outcome: "completed" },
  ]);
});

test("cuts at the token limit, at a boundary and before a stop text", async () => {
  const model = scripted({ replies: [{ text: "one\ntwo\n", logProb: -1 }] });
  const until = (text: string): number | undefined => (text.includes("\n") ? text.indexOf("\n") + 1 : undefined);
  expect(await collect(model, { maxTokens: 2 })).toMatchObject([
    { completion: { text: "on", finish: "length", logProb: NaN } },
  ]);
  expect(await collect(model, { until })).toMatchObject([
    { completion: { text: "one\n", finish: "until", length: 4 } },
  ]);
  expect(await collect(model, { stop: ["\ntw"] })).toMatchObject([
    { completion: { text: "one", finish: "stop", length: 6 } },
  ]);
  expect(await collect(model)).toMatchObject([{ completion: { finish: "end", logProb: -1, length: 9 } }]);
});

test("streams token by token, and hides the beginning of a stop text until it is none", async () => {
  const model = scripted({ replies: [{ text: "abxabc!", tokenDelayMs: 1 }] });
  const parts = await collect(model, { stream: true, stop: ["abc"] });
  expect(parts.flatMap((part) => (part.type === "text-delta" ? [part.delta] : []))).toEqual(["abx"]);
  expect(parts.at(-1)).toMatchObject({ completion: { text: "abx", finish: "stop" } });
});

test("a failure, a throw and an empty text harm no one else", async () => {
  const model = scripted({
    replies({ seed }) {
      if (seed === 2) throw new Error("boom");
      return seed === 1 ? { failure: "rate-limited", delayMs: 5 } : "";
    },
  });
  const parts = await collect(model, { seeds: [1, 2, 3] });
  expect(parts).toHaveLength(3);
  expect(parts).toContainEqual(
    expect.objectContaining({ index: 0, failure: expect.objectContaining({ code: "rate-limited" }) }),
  );
  expect(parts).toContainEqual({ type: "failure", index: 1, failure: { code: "error", message: "boom" } });
  expect(parts).toContainEqual(
    expect.objectContaining({ index: 2, completion: expect.objectContaining({ text: "", length: 1 }) }),
  );
  expect(model.calls.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "completed"]);
});

test("a hang ends with the request, and nothing runs on", async () => {
  const abort = new AbortController();
  const model = scripted({ replies: [{ hang: true }, { text: "late", delayMs: 10_000 }, "now"] });
  const parts: ModelPart[] = [];
  for await (const part of model.generate(request({ seeds: [1, 2, 3], signal: abort.signal }))) {
    parts.push(part);
    abort.abort();
  }
  expect(parts).toMatchObject([{ index: 2, completion: { text: "now" } }]);
  expect(model.calls.map(({ outcome }) => outcome)).toEqual(["aborted", "aborted", "completed"]);
});

test("a consumer that leaves early ends the samples too", async () => {
  const model = scripted({ replies: ["now", { hang: true }] });
  for await (const _ of model.generate(request({ seeds: [1, 2] }))) break;
  expect(model.calls.map(({ outcome }) => outcome)).toEqual(["completed", "aborted"]);
});
