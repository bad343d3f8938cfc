/** `ponderosa serve`: searches behind an OpenAI-compatible address; and `ponderosa init`, which writes what it is told by. */
import { existsSync, writeFileSync } from "node:fs";
import {
  type Configuration,
  configurationFiles,
  isLoopback,
  jsonLog,
  type Listening,
  loadConfiguration,
  type Log,
  serve,
  withoutConfiguration,
} from "../server/index.ts";
import type { CliContext } from "./context.ts";
import { UsageError } from "./report.ts";

export interface ServeFlags {
  readonly check?: boolean;
  readonly host?: string;
  readonly port?: string;
}

export async function serveCommand(this: CliContext, flags: ServeFlags, named?: string): Promise<void> {
  const { stdout, stderr, env } = this.process;
  const file = named ?? configurationFiles.find((one) => existsSync(one));
  const configuration = withFlags(await configurationOf(file), flags);
  const { models, methods, keys } = configuration;
  if (flags.check) {
    stdout.write(
      `${file ?? "without configuration"}: ${counted(models, "model")}, ${counted(methods, "method")}, ${counted(keys, "key")}: valid\n`,
    );
    return;
  }
  const log = jsonLog((line) => stdout.write(line));
  const listening = await mistaken(() => serve(configuration, { log, environment: env }));
  stderr.write(
    `Serving ${Object.keys(models).join(", ")} on ${listening.url}/v1 (${file ?? "without configuration, see ponderosa init"})\n`,
  );
  const forgetKeys = onHangup(() => void reread(file, listening, log));
  await new Promise<void>((resolve) => {
    const forget = this.onInterrupt(() => {
      stderr.write(`Draining ${listening.server.inFlight} requests, for ${configuration.drainSeconds} s at most\n`);
      void listening.close().finally(() => {
        forget();
        resolve();
      });
    });
  });
  forgetKeys();
}

async function configurationOf(file: string | undefined): Promise<Configuration> {
  return file === undefined ? withoutConfiguration : mistaken(() => loadConfiguration(file));
}

function withFlags(configuration: Configuration, { host, port }: ServeFlags): Configuration {
  const { listen } = configuration;
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535))
    throw new UsageError(`Cannot use ${JSON.stringify(port)} as --port: it must be a whole number in [0, 65535]`);
  if (host !== undefined && configuration.keys.length === 0 && !isLoopback(host))
    throw new UsageError(
      `Cannot listen on ${host} without keys: everybody there could spend; add keys to the configuration`,
    );
  return {
    ...configuration,
    listen: { host: host ?? listen.host, port: port === undefined ? listen.port : Number(port) },
  };
}

/** Keys may change while the server runs; all else needs another start. */
async function reread(file: string | undefined, { server }: Listening, log: Log): Promise<void> {
  if (file === undefined) return;
  try {
    const { keys } = await loadConfiguration(file);
    server.setKeys(keys);
    log("keys", { count: keys.length });
  } catch (error) {
    log("keys", { error: (error as Error).message });
  }
}

function onHangup(handler: () => void): () => void {
  process.on("SIGHUP", handler);
  return () => void process.removeListener("SIGHUP", handler);
}

/** What keeps a server from being started is a mistake in what was written. */
async function mistaken<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof Error && !(error instanceof TypeError)
      ? new UsageError(error.message, { cause: error })
      : error;
  }
}

const counted = (things: object, name: string): string => {
  const { length } = Object.keys(things);
  return `${length} ${name}${length === 1 ? "" : "s"}`;
};

/** Of a type alone, so that the file is read wherever it lies. */
const typesFrom = "ponderosa/server";

const template = `import type { ServerOptions } from "${typesFrom}";

export default {
  // Name that clients use → model: sapling, path/to/model.gguf, or http://host:port/v1#name.
  models: {
    sapling: "sapling",
    // qwen: {
    //   spec: "http://127.0.0.1:8000/v1#qwen",
    //   price: { prompt: 0.1, completion: 0.4 }, // dollars per million tokens
    //   apiKeyEnv: "UPSTREAM_KEY", // the variable that holds the upstream's key
    // },
  },

  // Offered as model+name, as in sapling+best-of-16. See ponderosa methods.
  methods: {
    "best-of-16": "best-of-n:16",
    "majority-16": "majority:16",
  },

  // Of one choice; what a request may ask for at most are the caps.
  budget: { tokens: 65_536, calls: 512, seconds: 300 },
  // caps: { tokens: 262_144, calls: 2048, seconds: 600 },

  // Without keys the server answers everybody, on loopback only.
  // keys: [
  //   {
  //     name: "shop",
  //     sha256: "…", // printf %s "$KEY" | sha256sum
  //     methods: ["best-of-16"],
  //     requestsPerMinute: 60,
  //     concurrency: 64, // candidates in flight
  //     budget: { tokens: 5_000_000, per: "day" },
  //   },
  // ],

  listen: { host: "127.0.0.1", port: 8080 },
  store: "serve.db", // or { env: "DATABASE_URL" } for PostgreSQL
  keepHours: 24, // runs and replies to idempotency keys
} satisfies ServerOptions;
`;

export async function init(this: CliContext): Promise<void> {
  const [file] = configurationFiles;
  const there = configurationFiles.find((one) => existsSync(one));
  if (there) throw new UsageError(`Cannot write ${file} as ${there} is there: ponderosa serve --check reads it`);
  writeFileSync(file, template, { flag: "wx" });
  this.process.stdout.write(`${file}\n`);
}
