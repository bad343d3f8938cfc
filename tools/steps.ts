/** Runs programs for the check: output is kept, and shown only where something failed. */
import { spawn } from "node:child_process";

/** A step of the check failed; `message` is all that it printed. */
export class StepFailed extends Error {}

/** Standard output. @throws StepFailed with all output if the program fails; it gets no input. */
export function command(
  program: string,
  parameters: readonly string[],
  { cwd = process.cwd() }: { readonly cwd?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { FORCE_COLOR: _, ...env } = process.env;
    const child = spawn(program, parameters, {
      cwd,
      env: { ...env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let both = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      both += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (both += text));
    child.on("error", (error) => reject(new StepFailed(`Cannot start ${program}: ${error.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new StepFailed(`$ ${program} ${parameters.join(" ")}   (${signal ?? `exit ${code}`})\n${both}`));
    });
  });
}
