/**
 * Runs a program that nobody has read: written by a model, so possibly wrong, endless, greedy or hostile.
 *
 * Each run is a fresh interpreter with nothing of this machine in it: no files, no environment, no network, no other
 * processes. A run ends at its limits whatever the program does, as the host ends it from outside.
 *
 * What the program says is data and nothing more. It owns its interpreter, so every line, exit code and message may be a lie:
 * decide outside, and give it nothing that it must not know.
 */

export type Language = "python" | "javascript";

export interface Limits {
  /** Wall-clock time of the whole run, start of the interpreter included. @default 10_000 */
  readonly timeMs: number;
  /** Beyond what the bare interpreter takes; of each process, where a run may have several. @default 536_870_912 */
  readonly memoryBytes: number;
  /** stdout, stderr and messages together. @default 1_048_576 */
  readonly outputBytes: number;
  /** Processes and threads. The wasm backends have one whatever this says. @default 1 */
  readonly processes: number;
}

export const defaultLimits: Limits = {
  timeMs: 10_000,
  memoryBytes: 512 * 2 ** 20,
  outputBytes: 2 ** 20,
  processes: 1,
};

export interface RunRequest {
  readonly language: Language;
  readonly code: string;
  /** Plain names with their text, in the program's working folder. What it writes there is dropped. */
  readonly files?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
  /**
   * Answers the program's calls of `exchange(text)`, a function that it finds among its globals and that waits for the answer.
   * One call at a time; a second one before the first is answered ends the run.
   */
  readonly exchange?: (message: string) => string | Promise<string>;
}

export type Ending =
  /** It ended by itself: the exit code says how. */
  | "exit"
  /** Killed at the deadline. */
  | "timeout"
  /** Killed for its memory, or it was refused memory and ended. */
  | "memory"
  /** Killed for what it printed. */
  | "output"
  /** It broke the protocol of `exchange`. */
  | "refused"
  /** The caller wanted no more. */
  | "aborted";

export interface Execution {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 + signal where a signal ended it; undefined where the host did. */
  readonly exit: number | undefined;
  readonly ending: Ending;
  readonly ms: number;
}

export interface Sandbox {
  /** What runs, for reports: "bubblewrap, Python 3.11.2". */
  readonly name: string;
  readonly languages: readonly Language[];
  /** What stands between the program and this machine. */
  readonly strength: string;
  /** @throws Failed where the sandbox itself cannot run. */
  run(request: RunRequest): Promise<Execution>;
}

/** A way to get a sandbox. */
export interface Backend {
  readonly name: string;
  readonly languages: readonly Language[];
  /** @throws Error with what is missing, and the command that brings it. */
  open(): Promise<Sandbox>;
}

/** What every backend checks alike. @throws RangeError */
export function checkRequest({ files = {}, limits }: RunRequest): Limits {
  for (const name of Object.keys(files))
    if (!/^[\w-][\w.-]{0,99}$/.test(name))
      throw new RangeError(`Cannot place a file in the sandbox as its name must be plain: current value is '${name}'`);
  const all = { ...defaultLimits, ...limits };
  for (const [name, value] of Object.entries(all))
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(
        `Cannot run in the sandbox as limit '${name}' must be a positive integer: current value is ${value}`,
      );
  return all;
}

/** The interpreter says that it was refused memory. Its own word, but nobody gains by this lie. */
export const saysOutOfMemory = (stderr: string): boolean =>
  /^(MemoryError|InternalError: out of memory)/.test(stderr.trimEnd().split("\n").at(-1) ?? "");
