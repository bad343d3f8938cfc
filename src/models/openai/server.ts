/** What every client of an OpenAI-compatible server needs: its address, its turn, its retries. */
import { type Cost, cost } from "../../budget.ts";
import { Failed } from "../../errors.ts";
import type { Price } from "../../model.ts";
import { nanodollars } from "../../price.ts";
import type { Json } from "../../problem.ts";
import { type Clock, systemClock } from "../clock.ts";
import { parsed } from "./events.ts";
import {
  type Connection,
  isRecord,
  meaningOf,
  post,
  type Reply,
  statusOf,
  type Timeouts,
  usualTimeouts,
} from "./http.ts";
import { Limiter } from "./limiter.ts";
import { type Retries, retrying, usualRetries } from "./retry.ts";

export interface ServerOptions {
  /** With its version, as in `http://127.0.0.1:8000/v1`. Its query goes into every request, and into no message. */
  readonly baseUrl: string;
  /** The server's name for it. */
  readonly model: string;
  /** Sent as a bearer token; occurs in no message. */
  readonly apiKey?: string | undefined;
  readonly timeouts?: Partial<Timeouts>;
  readonly retries?: Partial<Retries>;
  /** Requests in flight; fewer for a while after a 429. @default 16 */
  readonly concurrency?: number;
  readonly price?: Price;
  readonly headers?: Readonly<Record<string, string>>;
  /** Fields for every request, as `{ top_k: 0 }` or `{ cache_prompt: false }`. */
  readonly body?: Readonly<Record<string, Json>>;
  /** For budgets. @default the number of UTF-8 bytes, which no byte-level vocabulary exceeds: about four times too many for English */
  readonly countTokens?: (text: string) => number;
  /** Longer replies fail. @default 16 MiB */
  readonly maxReplyBytes?: number;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

/** One request: where to, what, and the seed of its pauses. */
export interface Exchange {
  readonly path: string;
  readonly body: unknown;
  readonly stream: boolean;
  readonly seed: number;
  readonly signal: AbortSignal;
}

export interface Server {
  readonly connection: Connection;
  /** One exchange in its turn, again and again while the server refuses it. */
  exchange<T>(request: Exchange, read: (reply: Reply) => Promise<T>): Promise<T>;
}

export function serverOf(options: ServerOptions): Server {
  const { concurrency = 16, clock = systemClock } = options;
  const connection = connectionOf(options, clock);
  const retries: Retries = { ...usualRetries, ...options.retries };
  const limiter = new Limiter(concurrency);
  return {
    connection,
    exchange: ({ path, body, stream, seed, signal }, read) =>
      retrying(
        () =>
          limiter.run(
            async () => {
              using reply = await post(connection, path, body, { stream, signal });
              return await read(reply);
            },
            (thrown) => thrown instanceof Failed && thrown.code === "rate-limited",
            signal,
          ),
        { retries, clock, seed, signal },
      ),
  };
}

/** A reply that comes at once, as an object. @throws Failed where it is none, or says that something went wrong */
export async function objectOf(reply: Reply, connection: Connection): Promise<Readonly<Record<string, unknown>>> {
  let json = "";
  for await (const piece of reply.texts()) json += piece;
  const value = parsed(json, connection.id);
  if (value["error"] === undefined || value["error"] === null) return value;
  throw meaningOf(connection, statusOf(value["error"]), value);
}

function connectionOf(
  { baseUrl, model, apiKey, headers = {}, timeouts, ...rest }: ServerOptions,
  clock: Clock,
): Connection {
  const url = URL.parse(baseUrl);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new RangeError("Cannot use 'baseUrl' as it must be an http or https address");
  if (url.username || url.password)
    throw new RangeError("Cannot use 'baseUrl' as it contains a user or a password: use 'apiKey' or 'headers'");
  if (model === "") throw new RangeError("Cannot use a server without the name of a model: give 'model'");
  const path = url.pathname.replace(/\/+$/, "");
  const all = new Headers();
  try {
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    if (apiKey) all.set("authorization", `Bearer ${apiKey}`);
  } catch {
    throw new RangeError("Cannot use 'apiKey' or 'headers' as they contain characters that no header may have"); // not the value
  }
  const secrets = [apiKey ?? "", ...Object.values(headers), ...url.searchParams.values()].filter(
    (secret) => secret.length >= 6,
  );
  return {
    id: `${url.origin}${path}#${model}`,
    urlOf: (to) => `${url.origin}${path}${to}${url.search}`,
    headers: all,
    fetch: rest.fetch ?? fetch,
    timeouts: { ...usualTimeouts, ...timeouts },
    maxReplyBytes: rest.maxReplyBytes ?? 16 * 2 ** 20,
    clock,
    secrets,
  };
}

/** What reading cost, by the usage that the server tells, or else the bound. */
export function usageCost(value: Readonly<Record<string, unknown>>, bound: number, price: Price | undefined): Cost {
  const usage = isRecord(value["usage"]) ? value["usage"] : {};
  const told = usage["prompt_tokens"] ?? usage["total_tokens"];
  const promptTokens = Number.isSafeInteger(told) && (told as number) >= 0 ? (told as number) : bound;
  return cost({ calls: 1, promptTokens, nanodollars: nanodollars(price, { promptTokens }) });
}

/** The entries of a list, in the order of their `index`. @throws Failed `bad-response` where they are not `count`, each once */
export function entriesOf(list: unknown, count: number, id: string): readonly Readonly<Record<string, unknown>>[] {
  const entries = Array.isArray(list) ? list.filter(isRecord) : [];
  const byIndex = new Map(entries.map((entry, at) => [entry["index"] ?? at, entry]));
  const sorted = Array.from({ length: count }, (_, at) => byIndex.get(at)).filter((entry) => entry !== undefined);
  if (entries.length === count && sorted.length === count) return sorted;
  throw new Failed("bad-response", `${id} answered for ${entries.length} of ${count} texts, or twice for one`);
}
