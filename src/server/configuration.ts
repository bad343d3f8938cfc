/**
 * What is served, to whom and within which limits: as an operator writes it, and checked with all that follows by default.
 *
 * ```ts
 * // ponderosa.config.ts
 * export default defineServer({
 *   models: { qwen: { spec: "http://127.0.0.1:8000/v1#qwen", price: { prompt: 0.1, completion: 0.4 } } },
 *   methods: { "best-of-16": "best-of-n:16", "majority-8": "majority:8?temperature=0.7" },
 *   budget: { tokens: 50_000, seconds: 60 },
 *   keys: [{ name: "shop", sha256: "9f86d081884c7d65…", budget: { tokens: 5_000_000, per: "day" } }],
 * });
 * ```
 */
import { z } from "zod";
import { checkBudget } from "../account.ts";
import { type Budget, limits as budgetLimits } from "../budget.ts";
import { parseMethod, type SetMethod } from "../methods/compact.ts";
import type { Model } from "../model.ts";
import { suggestion } from "../nearest.ts";
import { tasks } from "../tasks/index.ts";

/** US dollars per million tokens. */
export interface ServedPrice {
  readonly prompt: number;
  /** @default `prompt` */
  readonly cached?: number;
  readonly completion: number;
}

export interface ModelEntry {
  /** `sapling`, `path/to/model.gguf`, `http://host:8000/v1#name`; in a TypeScript file also what opens one. */
  readonly spec: string | (() => Model | Promise<Model>);
  readonly price?: ServedPrice;
  /** Name of the environment variable that holds the server's key. */
  readonly apiKeyEnv?: string;
  /** Names out of `methods`, all of which must be possible for this model. @default those that are */
  readonly methods?: readonly string[];
  /** Every question is one of this task, whose checker is the verifier. A shipped model finds the task by itself. */
  readonly task?: string;
}

export interface KeyEntry {
  /** In logs, metrics and accounts. */
  readonly name: string;
  /** SHA-256 of the key, in hexadecimal: `printf %s "$KEY" | sha256sum`. */
  readonly sha256: string;
  /** An instant as in `2027-01-01T00:00:00Z`, from which on the key is none. */
  readonly expires?: string;
  /** Names out of `models` and `methods`. @default all */
  readonly models?: readonly string[];
  readonly methods?: readonly string[];
  /** Of requests that name a model alone. @default the server's */
  readonly defaultMethod?: string;
  readonly requestsPerMinute?: number;
  /** Candidates in flight. */
  readonly concurrency?: number;
  /** What all its requests may spend together: in all, or in each day or month of UTC. */
  readonly budget?: Budget & { readonly per?: "day" | "month" };
}

export interface ServerLimits {
  /** Of a request's body. @default 1_048_576 */
  readonly bodyBytes: number;
  /** Of a request's headers. @default 16_384 */
  readonly headerBytes: number;
  /** Choices of one request. @default 8 */
  readonly n: number;
  /** Candidates of one request: its choices times the size of its method. @default 256 */
  readonly candidates: number;
  /** Candidates of all requests at work. @default 256 */
  readonly running: number;
  /** Candidates of requests that wait for a place; more are refused with 429. @default 1024 */
  readonly queue: number;
}

export interface ServerOptions {
  /** Name → model. Letters, digits and . _ : / -. */
  readonly models: Readonly<Record<string, string | ModelEntry>>;
  /** Name → method in one line, as in `best-of-n:16?scorer=likelihood`. Offered as `model+name`. */
  readonly methods?: Readonly<Record<string, string>>;
  /** Of requests that name a model alone. @default one answer of the model as it is */
  readonly defaultMethod?: string;
  /** Of one choice, unless the request asks for another. @default { tokens: 65_536, calls: 512, seconds: 300 } */
  readonly budget?: Budget;
  /** What a request may ask for at most. @default `budget` */
  readonly caps?: Budget;
  /** Without any the server answers everybody, and listens on loopback only. */
  readonly keys?: readonly KeyEntry[];
  readonly limits?: Partial<ServerLimits>;
  /** @default { host: "127.0.0.1", port: 8080 } */
  readonly listen?: { readonly host?: string; readonly port?: number };
  /** Path of a SQLite file; `:memory:`; `postgres://…`; or `{ env }`, the variable that says it. @default ":memory:" */
  readonly store?: string | { readonly env: string };
  /** How long runs and replies to idempotency keys are kept. @default 24 */
  readonly keepHours?: number;
  /** How long requests may go on after SIGTERM. @default 30 */
  readonly drainSeconds?: number;
  /** Whether the log tells prompts and answers. @default false */
  readonly logPrompts?: boolean;
}

/** Gives back what it is given: for the types of an editor. */
export const defineServer = (options: ServerOptions): ServerOptions => options;

