/** The worker of `quickjs.ts`: one fresh QuickJS in WebAssembly, one program. */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import type { QuickJS } from "quickjs-wasi";

const { module, wasm, code, files, stdin, memoryBytes, flag, answers } = workerData as {
  module: string;
  wasm: WebAssembly.Module;
  code: string;
  files: Record<string, string>;
  stdin: string;
  memoryBytes: number;
  flag: Int32Array;
  answers: MessagePort;
};

const { QuickJS: engine } = (await import(module)) as { QuickJS: typeof QuickJS };
const vm = await engine.create({ wasm, memoryLimit: memoryBytes, maxStackSize: 256 * 1024 });

const post = (message: object): void => parentPort?.postMessage(message, []); // [] of transferred objects

function give(name: string, body: (...given: string[]) => string | undefined): void {
  using made = vm.newFunction(name, (...handles) => {
    const result = body(...handles.map((handle) => handle.toString()));
    return result === undefined ? vm.undefined : vm.newString(result);
  });
  vm.setProp(vm.global, name, made);
}

/** Waits for the host, so that a program which prints without end cannot fill the host's memory. */
function ask(kind: "o" | "e" | "x", text: string): string {
  post({ kind, text });
  Atomics.wait(flag, 0, 0);
  Atomics.store(flag, 0, 0);
  return (receiveMessageOnPort(answers) as { message: string }).message;
}

give("print", (...parts) => void ask("o", `${parts.join(" ")}\n`));
give("readStdin", () => stdin);
give("readFile", (name = "") => files[name]);
give("exchange", (text = "") => ask("x", text));
vm.evalCode("globalThis.console = { log: print, error: print, warn: print, info: print };");

let status = 0;
try {
  vm.evalCode(code, "program.js");
  vm.executePendingJobs();
} catch (error) {
  status = 1;
  const { name, message } = error as Error;
  ask("e", `${name}: ${message}\n`);
}
post({ kind: "end", status });
