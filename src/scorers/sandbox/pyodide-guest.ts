/**
 * Runs inside Deno, without permissions: Python as Pyodide, talking to the host in frames over stdin and stdout.
 * Parameters: the folder of Pyodide; then a snapshot of its memory, "-" for none, or "make" to make one and write it to stdout.
 */
declare const Deno: {
  readonly args: readonly [string, string];
  readonly stdin: { readSync(into: Uint8Array): number | null };
  readonly stdout: { writeSync(from: Uint8Array): number };
  readonly stderr: { writeSync(from: Uint8Array): number };
  readFileSync(path: string): Uint8Array;
  exit(code: number): never;
};

interface Python {
  readonly globals: { set(name: string, value: unknown): void };
  readonly FS: { writeFile(name: string, text: string): void };
  setStdin(options: { read: (into: Uint8Array) => number; isatty: boolean }): void;
  setStdout(options: { write: (bytes: Uint8Array) => number; isatty: boolean }): void;
  setStderr(options: { write: (bytes: Uint8Array) => number; isatty: boolean }): void;
  runPython(code: string): unknown;
  makeMemorySnapshot(): Uint8Array;
}

const [folder, snapshot] = Deno.args;
const { loadPyodide } = (await import(`file://${folder}/pyodide.mjs`)) as {
  loadPyodide(options: Record<string, unknown>): Promise<Python>;
};

function writeAll(to: { writeSync(from: Uint8Array): number }, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += to.writeSync(bytes.subarray(at));
}

function read(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; ) at += Deno.stdin.readSync(bytes.subarray(at)) ?? Deno.exit(0);
  return bytes;
}

function receive(): string {
  const head = read(5);
  return new TextDecoder().decode(read(new DataView(head.buffer).getUint32(1)));
}

function send(kind: string, body: Uint8Array): number {
  const head = new Uint8Array(5);
  head[0] = kind.charCodeAt(0);
  new DataView(head.buffer).setUint32(1, body.length);
  writeAll(Deno.stdout, head);
  writeAll(Deno.stdout, body);
  return body.length;
}

if (snapshot === "make") {
  const python = await loadPyodide({ indexURL: folder, _makeSnapshot: true });
  writeAll(Deno.stdout, python.makeMemorySnapshot());
  Deno.exit(0);
}

const python = await loadPyodide({
  indexURL: folder,
  ...(snapshot === "-" ? {} : { _loadSnapshot: Deno.readFileSync(snapshot) }),
});
const start = JSON.parse(receive()) as { code: string; files: Record<string, string>; stdin: string };
for (const [name, text] of Object.entries(start.files)) python.FS.writeFile(name, text);
let unread = new TextEncoder().encode(start.stdin);
python.setStdin({
  isatty: false,
  read(into) {
    const part = unread.subarray(0, into.length);
    into.set(part);
    unread = unread.subarray(part.length);
    return part.length;
  },
});
python.setStdout({ write: (bytes) => send("o", bytes), isatty: false });
python.setStderr({ write: (bytes) => send("e", bytes), isatty: false });
python.globals.set("exchange", (text: string) => {
  send("x", new TextEncoder().encode(text));
  return receive();
});
python.globals.set("source", start.code);
let status = 1;
try {
  status = python.runPython(`
import sys, traceback
def run(source, exchange):
    try:
        exec(compile(source, "program.py", "exec"), {"__name__": "__main__", "exchange": exchange})
        return 0
    except SystemExit as end:
        return end.code if type(end.code) is int else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
run(source, exchange)
`) as number;
} catch (error) {
  send("e", new TextEncoder().encode(`${error}\n`)); // the interpreter itself broke, as by endless recursion
}
Deno.exit(status & 255);
