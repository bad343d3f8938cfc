/**
 * The field's findings, looked for here:
 *
 *     npm run phenomena                            # all of them; writes docs/phenomena.md and its figures
 *     npm run phenomena -- --out out/phenomena     # keeps rows there, and goes on where it was stopped
 *     npm run phenomena -- --only greedy,dial      # some; prints what came out, writes no page
 *     npm run phenomena -- --quick                 # few problems, to see that all runs; writes no page
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { nearest } from "../src/nearest.ts";
import { phenomena } from "./list.ts";
import { measure } from "./measure.ts";
import { overall, type Phenomenon } from "./phenomenon.ts";
import { figure } from "./plot.ts";
import { type Concluded, estimateText, report } from "./report.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    out: { type: "string" },
    threads: { type: "string", default: String(availableParallelism()) },
  },
});

function chosen(only: string | undefined): readonly Phenomenon[] {
  if (only === undefined) return phenomena;
  return only.split(",").map((name) => {
    const found = phenomena.find((one) => one.name === name);
    if (found) return found;
    const names = phenomena.map((one) => one.name);
    throw new RangeError(
      `Cannot find a phenomenon named '${name}': there are ${names.join(", ")}. Did you mean ${nearest(name, names) ?? names[0]}?`,
    );
  });
}

const began = performance.now();
const minutes = (): number => (performance.now() - began) / 60_000;
let shownAt = Number.NEGATIVE_INFINITY;

function onProgress(done: number, all: number, name: string): void {
  if (done < all && performance.now() - shownAt < (process.stderr.isTTY ? 200 : 15_000)) return;
  shownAt = performance.now();
  const line = `${done} of ${all} units, ${minutes().toFixed(1)} minutes; now ${name}`;
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${line}` : `${line}\n`);
}

const wanted = chosen(values.only);
const rows = await measure([...new Set(wanted.flatMap(({ measurements }) => measurements))], {
  quick: values.quick,
  threads: Number(values.threads),
  folder: values.out === undefined ? undefined : join(values.out, values.quick ? "quick" : "full"),
  onProgress,
});
if (process.stderr.isTTY) process.stderr.write("\r\x1b[2K");

const all: Concluded[] = [];
for (const phenomenon of wanted) {
  const findings = await phenomenon.conclude(rows);
  all.push({ phenomenon, findings });
  console.log(`\n${phenomenon.title}: ${overall(findings.effects)}`);
  for (const effect of findings.effects)
    console.log(
      `  ${effect.verdict.padEnd(14)} ${effect.world}: ${effect.name}: ${estimateText(effect)} ${effect.unit}`,
    );
  console.log(`  ${findings.statement}`);
  if (values.out !== undefined)
    writeFileSync(join(values.out, `${phenomenon.name}.json`), JSON.stringify(findings, null, 1));
}

if (values.only === undefined && !values.quick) {
  const docs = join(import.meta.dirname, "..", "docs");
  const images = join(docs, "images", "phenomena");
  mkdirSync(images, { recursive: true });
  writeFileSync(join(docs, "phenomena.md"), report(all));
  for (const { phenomenon, findings } of all)
    writeFileSync(join(images, `${phenomenon.name}.svg`), figure(findings.panels));
}
console.log(`\n${minutes().toFixed(1)} minutes`);
