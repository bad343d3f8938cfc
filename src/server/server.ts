/**
 * The server as a value: `fetch` takes a `Request` and gives a `Response`, so it runs wherever there are those, and tests call
 * it without a socket. Nothing is answered but by a route of this file, and nothing but health without a key.
 */
import { type Context, Hono } from "hono";
import { routePath } from "hono/route";
import type { Model } from "../model.ts";
import type { Embedder } from "../reader.ts";
import { type RequestBooks, requestBooks, type SqlStore } from "../runs/store/index.ts";
import { type Admission, admission } from "./admission.ts";
import { ApiError, apiErrorOf } from "./api-error.ts";
import { complete } from "./completions.ts";
import { checkKeyBudgets, type Configuration, isLoopback } from "./configuration.ts";
import type { KeyEntry } from "./options.ts";
import { createJobs, type Jobs } from "./jobs.ts";
import { embed } from "./embeddings.ts";
import { keysOf } from "./keys.ts";
import { type Log, placeOf } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { type Caller, offered } from "./offers.ts";
import { withPossible } from "./possible.ts";
import { showEvents, showRequest } from "./runs.ts";

export interface ServerParts {
  readonly configuration: Configuration;
  /** [name of the configuration] */
  readonly models: ReadonlyMap<string, Model>;
  /** [name of the configuration] @default none */
  readonly embedders?: ReadonlyMap<string, Embedder>;
  readonly store: SqlStore;
  /** @default none */
  readonly log?: Log;
}

export interface Server {
  fetch(request: Request, bindings?: object): Response | Promise<Response>;
  /**
   * From now on these are the keys; requests of one that is none any more end at once.
   * @throws RangeError where there would be none, as the server would then answer everybody; where one has a limit that a
   * request does not reserve
   */
  setKeys(keys: readonly KeyEntry[]): void;
  /** Takes no more requests, waits for those at work, and ends what is left after `drainSeconds`: kept, to be gone on with. */
  drain(): Promise<void>;
  /** Requests at work. */
  readonly inFlight: number;
}

/** What routes work with. */
export interface ServerContext {
  readonly configuration: Configuration;
  readonly models: ReadonlyMap<string, Model>;
  readonly embedders: ReadonlyMap<string, Embedder>;
  readonly admission: Admission;
  readonly books: RequestBooks;
  readonly jobs: Jobs;
}

type Bindings = { Variables: { caller: Caller } };

/** Without a key: whoever looks after the server asks these. */
const open: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** How often what could not be booked is, and what is old is deleted. */
const houseMs = 10_000;