export interface Configuration {
  readonly models: Readonly<Record<string, ModelEntry>>;
  readonly methods: Readonly<Record<string, SetMethod>>;
  /** Undefined: one answer. */
  readonly defaultMethod: string | undefined;
  readonly budget: Budget;
  readonly caps: Budget;
  readonly keys: readonly KeyEntry[];
  readonly limits: ServerLimits;
  readonly listen: { readonly host: string; readonly port: number };
  readonly store: string | { readonly env: string };
  readonly keepHours: number;
  readonly drainSeconds: number;
  readonly logPrompts: boolean;
}

/** Each schema says what it wishes for, as the end of "it must be …". */
const whole = (least: number, most: number) => {
  const wish = { error: `a whole number in [${least}, ${most}]` };
  return z.int(wish).min(least, wish).max(most, wish);
};
const positive = (most: number) => {
  const wish = { error: `a number in (0, ${most}]` };
  return z.number(wish).positive(wish).max(most, wish);
};
const text = z.string({ error: "a text" }).min(1, { error: "a text that is not empty" });
const name = z.string({ error: "a name" }).regex(/^[\w.:/-]{1,100}$/, {
  error: "a name of at most 100 letters, digits and . _ : / -",
});
const named = <T extends z.ZodType>(value: T, wish: string) => z.record(name, value, { error: wish });
const someNames = z.array(name, { error: "a list of names" });
const dollars = z.number({ error: "dollars per million tokens" }).min(0, { error: "dollars per million tokens, >= 0" });
const budgetFields = Object.fromEntries(
  budgetLimits.map((limit) => [limit, z.number({ error: "a number" }).exactOptional()]),
) as Record<keyof Budget, z.ZodExactOptional<z.ZodNumber>>;
const aBudget = { error: `an object with ${budgetLimits.join(", ")}` };
const budget = z.strictObject(budgetFields, aBudget);
const variable = z.string({ error: "the name of an environment variable" }).regex(/^[A-Za-z_]\w*$/, {
  error: "the name of an environment variable",
});

const model = z.strictObject(
  {
    spec: z.union(
      [text, z.custom<() => Model | Promise<Model>>((value) => typeof value === "function", { error: "a function" })],
      { error: "a model's name, path or address, or a function that opens one" },
    ),
    price: z
      .strictObject(
        { prompt: dollars, cached: dollars.exactOptional(), completion: dollars },
        { error: "an object with prompt and completion, in dollars per million tokens" },
      )
      .exactOptional(),
    apiKeyEnv: variable.exactOptional(),
    methods: someNames.exactOptional(),
    task: z
      .enum(tasks.map((task) => task.name) as [string, ...string[]], {
        error: `one of ${tasks.map((task) => task.name).join(", ")}`,
      })
      .exactOptional(),
  },
  { error: "a model's name, path or address, or an object with spec" },
);

const keyEntry = z.strictObject(
  {
    name,
    sha256: z.string({ error: "64 hexadecimal digits" }).regex(/^[\da-f]{64}$/i, {
      error: '64 hexadecimal digits: printf %s "$KEY" | sha256sum',
    }),
    expires: z.iso.datetime({ offset: true, error: "an instant, as in 2027-01-01T00:00:00Z" }).exactOptional(),
    models: someNames.exactOptional(),
    methods: someNames.exactOptional(),
    defaultMethod: name.exactOptional(),
    requestsPerMinute: positive(1e6).exactOptional(),
    concurrency: whole(1, 1e6).exactOptional(),
    budget: z
      .strictObject(
        { ...budgetFields, per: z.enum(["day", "month"], { error: '"day" or "month"' }).exactOptional() },
        aBudget,
      )
      .exactOptional(),
  },
  { error: "an object with name and sha256" },
);

const schema = z.strictObject(
  {
    models: named(
      z.union([text, model], { error: "a model's name, path or address, or an object with spec" }),
      "an object of models",
    ).refine((models) => Object.keys(models).length > 0, { error: "an object of at least one model" }),
    methods: named(text, "an object of methods").default({}),
    defaultMethod: name.exactOptional(),
    budget: budget.default({ tokens: 65_536, calls: 512, seconds: 300 }),
    caps: budget.exactOptional(),
    keys: z.array(keyEntry, { error: "a list of keys" }).default([]),
    limits: z
      .strictObject(
        {
          bodyBytes: whole(1, 2 ** 30).default(1_048_576),
          headerBytes: whole(1024, 2 ** 20).default(16_384),
          n: whole(1, 1000).default(8),
          candidates: whole(1, 1e6).default(256),
          running: whole(1, 1e6).default(256),
          queue: whole(0, 1e7).default(1024),
        },
        { error: "an object of limits" },
      )
      .prefault({}),
    listen: z
      .strictObject(
        { host: text.default("127.0.0.1"), port: whole(0, 65_535).default(8080) },
        { error: "an object with host and port" },
      )
      .prefault({}),
    store: z
      .union([text, z.strictObject({ env: variable })], { error: "a path, postgres://… or { env }" })
      .default(":memory:"),
    keepHours: positive(1e6).default(24),
    drainSeconds: positive(86_400).default(30),
    logPrompts: z.boolean({ error: "true or false" }).default(false),
  },
  { error: "an object as defineServer takes it" },
);

