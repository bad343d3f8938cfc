/** A report as Markdown: for a pull request, a README, an archive that is read as text. Figures are tables here. */
import { budgetText, estimateText, none, plural, points, shown, whole } from "./numbers.ts";
import { findingsOf } from "./findings.ts";
import { headOf, notesOf, warningsOf } from "./notes.ts";
import { isMissing, type Report } from "./report.ts";
import { columnsOf } from "./table.ts";

/** GitHub's Markdown; text of the records cannot become markup. */
export function markdownReport(report: Report): string {
  const { evaluation } = report;
  const columns = columnsOf(report);
  const blocks = [
    `# ${escaped(evaluation.name)}`,
    headOf(report).map(escaped).join("  \n"),
    ...warningsOf(report).map((warning) => `> **${escaped(warning)}.**`),
    ...listOf(findingsOf(report)),
    ...evaluation.budgets.map((budget, index) => {
      const cells = report.cells.filter((cell) => cell.budget === index);
      return `## ${escaped(budgetText(budget))}\n\n${table(
        columns.map(({ name, align }) => ({ name, align })),
        cells.map((cell) => columns.map(({ text }) => text(cell))),
      )}`;
    }),
    notesOf(report).map(escaped).join("  \n"),
    ...coverageBlock(report),
    ...confidenceBlock(report),
    ...frontierBlock(report),
    ...levelBlock(report),
    `## Columns\n\n${columns.map(({ name, meaning }) => `- **${escaped(name)}**: ${escaped(meaning)}`).join("\n")}`,
  ];
  return `${blocks.join("\n\n")}\n`;
}

const listOf = (sentences: readonly string[]): string[] =>
  sentences.length === 0 ? [] : [sentences.map((sentence) => `- ${escaped(sentence)}`).join("\n")];

function coverageBlock({ coverage }: Report): string[] {
  const title = "## More samples";
  if (isMissing(coverage)) return [`${title}\n\nNo curve: ${escaped(coverage.why)}.`];
  const { method, problems, samples, leftOut, passAtK, majority, bestOfK, law } = coverage;
  const curves = [
    { name: "coverage (pass@k)", points: passAtK },
    ...(majority.length > 0 ? [{ name: "majority@k", points: majority }] : []),
    ...bestOfK.map(({ scorer, points: best }) => ({ name: `best of k by ${scorer}`, points: best })),
  ];
  const rows = passAtK.map(({ k }, i) => [
    `${k}`,
    ...curves.map((one) => estimateText(one.points[i] ?? undefinedPoint)),
  ]);
  const beyond = isMissing(law)
    ? []
    : law.extrapolated.map((point) => [`*${point.k}*`, `*${estimateText(point)}*`, ...curves.slice(1).map(() => none)]);
  const about = `Of ${shown(method)}, ${plural(problems, "problem")} with ${whole(samples)} samples or more${leftOut > 0 ? `; ${plural(leftOut, "problem")} left out for want of judged samples` : ""}.`;
  const fit = isMissing(law)
    ? `No law: ${law.why}.`
    : `Fitted: exp(${law.a.toFixed(3)} · k^${law.b.toFixed(3)}), off by ${points(law.residual)} points; in italics what it would give beyond the data, which nothing here can check.`;
  const names = [
    { name: "k", align: "right" as const },
    ...curves.map(({ name }) => ({ name, align: "left" as const })),
  ];
  return [`${title}\n\n${escaped(about)}\n\n${table(names, rows, beyond)}\n\n${escaped(fit)}`];
}

const undefinedPoint = { value: undefined, low: undefined, high: undefined, why: "" };

function confidenceBlock({ confidence }: Report): string[] {
  if (confidence.length === 0) return [];
  const number = (value: number | undefined): string => (value === undefined ? none : value.toFixed(3));
  return [
    `## Confidence\n\n${table(
      ["method", "items", "calibration error", "by chance", "Brier", "AUROC", "AURC"].map((name, i) => ({
        name,
        align: i === 0 ? "left" : "right",
      })),
      confidence.map(({ method, items, calibrationError, brier, auroc, aurc }) => [
        shown(method),
        whole(items),
        number(calibrationError.value),
        number(calibrationError.whenCalibrated),
        estimateText(brier, number),
        estimateText(auroc, number),
        estimateText(aurc, number),
      ]),
    )}`,
  ];
}

function frontierBlock({ frontier, evaluation }: Report): string[] {
  const title = "## Frontier";
  if (isMissing(frontier)) return [`${title}\n\nNone: ${escaped(frontier.why)}.`];
  const { members, hypervolume, reference, matched, problems } = frontier;
  const rows = members.map(({ method, budget, cost, quality, onFrontier, share }) => [
    shown(method),
    budgetText(evaluation.budgets[budget] ?? {}),
    whole(cost),
    points(quality),
    onFrontier ? "yes" : "no",
    `${points(share)}%`,
  ]);
  const names = ["method", "budget", "tokens", "accuracy %", "on it", "of resamples"];
  const volume = `On ${plural(problems, "problem")} that all have. Hypervolume ${estimateText(hypervolume, (value) => value.toFixed(3))} below ${whole(reference.cost)} tokens.`;
  const equal = isMissing(matched)
    ? `No comparison at equal cost: ${matched.why}.`
    : `At ${whole(matched.cost)} tokens: ${matched.methods.map(({ method, accuracy }) => `${shown(method)} ${estimateText(accuracy)}`).join("; ")}.`;
  return [
    `${title}\n\n${table(
      names.map((name, i) => ({ name, align: i < 2 ? "left" : "right" })),
      rows,
    )}\n\n${escaped(volume)}  \n${escaped(equal)}`,
  ];
}

function levelBlock({ levels, evaluation }: Report): string[] {
  if (levels.length === 0) return [];
  const places = levels[0]?.cells ?? [];
  const several = evaluation.budgets.length > 1;
  const names = [
    "method",
    ...(several ? ["budget"] : []),
    ...levels.map(({ level, problems }) => `${level} (${problems})`),
  ];
  const rows = places.map(({ method, budget }, i) => [
    shown(method),
    ...(several ? [budgetText(evaluation.budgets[budget] ?? {})] : []),
    ...levels.map(({ cells }) => estimateText(cells[i]?.accuracy ?? undefinedPoint)),
  ]);
  return [
    `## By level\n\nAccuracy in percent.\n\n${table(
      names.map((name) => ({ name, align: "left" })),
      rows,
    )}`,
  ];
}

interface Header {
  readonly name: string;
  readonly align: "left" | "right";
}

/** `marked`: rows that are Markdown already. */
function table(headers: readonly Header[], rows: readonly string[][], marked: readonly string[][] = []): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  return [
    line(headers.map(({ name }) => escaped(name))),
    line(headers.map(({ align }) => (align === "right" ? "--:" : ":--"))),
    ...rows.map((row) => line(row.map(escaped))),
    ...marked.map(line),
  ].join("\n");
}

/** Text as it is, whatever marks it contains. Brackets may stay, as long as they cannot be those of a link. */
const escaped = (text: string): string =>
  shown(text)
    .replace(/[\\`*_|]|~(?=~)|\](?=[([:])/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
