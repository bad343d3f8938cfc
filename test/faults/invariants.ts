/** What holds after every fault, whatever it was. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import type { Model, ModelPart } from "../../src/model.ts";
import type { Upstream } from "../../src/testing/upstream.ts";

const codes: ReadonlySet<string> = new Set([
  "overflow", "timeout", "unavailable", "rate-limited", "unauthorized", "rejected", "bad-response", "truncated", "unsupported",
]); // biome-ignore format: a list

/** One end a sample; errors have a stable code and say something; costs are whole; no secret anywhere. */
export function checkParts(parts: readonly ModelPart[]): void {
  for (const part of parts) {
    if (part.type === "failure") {
      expect(codes).toContain(part.failure.code);
      expect(part.failure.message).toMatch(/\w+ \w+/);
    }
    const cost = part.type === "completion" ? part.completion.cost : part.type === "failure" ? part.cost : undefined;
    for (const value of Object.values(cost ?? {})) expect(value).toSatisfy((n) => Number.isSafeInteger(n) && n >= 0);
  }
  expect(JSON.stringify(parts)).not.toContain("canary");
}

/** Timers that keep this process alive. */
export const timersNow = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

/** A second after a fault no request is open; after its client is closed no socket, and no timer more than there were. */
export async function checkReleased({
  servers,
  models,
  timers,
}: {
  readonly servers: readonly Upstream[];
  readonly models: readonly Model[];
  readonly timers: number;
}): Promise<void> {
  for (const server of servers) await settles(() => server.open, 0);
  for (const model of models) await model[Symbol.asyncDispose]?.();
  for (const server of servers) {
    await settles(() => server.sockets, 0);
    await server[Symbol.asyncDispose]();
  }
  await settles(timersNow, timers);
}

/** Not by `expect.poll`, whose own timer would count. */
async function settles(count: () => number, most: number): Promise<void> {
  for (let waited = 0; waited < 500 && count() > most; waited++) await pause(2);
  expect(count()).toBeLessThanOrEqual(most);
}
