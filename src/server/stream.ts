/** An answer as server-sent events: whole as soon as it is final, comments while it is not, an error event instead of `[DONE]`. */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { RunEvent } from "../event.ts";
import { apiErrorOf } from "./api-error.ts";
import type { Progress } from "./chat-request.ts";
import { chunksOf } from "./completion.ts";
import type { Client } from "./jobs.ts";

/** Proxies and clients give up on connections that are silent for a minute or two. */
const heartbeatMs = 15_000;
/** Of one write: a client that reads nothing for so long is gone. */
const idleMs = 30_000;

export interface StreamOptions {
  readonly model: string;
  readonly includeUsage: boolean;
  readonly progress: Progress | undefined;
}

export function streamReply(c: Context, client: Client, { model, includeUsage, progress }: StreamOptions): Response {
  c.header("x-accel-buffering", "no");
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => client.leave());
    const write = async (text: string): Promise<void> => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          stream.abort();
          resolve();
        }, idleMs);
      });
      await Promise.race([stream.write(text), late]);
      clearTimeout(timer);
    };
    const send = (data: unknown) => write(`data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`);
    const heartbeat = setInterval(() => void write(": waiting\n\n"), heartbeatMs);
    const forget =
      progress &&
      client.watch(
        told(async (line) => {
          if (progress === "comments") return write(`: ${line}\n\n`);
          const delta = { reasoning_content: `${line}\n` };
          await send({
            id: client.id,
            object: "chat.completion.chunk",
            created: Math.floor(Date.now() / 1000),
            model,
            choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
          });
        }),
      );
    try {
      const { status, body } = await client.reply;
      if (status !== 200) return await send(body);
      for (const chunk of chunksOf(body, includeUsage)) await send(chunk);
      await send("[DONE]");
    } catch (error) {
      await send(apiErrorOf(error).reply.body);
    } finally {
      clearInterval(heartbeat);
      forget?.();
      client.leave();
    }
  });
}

/** Finished candidates and what they took so far, in a line; while one is being written, later ones wait and the last is told. */
function told(write: (line: string) => Promise<void>): (event: RunEvent) => void {
  let candidates = 0;
  let tokens = 0;
  let writing = false;
  return (event) => {
    if (event.type !== "extension") return;
    tokens += event.cost.tokens;
    if (!event.done) return;
    candidates++;
    if (writing) return;
    writing = true;
    void write(`${candidates} candidate${candidates === 1 ? "" : "s"}, ${tokens} tokens`).finally(() => {
      writing = false;
    });
  };
}
