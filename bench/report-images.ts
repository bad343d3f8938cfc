/**
 * The figures of docs/reports.md, from an evaluation that never was, and what a report costs:
 *
 *     npx node bench/report-images.ts
 */
import { writeFileSync } from "node:fs";
import { htmlReport, reportOf, svgFigures } from "../src/measure/report/index.ts";
import { syntheticEvaluation } from "../src/testing/index.ts";

const { evaluation, runs, candidates } = syntheticEvaluation();
const seconds = async <T>(what: string, work: () => T | Promise<T>): Promise<T> => {
  const start = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(start);
  console.log(`${what}: ${((user + system) / 1e6).toFixed(1)} s of processor time`);
  return result;
};

console.log(`${runs.length} runs, ${candidates.length} candidates`);
const report = await seconds("report", () => reportOf(evaluation, runs, candidates));
const figures = await seconds("figures", () => svgFigures(report));
await seconds("page", () => htmlReport(report));
for (const { name, svg } of figures)
  if (name === "accuracy" || name === "coverage" || name === "reliability")
    writeFileSync(new URL(`../docs/images/report-${name}.svg`, import.meta.url), svg);
