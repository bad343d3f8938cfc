/** The catalogue of methods is whole: every search, scorer and name of the command line has one row, and its links lead somewhere. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type * as allocate from "../src/allocate/index.ts";
import { methods } from "../src/methods.ts";
import * as scorers from "../src/scorers/index.ts";
import * as searches from "../src/search/index.ts";

const root = join(import.meta.dirname, "..");
const page = join(root, "docs/methods.md");
const text = readFileSync(page, "utf8");

/** Exported functions that are no method of their own, but parts of one or tools beside it. */
const helpers: readonly string[] = [
  // of searches
  "balancedWidths", "changesAlong", "drawAnswers", "entropic",
  // potentials of particle methods
  "likelihoodWeight", "potential", "rewardWeight",
  // of scorers
  "byLine", "extractProgram", "finalAnswer", "gradeOf", "joinedFeatures", "likelihoodFeatures", "openSandbox",
  "preferenceOf", "readConfidence", "scoreFeature", "vectorFeatures", "verifierCeiling",
]; // biome-ignore format: a list

/** In the catalogue as methods, but no searches that `run` takes. */
const noSearches: readonly string[] = [
  "bootstrapFilter", "cumulative", "embedding", "gumbel", "hamming", "ngram", "plan", "puct", "uct",
]; // biome-ignore format: a list

/** The methods of `allocate`, among its rules, fits and thresholds. */
const allocation: readonly (keyof typeof allocate)[] = [
  "abstaining",
  "adaptiveConsistency",
  "batchPrompting",
  "bestArm",
  "byDifficulty",
  "cascade",
  "deepConf",
  "earlyPruning",
  "fitMix",
  "fitRagSplit",
  "nextQuestion",
  "optimalStopping",
  "routed",
  "selfAssessment",
  "shareSamples",
];

/** Cells of the rows of all tables, their headers and rules left out. */
const rows: readonly (readonly string[])[] = text
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (method|scorer) \|/.test(line))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const codes = (cells: readonly (string | undefined)[]): string[] =>
  cells.flatMap((cell = "") => Array.from(cell.matchAll(/`(\w[\w-]*)`/g), ([, code = ""]) => code));
const functionsOf = (exported: object): string[] =>
  Object.entries(exported).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
const linksOf = (cell: string): string[] => Array.from(cell.matchAll(/\]\((?!\w+:|#)([^)#]+)/g), ([, to = ""]) => to);

test("every search and scorer has one row", () => {
  const functions = functionsOf({ ...searches, ...scorers });
  expect(helpers.filter((name) => !functions.includes(name))).toEqual([]);
  const named = codes(rows.map(([first]) => first));
  const methodsOfAll = [...functions.filter((name) => !helpers.includes(name)), ...allocation];
  expect(named.toSorted()).toEqual(methodsOfAll.toSorted());
});

test("every search keeps the laws, as the page says", () => {
  const laws = ["laws", "latent-laws"].map((name) => readFileSync(join(root, `test/${name}.test.ts`), "utf8")).join("");
  const unlawful = functionsOf(searches).filter(
    (name) => ![...helpers, ...noSearches].includes(name) && !new RegExp(`\\b${name}(<\\w+>)?\\(`).test(laws),
  );
  expect(unlawful).toEqual([]);
});

test("every name of the command line has one row", () => {
  const second = rows.map(([, cell]) => cell);
  const scorerNames = methods.flatMap(({ options }) =>
    options.flatMap(({ name, choices }) => (name === "scorer" || name === "compare" ? Object.keys(choices ?? {}) : [])),
  );
  const names = new Set([...methods.map(({ name }) => name), ...scorerNames].filter((name) => name !== "none"));
  expect(codes(second).toSorted()).toEqual([...names].toSorted());
});

test("every row names a source file and a test, every page of methods is named, and all of these exist", () => {
  for (const cells of rows) {
    expect([cells[0], cells.length]).toEqual([cells[0], 6]);
    const [source, tests] = [linksOf(cells[0] as string), linksOf(cells[5] as string)];
    expect([cells[0], source.some((to) => to.startsWith("../src/"))]).toEqual([cells[0], true]);
    expect([cells[0], tests.some((to) => to.endsWith(".test.ts"))]).toEqual([cells[0], true]);
  }
  const links = linksOf(text);
  expect(links.filter((to) => !existsSync(join(dirname(page), to)))).toEqual([]);
  const pages = globSync("docs/methods/*.md", { cwd: root }).map((file) => file.replace("docs/", ""));
  expect(pages.filter((file) => !links.includes(file))).toEqual([]);
});
