/** Every form of a report, on evaluations as they come: small, broken, hostile, large. */
import { JSDOM } from "jsdom";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { syntheticEvaluation, type SyntheticEvaluationOptions } from "../../testing/index.ts";
import { apart } from "./figures/labels.ts";
import { findingsOf } from "./findings.ts";
import {
  htmlReport,
  jsonReport,
  markdownReport,
  type Report,
  reportOf,
  svgFigures,
  terminalLines,
  terminalReport,
} from "./index.ts";
import { compact, dollars, percent, points, pValue, short, signed } from "./numbers.ts";

function reported(options: SyntheticEvaluationOptions, share = 1): Report {
  const { evaluation, runs, candidates } = syntheticEvaluation(options);
  return reportOf(
    share < 1 ? { ...evaluation, finishedAt: null } : evaluation,
    runs.filter((_, i) => i % 7 !== 3 || share === 1).slice(0, Math.round(share * runs.length)),
    candidates,
  );
}

const longLabel = `best-of-n:${"n=16,temperature=0.7,scorer=likelihood-per-token,".repeat(3)}`;
const hostile = [`majority<script>alert(1)</script>`, `best-of-n"onload="alert(1)`, "x\u001b[31m|*b*[a](javascript:0)"];
const small: SyntheticEvaluationOptions = { problems: 12, tokens: [500, 1000], seeds: 2 };

const cases: readonly (readonly [string, Report])[] = [
  ["the usual", reported({ problems: 40, tokens: [500, 2000] })],
  ["one method, one budget, two problems", reported({ problems: 2, methods: ["majority"], tokens: [500], seeds: 1 })],
  ["no problems", reported({ problems: 0 })],
  ["no methods", reported({ ...small, methods: [] })],
  ["no budgets", reported({ ...small, tokens: [] })],
  ["all wrong", reported({ ...small, outcome: "wrong" })],
  ["all right", reported({ ...small, outcome: "right" })],
  ["all failed", reported({ ...small, outcome: "failed" })],
  [
    "forty methods",
    reported({
      problems: 8,
      seeds: 1,
      tokens: [500, 1000],
      methods: ["majority", ...Array.from({ length: 39 }, (_, i) => `search-${i}`)],
    }),
  ],
  [
    "forty methods at one budget",
    reported({ problems: 8, seeds: 1, tokens: [500], methods: Array.from({ length: 40 }, (_, i) => `search-${i}`) }),
  ],
  ["long labels", reported({ ...small, methods: ["majority", longLabel, `${longLabel}again`] })],
  ["unfinished", reported({ problems: 20, tokens: [500, 1000] }, 0.5)],
  ["nothing run yet", reported(small, 0)],
  ["clusters", reported({ ...small, clusterSize: 3 })],
  ["hostile labels", reported({ ...small, methods: hostile })],
];

