/**
 * A sandboxed process under watch: it is killed with all its descendants at the deadline, at its output limit, at its memory
 * limit, or when the caller wants no more. Messages travel in frames: one byte of kind, four of length (big-endian), the text.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Duplex, Readable, Writable } from "node:stream";
import { Failed } from "../../errors.ts";
import { type Ending, type Execution, type Limits, type RunRequest, saysOutOfMemory } from "./sandbox.ts";

export interface Command {
  readonly file: string;
  readonly parameters: readonly string[];
  /** Whole environment; the program's own is what the sandbox makes of it. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Runs as this user, where the caller may choose. */
  readonly uid?: number | undefined;
  /** Frames on file descriptor 3, both ways; or on stdin and stdout, which then carry the program's output as frames "o" and "e". */
  readonly frames: "descriptor" | "standard";
  /** Kills where the process itself holds more than this. */
  readonly residentBytes?: number;
}

/** How often memory is looked at. A program that takes 5 GB/s passes its limit by 100 MB. */
const watchEveryMs = 20;

export function frame(kind: string, text: string): Buffer {
  const body = Buffer.from(text, "utf8");
  const head = Buffer.alloc(5, kind, "latin1");
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Calls back with each whole frame, whatever the chunks; with `tooLong` as soon as a frame announces more than `most` bytes. */
export function frameReader(
  accept: (kind: string, body: Buffer) => void,
  most: number,
  tooLong: () => void,
): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let held = 0;
  let wanted = 5;
  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    if (held < wanted) return; // joined only when a whole frame is there: linear, however small the chunks
    let all = Buffer.concat(chunks);
    for (;;) {
      wanted = all.length < 5 ? 5 : 5 + all.readUInt32BE(1);
      if (wanted > 5 + most) return tooLong();
      if (all.length < wanted) break;
      accept(String.fromCharCode(all[0] as number), all.subarray(5, wanted));
      all = all.subarray(wanted);
    }
    chunks = [all];
    held = all.length;
  };
}

/** Memory that a process holds, in bytes; undefined once it is gone. Linux only. */
export function residentBytes(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * 4096;
  } catch {
    return undefined;
  }
}

export async function runChild(
  command: Command,
  { code, files = {}, stdin = "", signal, exchange }: RunRequest,
  limits: Limits,
): Promise<Execution> {
  const begun = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Execution>();
  if (signal?.aborted) return { stdout: "", stderr: "", exit: undefined, ending: "aborted", ms: 0 };
  const child = spawn(command.file, command.parameters, {
    stdio: ["pipe", "pipe", "pipe", ...(command.frames === "descriptor" ? (["pipe"] as const) : [])],
    env: command.env ?? {},
    cwd: command.cwd ?? "/",
    detached: true, // a process group of its own, to be killed as one
    ...(command.uid === undefined ? {} : { uid: command.uid, gid: command.uid }),
  });

  let killedFor: Ending | undefined;
  const kill = (why: Ending) => {
    killedFor ??= why;
    killGroup(child);
  };
  const onAbort = () => kill("aborted");
  signal?.addEventListener("abort", onAbort, { once: true });
  const deadline = setTimeout(() => kill("timeout"), limits.timeMs);
  const most = command.residentBytes;
  const watch =
    most === undefined
      ? undefined
      : setInterval(() => child.pid && (residentBytes(child.pid) ?? 0) > most && kill("memory"), watchEveryMs);

  const written: Record<"o" | "e", Buffer[]> = { o: [], e: [] };
  let bytes = 0;
  /** Whether it may go on. */
  const count = (length: number): boolean => {
    bytes += length || 1;
    if (bytes > limits.outputBytes) kill("output");
    return killedFor === undefined;
  };
  const keep = (kind: "o" | "e") => (chunk: Buffer) => void (count(chunk.length) && written[kind].push(chunk));

  const [stdinPipe, stdoutPipe, stderrPipe] = child.stdio as [Writable, Readable, Readable, ...unknown[]];
  const descriptor = child.stdio[3] as Duplex | undefined;
  const channel = descriptor ?? stdinPipe;
  let waiting = false;
  const onFrame = (kind: string, body: Buffer) => {
    if (!count(body.length)) return;
    if (kind === "o" || kind === "e") return void written[kind].push(body);
    if (kind !== "x" || waiting || !exchange) return kill("refused");
    waiting = true;
    void (async () => exchange(body.toString("utf8")))().then(
      (answer) => {
        waiting = false;
        channel.write(frame("x", answer));
      },
      () => kill("refused"),
    );
  };
  const read = frameReader(onFrame, limits.outputBytes, () => kill("output"));
  (descriptor ?? stdoutPipe).on("data", (chunk: Buffer) => void (killedFor ?? read(chunk)));
  if (descriptor) {
    stdoutPipe.on("data", keep("o"));
    stdinPipe.end(stdin);
  }
  stderrPipe.on("data", keep("e"));
  for (const pipe of [stdinPipe, channel]) pipe.on("error", () => {}); // it ended before it read
  channel.write(frame("x", JSON.stringify({ code, files, stdin })));

  child.once("error", (error) => {
    stop();
    reject(new Failed("unavailable", `Cannot start '${command.file}': ${error.message}`, { cause: error }));
  });
  child.once("close", (status, died) => {
    stop();
    const [stdout, stderr] = [written.o, written.e].map((all) => Buffer.concat(all).toString("utf8")) as [
      string,
      string,
    ];
    const ending = killedFor ?? (status !== 0 && saysOutOfMemory(stderr) ? "memory" : "exit");
    const exit = killedFor ? undefined : (status ?? 128 + (signals[died as "SIGKILL"] ?? 0));
    resolve({ stdout, stderr, exit, ending, ms: performance.now() - begun });
  });
  const stop = () => {
    clearTimeout(deadline);
    clearInterval(watch);
    signal?.removeEventListener("abort", onAbort);
  };
  return promise;
}

const signals = { SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15, SIGXCPU: 24, SIGXFSZ: 25 };

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // the group is empty
  }
}