/** @throws RangeError where a method was named for a model that cannot do it */
export async function createServer({
  models,
  embedders = new Map(),
  store,
  log = () => {},
  ...given
}: ServerParts): Promise<Server> {
  const configuration = withPossible(given.configuration, models, log);
  const { limits, logPrompts, keepHours, drainSeconds } = configuration;
  const books = requestBooks(store);
  const places = admission(limits);
  const metrics = createMetrics();
  const keys = keysOf(configuration.keys);
  const jobs = createJobs({ store, books, admission: places, metrics, log, logPrompts });
  const context: ServerContext = { configuration, models, embedders, admission: places, books, jobs };
  const startedAt = Math.floor(Date.now() / 1000);
  let isDraining = false;
  const interrupted = await books.settleDead();
  if (interrupted > 0) log("interrupted-requests", { count: interrupted });
  const keepingHouse = setInterval(() => void keepHouse(), houseMs).unref();

  async function keepHouse(): Promise<void> {
    try {
      await jobs.bookLate();
      while ((await books.forget(Date.now() - keepHours * 3_600_000)) > 0);
    } catch (error) {
      log("defect", { error: placeOf(error, logPrompts) });
    }
  }

  const app = new Hono<Bindings>();
  app.use("*", async (c, next) => {
    const before = performance.now();
    let code: string | undefined;
    try {
      if (!open.has(c.req.path)) admit(c);
      await next();
      if (c.error) throw c.error;
    } catch (error) {
      const told = apiErrorOf(error);
      code = told.code;
      if (!(error instanceof ApiError)) log("defect", { error: placeOf(error, logPrompts) });
      c.res = errorResponse(told);
    }
    const seconds = (performance.now() - before) / 1000;
    const matched = routePath(c, -1);
    const route = matched === "*" || matched === "/*" ? "none" : matched;
    c.header("x-content-type-options", "nosniff");
    c.header("cache-control", "no-store");
    metrics.add("ponderosa_requests_total", { route, status: c.res.status });
    if (!open.has(route)) {
      metrics.observe(seconds);
      log("request", {
        method: c.req.method,
        route,
        status: c.res.status,
        code,
        caller: c.get("caller")?.name,
        id: c.res.headers.get("x-request-id") ?? undefined,
        seconds,
      });
    }
  });
  // The guard above tells errors its way.
  app.onError((error) => {
    throw error;
  });
  app.notFound(() =>
    errorResponse(new ApiError("not_found", "Cannot find this route: see /v1/models and docs/serve.md")),
  );

  function admit(c: Context<Bindings>): void {
    if (configuration.keys.length === 0) checkHost(c);
    c.set("caller", keys.callerOf(c.req.header("authorization")));
    if (isDraining) throw shuttingDown();
  }

  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    if (isDraining) return c.json({ status: "draining" }, 503);
    try {
      await store.database.query("select 1 as one");
      return c.json({ status: "ready" });
    } catch {
      return c.json({ status: "store unavailable" }, 503);
    }
  });
  app.get("/metrics", (c) =>
    c.text(
      metrics.text({
        ponderosa_requests_in_flight: jobs.size,
        ponderosa_candidates_running: places.running,
        ponderosa_candidates_queued: places.queued,
      }),
      200,
      { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    ),
  );
  const modelOf = (id: string) => ({ id, object: "model", created: startedAt, owned_by: "ponderosa" });
  app.get("/v1/models", (c) => c.json({ object: "list", data: offered(configuration, c.get("caller")).map(modelOf) }));
  app.get("/v1/models/:id{.+}", (c) => {
    const id = c.req.param("id");
    if (offered(configuration, c.get("caller")).includes(id)) return c.json(modelOf(id));
    throw new ApiError("model_not_found", "Cannot find this model: see /v1/models", { param: "model" });
  });
  app.post("/v1/chat/completions", (c) => complete(c, context, c.get("caller"), "chat.completion"));
  app.post("/v1/completions", (c) => complete(c, context, c.get("caller"), "text_completion"));
  app.post("/v1/embeddings", (c) => embed(c, context, c.get("caller")));
  app.get("/runs/:id", (c) => showRequest(c, books, c.get("caller")));
  app.get("/runs/:id/events", (c) => showEvents(c, books, c.get("caller")));

  return {
    fetch: (request, bindings) => app.fetch(request, bindings),
    setKeys(entries) {
      if (entries.length === 0) throw new RangeError("Cannot take away all keys of a server: stop it, or leave one");
      checkKeyBudgets(entries, configuration.budget);
      for (const name of keys.replace(entries))
        jobs.stop(new ApiError("key_revoked", "The key of this request was revoked"), name);
    },
    async drain() {
      isDraining = true;
      jobs.refuse(shuttingDown());
      clearInterval(keepingHouse);
      const late = setTimeout(() => jobs.stop(shuttingDown()), drainSeconds * 1000);
      await jobs.idle();
      clearTimeout(late);
      await keepHouse();
    },
    get inFlight() {
      return jobs.size;
    },
  };
}

/** A page whose name leads to this machine must not ask in the name of whoever looks at it. */
function checkHost(c: Context): void {
  const { hostname } = new URL(c.req.url);
  if (isLoopback(hostname.replace(/^\[|\]$/g, ""))) return;
  throw new ApiError(
    "forbidden_host",
    "Cannot answer under this host name: without keys only loopback ones are served",
  );
}

const errorResponse = (error: ApiError): Response =>
  Response.json(error.reply.body, { status: error.status, headers: error.headers });

const shuttingDown = (): ApiError =>
  new ApiError("shutting_down", "The server is shutting down: try again", { retryAfterSeconds: 5 });