/** What a figure that is not defined must never look like. */
const broken = /\bNaN\b|\bundefined\b(?! on \d)|Infinity|Invalid Date|\[object/;

const { window } = new JSDOM("");

describe.each(cases)("%s", (_, report) => {
  test("prints no broken figure as text", () => {
    for (const text of [terminalReport(report), markdownReport(report), jsonReport(report)])
      expect(broken.exec(text)?.[0]).toBeUndefined();
  });

  test.each([30, 60, 80, 120, 200])("fits a terminal of %d columns", (columns) => {
    for (const line of terminalReport(report, { columns }).split("\n"))
      expect([...line].length).toBeLessThanOrEqual(columns);
  });

  test("is a page that holds all it needs, and nothing that runs; its pictures are well-formed", async () => {
    const html = await htmlReport(report);
    expect(broken.exec(html)?.[0]).toBeUndefined();
    const document = new window.DOMParser().parseFromString(html, "text/html");
    expect(document.querySelectorAll("script, link, iframe, img, object, foreignObject, image")).toHaveLength(0);
    for (const element of document.querySelectorAll("*"))
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|^src$|^href$/);
        expect(value).not.toMatch(/url\(|javascript:/);
      }
    const ids = Array.from(document.querySelectorAll("[id]"), ({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.querySelectorAll("details table tbody tr:not(.budget)")).toHaveLength(report.cells.length);
    for (const [svg = ""] of html.matchAll(/<svg[^]*?<\/svg>/g)) {
      const picture = new window.DOMParser().parseFromString(svg, "image/svg+xml");
      expect(picture.querySelector("parsererror")).toBeNull();
      const labels = picture.documentElement.getAttribute("aria-labelledby")?.split(" ") ?? [];
      expect(labels.map((id) => Boolean(picture.getElementById(id)?.textContent))).toEqual([true, true]);
      expect(picture.querySelectorAll("text").length).toBeGreaterThan(3);
    }
  });
});

test("a picture by itself is an SVG file with its own colours for light and dark", async () => {
  const figures = await svgFigures(cases[0]?.[1] as Report);
  expect(figures.map(({ name }) => name)).toEqual([
    "accuracy",
    "frontier",
    "coverage",
    "levels",
    "reliability",
    "risk-coverage",
  ]);
  for (const { svg, title } of figures) {
    const picture = new window.DOMParser().parseFromString(svg, "image/svg+xml");
    expect(picture.querySelector("parsererror")).toBeNull();
    expect(picture.querySelector("title")?.textContent).toBe(title);
    expect(picture.querySelector("style")?.textContent).toContain("prefers-color-scheme: dark");
    expect(picture.documentElement.getAttribute("viewBox")).toMatch(/^-14 -14 \d+ \d+$/);
  }
});

describe("findings", () => {
  const { evaluation, runs, candidates } = syntheticEvaluation({ problems: 120, tokens: [500, 2000], seeds: 1 });
  const report = reportOf(evaluation, runs, candidates);
  const [first = ""] = findingsOf(report);

  test("say who is better and worse at the last budget, by the adjusted p-value", () => {
    expect(first).toMatch(/^Against majority at 2,000 tokens, in points: /);
    const at = (words: string) => first.indexOf(words);
    for (const { method, difference } of report.cells.filter(({ budget }) => budget === 1)) {
      if (!difference) continue;
      const sure = (difference.holm.value ?? 1) <= 0.05;
      const group = !sure ? "no difference" : (difference.estimate.value ?? 0) > 0 ? "better are" : "worse are";
      expect(at(group)).toBeGreaterThan(0);
      expect(at(`${method} (${signed(difference.estimate.value ?? 0)})`)).toBeGreaterThan(at(group));
    }
  });

  test("stand in every form, and are none where nothing was compared", async () => {
    for (const text of [terminalReport(report, { columns: 400 }), markdownReport(report), await htmlReport(report)])
      expect(text).toContain(first);
    expect(findingsOf(reportOf(evaluation, [], []))).toEqual([]);
  });
});

test("says why there are no bands, and which bootstrap there is", async () => {
  // Ten clusters, one of them with a problem missing: too few for the bootstrap, and of two sizes, for which there is no betting.
  const { evaluation, runs } = syntheticEvaluation({ problems: 20, tokens: [500, 1000], seeds: 1, clusterSize: 2 });
  const report = reportOf(
    evaluation,
    runs.filter(({ problem }) => problem !== "problem-001"),
  );
  expect((await svgFigures(report))[0]?.caption).toContain("without bands (a bootstrap of 10 clusters is too short)");
  expect(terminalReport(report, { columns: 400 })).toContain(
    "a bootstrap over clusters of problems (by betting where there are fewer than 100 if all are of one size, else none).",
  );
  const once = syntheticEvaluation({ problems: 40, tokens: [500], seeds: 1 });
  const text = terminalReport(reportOf(once.evaluation, once.runs), { columns: 400 });
  expect(text).toContain("Wilson's for accuracies, a bootstrap over problems for differences (by betting where");
});

test("Markdown, as it was", async () => {
  const report = reported({ problems: 40, tokens: [500, 1000], methods: ["greedy", "majority", "best-of-n", "beam"] });
  const golden = join(import.meta.dirname, "../../../test/golden/report.md");
  await expect(markdownReport(report)).toMatchFileSnapshot(golden);
});

test("Markdown keeps hostile labels text", () => {
  const text = markdownReport(cases.at(-1)?.[1] as Report);
  expect(text).toContain("majority&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(text).toContain("x�[31m\\|\\*b\\*[a\\](javascript:0)");
  expect(text).not.toContain("\u001b");
});

test("an unfinished evaluation says so in every form", async () => {
  const report = reported({ problems: 20, tokens: [500, 1000] }, 0.5);
  const said = `Unfinished: ${report.runs.recorded} of 600 runs are recorded`;
  expect(report.runs.recorded).toBeLessThanOrEqual(300);
  for (const text of [terminalReport(report, { columns: 200 }), markdownReport(report), await htmlReport(report)])
    expect(text).toContain(said);
  expect(JSON.parse(jsonReport(report)).runs).toMatchObject({ complete: false, expected: 600 });
});

describe("terminal", () => {
  const report = cases[0]?.[1] as Report;

  test("a narrow one says what it left out, and keeps the accuracies", () => {
    const text = terminalReport(report, { columns: 50 });
    expect(text).toContain("best-of-n");
    expect(text).toMatch(/No room for: .*tokens/);
    for (const { accuracy } of report.cells) expect(text).toContain(points(accuracy.value ?? 0));
    expect(terminalReport(report, { columns: 250 })).not.toContain("No room for");
  });

  test("says what the intervals are and how many comparisons were made", () => {
    const text = terminalReport(report, { columns: 250 });
    expect(text).toContain("Intervals are 95%, each by itself");
    expect(text).toContain("adjusted by Holm for the 4 methods tried at a budget, 8 comparisons in all");
  });

  test("columns line up", () => {
    const lines = terminalReport(report, { columns: 250 }).split("\n");
    const header = lines.find((line) => line.startsWith("method")) as string;
    const rows = lines.filter((line) => report.evaluation.methods.some((method) => line.startsWith(`${method} `)));
    expect(rows).toHaveLength(report.cells.length);
    for (const row of rows) expect(row.slice(0, header.indexOf("accuracy"))).toMatch(/^\S+\s+$/);
  });

  test("what is better or worse for sure has a style, which is no colour yet", () => {
    const styles = (style: string) =>
      terminalLines(report)
        .flat()
        .filter((span) => span.style === style);
    const sure = report.cells.filter(({ difference }) => (difference?.holm.value ?? 1) <= 0.05);
    expect(sure.length).toBeGreaterThan(0);
    expect(styles("right").length + styles("wrong").length).toBe(sure.length);
  });
});

describe("without the optional packages", () => {
  afterEach(() => {
    vi.doUnmock("jsdom");
    vi.resetModules();
  });

  test("the error says what to install", async () => {
    vi.resetModules();
    vi.doMock("jsdom", () => {
      throw new Error("Cannot find package 'jsdom'");
    });
    const { svgFigures: draw } = await import("./svg.ts");
    await expect(draw(cases[0]?.[1] as Report)).rejects.toThrow("npm install @observablehq/plot jsdom");
  });
});

describe("labels at the ends of lines", () => {
  const range = { gap: 10, least: 0, most: 100 };

  test("stay where they have room, else stand around their middle", () => {
    expect(apart([20, 60, 90], range)).toEqual([20, 60, 90]);
    expect(apart([50, 52], range)).toEqual([46, 56]);
    expect(apart([52, 50], range)).toEqual([56, 46]);
    // The third is pushed into by the first two.
    expect(apart([50, 52, 58], range)).toEqual([(50 + 52 + 58) / 3 - 10, (50 + 52 + 58) / 3, (50 + 52 + 58) / 3 + 10]);
  });

  test("stay in the figure, also where there are too many", () => {
    expect(apart([0, 1, 99, 100], range)).toEqual([0, 10, 90, 100]);
    const many = apart(Array<number>(21).fill(50), range);
    expect(many[0]).toBe(0);
    expect(many.at(-1)).toBeCloseTo(100, 9);
  });
});

test("numbers as text", () => {
  expect([0, 7, 999, 1000, 1834.5, 999_999, 1e9, 6.54e12, 0.0004, 0.123].map(compact)).toEqual([
    "0",
    "7",
    "999",
    "1k",
    "1.83k",
    "1M",
    "1G",
    "6.54T",
    "4e−4",
    "0.123",
  ]);
  expect([0.0004, -0.0004, 0.5, -0.125].map(points)).toEqual(["0.0", "0.0", "50.0", "−12.5"]);
  expect([0.125, 0.0001, -0.1].map(signed)).toEqual(["+12.5", "0.0", "−10.0"]);
  expect([0.00001, 0.0123, 0.5, 1].map(pValue)).toEqual(["<0.0001", "0.012", "0.50", "1.00"]);
  expect([0, 0.00033, 1.256, 1234].map(dollars)).toEqual(["$0", "$0.00033", "$1.3", "$1,234"]);
  expect(percent(0.5)).toBe("50.0%");
  expect(short("best-of-n:16,scorer=value", 12)).toBe("best-of…alue");
});
