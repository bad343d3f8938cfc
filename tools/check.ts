/**
 * `npm run check`: what must hold before a change is shared, one line a step.
 * `npm run check -- types lint` runs those steps alone.
 */
import { checkPackage } from "./package.ts";
import { checkReference } from "./reference.ts";
import { command, StepFailed } from "./steps.ts";

/** A step resolves with what is worth a word on its line. */
const steps: Record<string, () => Promise<string | undefined | void>> = {
  types: async () => void (await command("tsc", ["--noEmit"])),
  lint: async () => void (await command("oxlint", ["--deny-warnings"])),
  format: async () => void (await command("biome", ["format", "--reporter=summary"])),
  layers: () => tests("test/layers.test.ts"),
  docs: () => tests("test/docs.test.ts"),
  reference: checkReference,
  package: checkPackage,
};

async function tests(file: string): Promise<string | undefined> {
  return /^(\d+ passed), 0 failed/m.exec(await command("vitest", ["run", file]))?.[1];
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(steps, name));
if (unknown.length > 0) {
  console.error(`There is no step ${unknown.join(", ")}: use ${Object.keys(steps).join(", ")}`);
  process.exit(2);
}

for (const [name, step] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = performance.now();
  const line = (verdict: string, word: string | undefined | void) =>
    `${verdict.padEnd(6)} ${name.padEnd(9)} ${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s  ${word ?? ""}`.trimEnd();
  try {
    const word = await step();
    console.log(line("ok", word));
  } catch (error) {
    console.log(line("FAILED", undefined));
    console.log(error instanceof StepFailed ? error.message : error);
    process.exitCode = 1;
  }
}
