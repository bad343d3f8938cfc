/**
 * A pool of recorded samples in a file: JSON, one header line and then one problem a line; compressed where the name ends in `.gz`.
 *
 * Each line is one write (of a `.gz`, a gzip member of its own: members that follow one another are one file). So a killed
 * process loses the problem it was at, and a last line without its end is dropped wherever the file is opened again. A line
 * that is broken anywhere else is refused by number. Reading streams: one problem is in memory at a time.
 */
import { closeSync, createReadStream, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { constants, createGunzip, gzipSync } from "node:zlib";
import type { Pool, PoolHeader, PoolProblem } from "../pool.ts";

export interface OpenPool extends PoolHeader {
  /** Once. */
  readonly problems: AsyncIterable<PoolProblem>;
}

export interface PoolWriter extends Disposable {
  /** Ids of the problems that are in the file. */
  readonly written: ReadonlySet<string>;
  append(problem: PoolProblem): void;
  close(): void;
}

/** @throws Error where the file is missing, no pool, of another version or broken; that of a problem comes when it is reached */
export async function openPool(path: string): Promise<OpenPool> {
  const lines = wholeLines(path);
  const { value, done } = await lines.next();
  if (done) throw new Error(`Cannot read pool '${path}' as it has no whole line: remove it, and make it again`);
  const header = parsed(path, 1, value) as unknown as HeaderLine;
  if (header.type !== "pool") throw new Error(`Cannot read '${path}' as its first line is not that of a pool`);
  if (header.version !== 1)
    throw new Error(`Cannot read pool '${path}' as it has version ${header.version}: this program reads version 1`);
  const { model, policy, config } = header;
  return { model, policy, config, problems: problemsOf(path, lines) };
}

/** All of it in memory. @throws as `openPool` */
export async function readPool(path: string): Promise<Pool> {
  const { problems, ...header } = await openPool(path);
  const all: PoolProblem[] = [];
  for await (const problem of problems) all.push(problem);
  return { ...header, problems: all };
}

/**
 * Begins a pool, or goes on with one of the same header: what is whole of it is kept, a torn last line is not.
 * @throws Error where the file is a pool that was made in another way, or cannot be read
 */
export async function poolWriter(path: string, header: PoolHeader): Promise<PoolWriter> {
  const written = new Set<string>();
  const draft = `${path}.draft`;
  const pack = (line: string) => (isCompressed(path) ? gzipSync(line) : line);
  const file = openSync(draft, "w");
  const append = (line: object) => void writeSync(file, pack(`${JSON.stringify(line)}\n`) as string);
  try {
    append({ type: "pool", version: 1, ...header } satisfies HeaderLine);
    if (existsSync(path)) {
      const { problems, ...found } = await openPool(path);
      const other = differences(found, header);
      if (other.length > 0)
        throw new Error(`Cannot go on with pool '${path}' as it was made in another way: ${other.join("; ")}`);
      for await (const problem of problems) {
        append(problem);
        written.add(problem.problem.id);
      }
    }
    renameSync(draft, path); // the file stays open under its new name
  } catch (error) {
    closeSync(file);
    rmSync(draft);
    throw error;
  }
  let open = true;
  const close = () => {
    if (open) closeSync(file);
    open = false;
  };
  return {
    written,
    append(problem) {
      append(problem);
      written.add(problem.problem.id);
    },
    close,
    [Symbol.dispose]: close,
  };
}

interface HeaderLine extends PoolHeader {
  readonly type: "pool";
  readonly version: 1;
}

/** What of a pool is not as wanted, in words. */
function differences(found: PoolHeader, wanted: PoolHeader): string[] {
  const settings = ({ model, policy, config }: PoolHeader): Readonly<Record<string, unknown>> => ({
    model,
    policy,
    ...(typeof config === "object" && !Array.isArray(config) ? config : { config }),
  });
  const [own, other] = [settings(found), settings(wanted)];
  return [...new Set(Object.keys({ ...own, ...other }))].flatMap((name) => {
    const [is, not] = [own[name], other[name]].map((value) => JSON.stringify(value));
    return is === not ? [] : [`${name} ${is}, not ${not}`];
  });
}

const isCompressed = (path: string): boolean => path.endsWith(".gz");

async function* problemsOf(path: string, lines: AsyncIterable<string>): AsyncGenerator<PoolProblem> {
  let number = 1;
  for await (const line of lines) {
    number++;
    const problem = parsed(path, number, line) as unknown as PoolProblem;
    if (typeof problem.problem?.id !== "string" || !Array.isArray(problem.samples))
      throw new Error(`Cannot read pool '${path}' as line ${number} is no problem with its samples`);
    yield problem;
  }
}

function parsed(path: string, number: number, line: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(line));
  } catch (error) {
    throw new Error(`Cannot read pool '${path}' as line ${number} is broken: restore the file, or make it again`, {
      cause: error,
    });
  }
}

/** Lines that have their end. */
async function* wholeLines(path: string): AsyncGenerator<string, void, undefined> {
  const bytes = createReadStream(path);
  // What a torn member holds is given as far as it goes; by default it would be an error.
  const source = isCompressed(path)
    ? bytes.on("error", (error) => source.destroy(error)).pipe(createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }))
    : bytes;
  const texts = source.setEncoding("utf8");
  let rest = "";
  try {
    for await (const text of texts) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() as string;
      yield* lines;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error(`Cannot read pool '${path}' as there is no such file`, { cause: error });
    if (!String((error as NodeJS.ErrnoException).code).startsWith("Z_")) throw error;
    throw new Error(`Cannot read pool '${path}' as it cannot be decompressed: restore the file, or make it again`, {
      cause: error,
    });
  } finally {
    bytes.destroy();
  }
}