/** @throws RangeError that names the field, what it must be, and what it is */
export function readConfiguration(options: unknown): Configuration {
  const parsed = schema.safeParse(options);
  if (!parsed.success) throw new RangeError(issueText(parsed.error.issues[0] as z.core.$ZodIssue, options));
  const { models, methods, defaultMethod, caps = parsed.data.budget, ...given } = parsed.data;
  const methodNames = Object.keys(methods);
  const modelNames = Object.keys(models);
  const known = (field: string, names: readonly string[] | undefined, choices: readonly string[]) => {
    for (const [i, one] of (names ?? []).entries())
      if (!choices.includes(one))
        throw wrong(`${field}[${i}]`, one, choices.length === 0 ? "there is none" : suggestion(one, choices));
  };
  const read = <T>(field: string, action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw error instanceof RangeError ? new RangeError(`${field}: ${error.message}`, { cause: error }) : error;
    }
  };

  for (const [field, limited] of Object.entries({ budget: given.budget, caps }))
    read(field, () => checkBudget(limited));
  if (defaultMethod !== undefined) known("defaultMethod", [defaultMethod], methodNames);
  for (const [i, one] of given.keys.entries()) {
    const field = `keys[${i}]`;
    known(`${field}.models`, one.models, modelNames);
    known(`${field}.methods`, one.methods, methodNames);
    if (one.defaultMethod !== undefined)
      known(`${field}.defaultMethod`, [one.defaultMethod], one.methods ?? methodNames);
    if (given.keys.some((other, j) => j < i && other.name === one.name))
      throw wrong(`${field}.name`, one.name, "each key needs a name of its own");
    if (!one.budget) continue;
    const { per: _, ...total } = one.budget;
    read(`${field}.budget`, () => checkBudget(total));
    if (total.seconds !== undefined)
      throw wrong(`${field}.budget.seconds`, total.seconds, "time is limited by budget.seconds of each request");
    for (const limit of Object.keys(total) as (keyof Budget)[])
      if (given.budget[limit] === undefined)
        throw wrong(
          `${field}.budget.${limit}`,
          total[limit],
          `set budget.${limit} too, as it is what one request reserves`,
        );
  }
  const { host } = given.listen;
  if (given.keys.length === 0 && !isLoopback(host))
    throw wrong("listen.host", host, "without keys it must be a loopback address, such as 127.0.0.1: add keys");
  return {
    ...given,
    models: Object.fromEntries(
      Object.entries(models).map(([model, entry]) => {
        const whole: ModelEntry = typeof entry === "string" ? { spec: entry } : entry;
        known(`models.${model}.methods`, whole.methods, methodNames);
        return [model, whole];
      }),
    ),
    methods: Object.fromEntries(
      Object.entries(methods).map(([method, line]) => [method, read(`methods.${method}`, () => parseMethod(line))]),
    ),
    defaultMethod,
    caps,
  };
}

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

const wrong = (field: string, value: unknown, why: string): RangeError =>
  new RangeError(`Cannot use ${JSON.stringify(value)} as ${field}: ${why}`);

function issueText(issue: z.core.$ZodIssue, options: unknown): string {
  // Inside a union the branch that fits the value's kind has the better word.
  if (issue.code === "invalid_union") {
    const deeper = issue.errors.flat().find(({ path }) => path.length > 0);
    if (deeper) return issueText({ ...deeper, path: [...issue.path, ...deeper.path] } as z.core.$ZodIssue, options);
  }
  if (issue.code === "invalid_key" && issue.issues[0])
    return `Cannot use ${JSON.stringify(issue.path.at(-1))} as a name in ${pathText(issue.path.slice(0, -1))}: it must be ${issue.issues[0].message}`;
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    const [unknown = ""] = issue.keys;
    return `Cannot use ${JSON.stringify(unknown)} as a field of ${path === "" ? `the server: ${suggestion(unknown, Object.keys(schema.shape))}` : `${path}: there is none of this name`}`;
  }
  let value = options;
  for (const part of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[part];
  const shown = value === undefined ? "nothing" : (JSON.stringify(value) ?? `a ${typeof value}`);
  return `Cannot use ${shown} as ${path === "" ? "a server" : path}: it must be ${issue.message}`;
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`)).join("");
