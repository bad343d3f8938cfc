/**
 * A model server on loopback that does what a plan says, the faults of real ones included.
 *
 * ```ts
 * await using server = await upstream(({ number }) => (number === 0 ? { status: 503 } : chatReply(["42"])));
 * const model = openai({ baseUrl: server.url, model: "any" });
 * ```
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface UpstreamCall {
  /** Requests before this one. */
  readonly number: number;
  readonly path: string;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The request's JSON. */
  readonly body: Record<string, unknown>;
  /** Whether the client closed the connection before the reply was whole. */
  left: boolean;
}

export interface UpstreamAnswer {
  /** @default 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON body, … */
  readonly json?: unknown;
  /** … or a body in pieces, each written for itself; a number is a pause in ms. */
  readonly pieces?: Iterable<string | Uint8Array | number>;
  /** Pause before the headers. */
  readonly delayMs?: number;
  /** What follows the last piece. @default "end" */
  readonly then?: "end" | "hang" | "reset";
}

export type UpstreamReply = UpstreamAnswer | "reset" | "hang";

export interface Upstream extends AsyncDisposable {
  /** With `/v1`. */
  readonly url: string;
  readonly calls: readonly UpstreamCall[];
  /** Requests whose replies are neither whole nor given up. */
  readonly open: number;
  /** Connections, those included that nobody uses at the moment. */
  readonly sockets: number;
}

/** Starts it on a free port of 127.0.0.1. Disposing closes every connection. */
export async function upstream(plan: (call: UpstreamCall) => UpstreamReply): Promise<Upstream> {
  const calls: UpstreamCall[] = [];
  let open = 0;
  const server = createServer(async (request, response) => {
    let text = "";
    request.setEncoding("utf8");
    for await (const piece of request) text += piece;
    const body = JSON.parse(text || "{}") as Record<string, unknown>;
    const call: UpstreamCall = {
      number: calls.length,
      path: request.url ?? "",
      headers: request.headers,
      body,
      left: false,
    };
    calls.push(call);
    open++;
    response.on("close", () => {
      open--;
      call.left = !response.writableFinished;
    });
    await perform(plan(call), response);
  });
  let sockets = 0;
  server.on("connection", (socket) => {
    sockets++;
    socket.on("close", () => sockets--);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    get open() {
      return open;
    },
    get sockets() {
      return sockets;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function perform(reply: UpstreamReply, response: ServerResponse): Promise<void> {
  if (reply === "hang") return;
  if (reply === "reset") return reset(response);
  const { status = 200, headers = {}, json, pieces = [], delayMs = 0 } = reply;
  if (delayMs > 0) await pause(delayMs);
  const type = json === undefined ? "text/event-stream" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers });
  response.flushHeaders();
  for (const piece of json === undefined ? pieces : [JSON.stringify(json)]) {
    if (response.destroyed) return;
    if (typeof piece === "number") await pause(piece);
    else await new Promise((resolve) => response.write(piece, resolve));
  }
  if (reply.then === "reset") reset(response);
  else if (reply.then !== "hang") response.end();
}

const reset = (response: ServerResponse): void => {
  response.socket?.resetAndDestroy();
};

/** What a reply tells beside its texts. */
export interface Told {
  /** @default "stop" */
  readonly finish?: string | null;
  /** Left out where null. @default a token a character and one for the end, 10 of prompt */
  readonly usage?: Record<string, unknown> | null;
  /** [choices][tokens] each `[token, logProb]`; a whole reply only. */
  readonly logProbs?: readonly (readonly (readonly [string, number])[])[];
}

const usageOf = (texts: readonly string[], { usage }: Told) =>
  usage === null
    ? {}
    : {
        usage: usage ?? { prompt_tokens: 10, completion_tokens: texts.reduce((sum, text) => sum + text.length + 1, 0) },
      };

/** A reply of the chat API that comes at once: one choice a text. */
export function chatReply(texts: readonly string[], told: Told = {}): UpstreamAnswer {
  const choices = texts.map((content, index) => {
    const tokens = told.logProbs?.[index]?.map(([token, logprob]) => ({
      token,
      logprob,
      bytes: [...Buffer.from(token)],
    }));
    return {
      index,
      message: { role: "assistant", content },
      finish_reason: told.finish ?? "stop",
      ...(tokens && { logprobs: { content: tokens } }),
    };
  });
  return { json: { id: "reply", object: "chat.completion", choices, ...usageOf(texts, told) } };
}

/** The same of the completions API. */
export function completionReply(texts: readonly string[], told: Told = {}): UpstreamAnswer {
  const choices = texts.map((text, index) => {
    const tokens = told.logProbs?.[index];
    return {
      index,
      text,
      finish_reason: told.finish ?? "stop",
      ...(tokens && {
        logprobs: { tokens: tokens.map(([token]) => token), token_logprobs: tokens.map(([, logProb]) => logProb) },
      }),
    };
  });
  return { json: { id: "reply", object: "text_completion", choices, ...usageOf(texts, told) } };
}

/** Server-sent events, one a piece; text stays as it is (`[DONE]`), the rest becomes JSON. */
export const events = (...data: readonly unknown[]): string[] =>
  data.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`);

/** One event of a chat stream. */
export const chatChunk = (content: string, finish: string | null = null, index = 0): object => ({
  id: "reply",
  object: "chat.completion.chunk",
  choices: [{ index, delta: { content }, finish_reason: finish }],
});

/** A reply of the chat API that is streamed, one event a text. */
export function chatStream(deltas: readonly string[], told: Told = {}): UpstreamAnswer {
  const { finish = "stop" } = told;
  const usage = usageOf([deltas.join("")], told);
  return {
    pieces: events(
      { choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] },
      ...deltas.map((delta) => chatChunk(delta)),
      ...(finish === null ? [] : [chatChunk("", finish)]),
      ...("usage" in usage ? [{ choices: [], ...usage }] : []),
      "[DONE]",
    ),
  };
}
