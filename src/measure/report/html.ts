/**
 * A report as one page: everything is in the file, nothing is fetched, no script is needed. Light or dark as the reader's system prefers;
 * printed, it is light and whole.
 */
import { darkRules, fonts } from "./figures/plot.ts";
import { findingsOf } from "./findings.ts";
import { jsonReport } from "./json.ts";
import { budgetText, dateText, none, shown } from "./numbers.ts";
import { explained, headOf, notesOf, warningsOf } from "./notes.ts";
import { isMissing, type Report } from "./report.ts";
import { type Figure, inlineFigures } from "./svg.ts";
import { type Column, columnsOf, verdictOf } from "./table.ts";

/** @throws Error where the optional packages `@observablehq/plot` and `jsdom` are not installed */
export async function htmlReport(report: Report): Promise<string> {
  const { evaluation } = report;
  const figures = await inlineFigures(report);
  const all = columnsOf(report);
  const columns = all.filter(({ priority }) => priority <= mainColumns);
  const [what, when, bill] = headOf(report);
  const findings = findingsOf(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Ponderosa">
<title>${escaped(evaluation.name)}</title>
<style>
${style}
</style>
</head>
<body>
<main>
<header>
<h1>${escaped(evaluation.name)}</h1>
<p class="lead">${escaped(what ?? "")}</p>
<p class="soft">${escaped(when ?? "")}<br>${escaped(bill ?? "")}</p>
${warningsOf(report)
  .map((warning) => `<p class="warning" role="note">${escaped(warning)}.</p>`)
  .join("\n")}
${findings.length === 0 ? "" : `<ul class="findings">\n${findings.map((finding) => `<li>${escaped(finding)}</li>`).join("\n")}\n</ul>`}
</header>
<section aria-labelledby="results">
<h2 id="results">Results</h2>
${resultsTable(report, columns)}
${notesOf(report)
  .map((note) => `<p class="soft">${escaped(note)}</p>`)
  .join("\n")}
<details><summary>All columns, and what they say</summary>
${resultsTable(report, all)}
<dl class="columns">
${all.map(({ name, meaning }) => `<div><dt>${escaped(name)}</dt><dd>${escaped(meaning)}</dd></div>`).join("\n")}
</dl>
</details>
</section>
<section aria-labelledby="figures">
<h2 id="figures">Figures</h2>
${figures.map((figure) => figureOf(figure)).join("\n")}
${absentFigures(report)}
</section>
<section aria-labelledby="how">
<h2 id="how">How these numbers are made</h2>
<dl class="how">
${explained(report)
  .map(
    ({ what: term, how, source }) =>
      `<dt>${escaped(term)}</dt><dd>${escaped(how)}${source === undefined ? "" : ` <span class="soft">${escaped(source)}.</span>`}</dd>`,
  )
  .join("\n")}
</dl>
</section>
<section aria-labelledby="run">
<h2 id="run">What was run</h2>
<dl class="run">
${facts(report)
  .map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`)
  .join("\n")}
</dl>
<details><summary>Settings, to start it again</summary><pre>${escaped(JSON.stringify(evaluation.config, undefined, 2))}</pre></details>
<details><summary>All figures as JSON</summary><pre>${escaped(jsonReport(report))}</pre></details>
</section>
</main>
</body>
</html>
`;
}

/** Columns up to this priority stand in the table at first sight; they fit the page. */
const mainColumns = 7;

function resultsTable(report: Report, columns: readonly Column[]): string {
  const { evaluation, cells, level, baseline } = report;
  const classOf = ({ align }: Column): string => (align === "right" ? ' class="number"' : "");
  const groups = evaluation.budgets.map((budget, index) => {
    const rows = cells
      .filter((cell) => cell.budget === index)
      .map((cell) => {
        const verdict = verdictOf(cell, level);
        const kind = cell.method === baseline ? ' class="baseline"' : "";
        const texts = columns.map((column, i) => {
          const text = escaped(column.text(cell));
          if (i === 0) return `<th scope="row">${text}</th>`;
          return column.judged && verdict
            ? `<td><span class="${verdict}">${text}</span></td>`
            : `<td${classOf(column)}>${text}</td>`;
        });
        return `<tr${kind}>${texts.join("")}</tr>`;
      });
    return `<tbody>
<tr class="budget"><th colspan="${columns.length}" scope="rowgroup">${escaped(budgetText(budget))}</th></tr>
${rows.join("\n")}
</tbody>`;
  });
  return `<div class="wide"><table>
<thead><tr>${columns.map((column) => `<th scope="col"${classOf(column)}>${escaped(column.name)}</th>`).join("")}</tr></thead>
${groups.join("\n")}
</table></div>`;
}

const figureOf = ({ name, title, caption, svg }: Figure): string => `<figure id="${name}">
<h3>${escaped(title)}</h3>
<div class="wide" style="--width: ${/ width="(\d+)"/.exec(svg)?.[1]}px">${svg}</div>
<figcaption>${escaped(caption)}</figcaption>
</figure>`;

/** What could not be drawn, and why. */
function absentFigures({ coverage, frontier, confidence, levels }: Report): string {
  const absent = [
    ...(isMissing(coverage) ? [`What more samples give: ${coverage.why}.`] : []),
    ...(isMissing(frontier) ? [`What tokens buy: ${frontier.why}.`] : []),
    ...(confidence.length === 0 ? ["Confidence: no method states one."] : []),
    ...(levels.length === 0 ? ["Levels: the problems are of one."] : []),
  ];
  if (absent.length === 0) return "";
  return `<p class="soft">Not drawn. ${absent.map(escaped).join(" ")}</p>`;
}

function facts({ evaluation, baseline }: Report): [name: string, value: string][] {
  const { task, model, parameters, methods, budgets, seeds, versions, revision, startedAt, finishedAt, id } =
    evaluation;
  return [
    ["evaluation", id],
    ["task", task],
    ["model", parameters === null ? model : `${model}, ${parameters.toLocaleString("en-US")} parameters`],
    ["methods", methods.join(", ")],
    ["baseline", baseline ?? none],
    ["budgets of a run", budgets.map(budgetText).join("; ")],
    ["seeds", `${seeds}`],
    ["started", dateText(startedAt)],
    ["finished", finishedAt === null ? "not yet" : dateText(finishedAt)],
    ["revision", revision ?? none],
    ...Object.entries(versions).map(([name, version]): [string, string] => [name, version]),
  ];
}

/** For text and attributes. */
const escaped = (text: string): string =>
  text
    .split("\n")
    .map(shown)
    .join("\n")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

const light =
  "--page: #ffffff; --ink: #1f2328; --soft: #5b626a; --line: #dfe2e6; --tint: #f5f6f7; --better: #17663f; --worse: #a33a1f; --warn: #fff4d6; --edge: #d9a514; --shade: #00000024;";
const dark =
  "--page: #1b1e1d; --ink: #e3e5df; --soft: #a2a8a1; --line: #363c39; --tint: #232726; --better: #6fd3a0; --worse: #f09a80; --warn: #3a3116; --edge: #d9a514; --shade: #00000099;";

const style = `:root { color-scheme: light dark; ${light} }
@media screen and (prefers-color-scheme: dark) {
:root { ${dark} }
${darkRules("svg.ponderosa-plot")}
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 ${fonts}; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 0.5rem; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 3rem 0 0.9rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 0.5rem; }
p { margin: 0.4rem 0; overflow-wrap: anywhere; }
.lead { font-size: 1.05rem; }
.soft, figcaption, dd { color: var(--soft); }
.soft { font-size: 0.9rem; }
.warning { margin: 1rem 0 0; padding: 0.55rem 0.9rem; background: var(--warn); border-left: 3px solid var(--edge); border-radius: 3px; }
.findings { margin: 1.2rem 0 0; padding: 0 0 0 1.1rem; }
.findings li { margin: 0.25rem 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; background:
  linear-gradient(90deg, var(--page) 1rem, transparent) 0 0 / 2rem 100% no-repeat local,
  linear-gradient(270deg, var(--page) 1rem, transparent) 100% 0 / 2rem 100% no-repeat local,
  linear-gradient(90deg, var(--shade), transparent) 0 0 / 0.8rem 100% no-repeat,
  linear-gradient(270deg, var(--shade), transparent) 100% 0 / 0.8rem 100% no-repeat; } /* a shadow where there is more to scroll to */
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { text-align: left; font-weight: 400; padding: 0.32rem 0.9rem 0.32rem 0; white-space: nowrap; }
[scope=row], thead th { white-space: normal; }
[scope=row] { min-width: 8rem; max-width: 17rem; overflow-wrap: anywhere; }
thead th + th { max-width: 10rem; overflow-wrap: break-word; }
.number { text-align: right; }
thead th { color: var(--soft); border-bottom: 1px solid var(--line); vertical-align: bottom; }
tbody tr + tr th, tbody tr + tr td { border-bottom: 1px solid var(--tint); }
.budget th { font-weight: 600; padding-top: 1.1rem; }
.baseline th, .baseline td { background: var(--tint); }
.better { color: var(--better); font-weight: 600; }
.worse { color: var(--worse); font-weight: 600; }
figure { margin: 0 0 2.8rem; }
figure svg { display: block; width: 100%; min-width: calc(0.75 * var(--width)); max-width: calc(1.2 * var(--width)); height: auto; color: var(--ink); }
figcaption { font-size: 0.9rem; max-width: 46rem; margin-top: 0.4rem; }
dl { margin: 0; }
.columns { margin-top: 1rem; font-size: 0.85rem; columns: 2; column-gap: 2.5rem; }
.columns div { break-inside: avoid; padding: 0.1rem 0; }
.columns dt { display: inline; font-weight: 600; }
.columns dd { display: inline; margin: 0 0 0 0.35rem; }
.how dt { font-weight: 600; margin-top: 0.8rem; }
.how dd { margin: 0.1rem 0 0; max-width: 46rem; }
.run { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.5rem; font-size: 0.9rem; margin-bottom: 1.2rem; }
.run dt { font-weight: 600; }
.run dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; font-size: 0.9rem; }
pre { font: 0.8rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: var(--tint); padding: 0.9rem; overflow: auto; max-height: 30rem; border-radius: 4px; }
@media (max-width: 40rem) {
main { padding-top: 1.5rem; }
h1 { font-size: 1.5rem; }
.columns { columns: 1; }
.run { grid-template-columns: 1fr; gap: 0; }
.run dd { margin-bottom: 0.5rem; }
}
@media print {
main { max-width: none; padding: 0; }
h2 { break-after: avoid; }
figure, tr { break-inside: avoid; }
.wide { overflow: visible; }
figure svg { min-width: 0; }
table { font-size: 0.68rem; }
details { display: none; }
}`;
