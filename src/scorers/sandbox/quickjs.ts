/**
 * JavaScript in QuickJS as WebAssembly, in a worker thread that the host can end. From npm alone.
 *
 * The program sees the language and four functions (`print`, `readStdin`, `readFile`, `exchange`): the WebAssembly module
 * imports nothing else of the machine. Start: 20 ms with the thread. About twenty times slower than V8.
 */
import { readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { MessageChannel, Worker } from "node:worker_threads";
import { Failed } from "../../errors.ts";
import {
  type Backend,
  checkRequest,
  type Ending,
  type Execution,
  type Limits,
  type RunRequest,
  type Sandbox,
  saysOutOfMemory,
} from "./sandbox.ts";

export const quickjs: Backend = {
  name: "quickjs",
  languages: ["javascript"],
  async open(): Promise<Sandbox> {
    let module: string;
    let wasm: WebAssembly.Module;
    try {
      module = import.meta.resolve("quickjs-wasi");
      wasm = await WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve("quickjs-wasi/quickjs.wasm"))));
    } catch (error) {
      throw new Error("not found, get it by `npm i quickjs-wasi`", { cause: error });
    }
    return {
      name: "quickjs-wasi",
      languages: ["javascript"],
      strength: "WebAssembly without imports, in a thread of its own",
      async run(request: RunRequest) {
        return runWorker(module, wasm, request, checkRequest(request));
      },
    };
  },
};

/** Beside this file: TypeScript in the repository, JavaScript in the package. */
const workerFile = new URL(import.meta.url.replace(/quickjs(\.[jt]s)$/, "quickjs-worker$1"));

async function runWorker(
  module: string,
  wasm: WebAssembly.Module,
  { code, files = {}, stdin = "", exchange, signal }: RunRequest,
  { timeMs, memoryBytes, outputBytes }: Limits,
): Promise<Execution> {
  const begun = performance.now();
  const written = { o: "", e: "" };
  const { promise, resolve, reject } = Promise.withResolvers<Execution>();
  if (signal?.aborted) return { stdout: "", stderr: "", exit: undefined, ending: "aborted", ms: 0 };
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const { port1: answers, port2 } = new MessageChannel();
  const worker = new Worker(workerFile, {
    workerData: { module, wasm, code, files, stdin, memoryBytes, flag, answers: port2 },
    transferList: [port2],
    env: {},
    execArgv: [],
    stdin: false,
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
  let bytes = 0;
  const end = (ending: Ending, exit?: number) => {
    clearTimeout(deadline);
    signal?.removeEventListener("abort", onAbort);
    answers.close();
    void worker
      .terminate()
      .then(() => resolve({ stdout: written.o, stderr: written.e, exit, ending, ms: performance.now() - begun }));
  };
  const reply = (text: string) => {
    answers.postMessage(text, []);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  };
  worker.on("message", async (message: { kind: "o" | "e" | "x"; text: string } | { kind: "end"; status: number }) => {
    if (message.kind === "end")
      return end(message.status !== 0 && saysOutOfMemory(written.e) ? "memory" : "exit", message.status);
    bytes += message.text.length;
    if (bytes > outputBytes) return end("output");
    if (message.kind !== "x") {
      written[message.kind] += message.text;
      return reply("");
    }
    try {
      if (!exchange) return end("refused");
      reply(await exchange(message.text));
    } catch {
      end("refused");
    }
  });
  worker.once("error", (error: Error & { code?: string }) => {
    if (error.code === "ERR_WORKER_OUT_OF_MEMORY") return end("memory");
    end("refused");
    reject(new Failed("unavailable", `Cannot run QuickJS: ${error.message}`, { cause: error }));
  });
  const deadline = setTimeout(() => end("timeout"), timeMs);
  const onAbort = () => end("aborted");
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise;
}
