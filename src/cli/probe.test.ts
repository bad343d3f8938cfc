import { afterEach, expect, test } from "vitest";
import { chatReply, type Upstream, upstream } from "../testing/upstream.ts";
import { main } from "./main.ts";

let server: Upstream | undefined;
afterEach(() => server?.[Symbol.asyncDispose]());

async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await main(argv, {
    process: {
      stdout: { write: (text) => void out.push(text) },
      stderr: { write: (text) => void err.push(text) },
      env: { PONDEROSA_API_KEY: "sk-canary-1" },
    },
    readStdin: async () => undefined,
    openModel: () => Promise.reject(new Error("not wanted")),
    onInterrupt: () => () => {},
  });
  return { code, out: out.join(""), err: err.join("") };
}

test("models probe says what works, on what it rests and what it cost", async () => {
  server = await upstream(({ path }) =>
    path === "/v1/chat/completions" ? chatReply(["\x1b[31mred"]) : { status: 404, json: {} },
  );
  const { code, out } = await cli("models", "probe", `${server.url}#m`);
  expect(code).toBe(0);
  expect(out).toContain(`${server.url}#m\na server that is not known  none of the known routes answers\n`);
  expect(out).toMatch(/✓ chat +the chat API +answers to max_tokens/);
  expect(out).toMatch(/✗ samples .* 1 of 2 samples came/);
  expect(out).toMatch(/\? seed .* both gave/);
  expect(out).toMatch(/\d+ requests, .* tokens read, .* written, .* ms\n$/);
  expect(out).not.toContain("\x1b"); // what the server wrote is shown, not obeyed
  const { out: json } = await cli("models", "probe", `${server.url}#m`, "--json");
  expect(JSON.parse(json)).toMatchObject({
    server: "unknown",
    origin: "probed",
    abilities: { chat: { works: "yes" } },
  });
  expect(server.calls[0]?.headers.authorization).toBe("Bearer sk-canary-1");
  expect(out + json).not.toContain("canary");
});

test("what is wrong with the address or the flags is wrong usage; a server that is not there is no answer", async () => {
  expect(await cli("models", "probe", "http://127.0.0.1:9/v1")).toMatchObject({
    code: 2,
    err: expect.stringContaining("name behind"),
  });
  expect(await cli("models", "probe", "http://127.0.0.1:9/v1#m", "--seconds", "x")).toMatchObject({ code: 2 });
  server = await upstream(() => "hang");
  await server[Symbol.asyncDispose]();
  expect(await cli("models", "probe", `${server.url}#gone`)).toMatchObject({
    code: 1,
    err: expect.stringContaining("is the server running?"),
  });
});
