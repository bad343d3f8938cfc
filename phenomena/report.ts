/** The page and the figures that tell what came out. */
import type { Effect, Findings, Phenomenon, Table, Verdict, World } from "./phenomenon.ts";
import { overall, percent, shown } from "./phenomenon.ts";

export interface Concluded {
  readonly phenomenon: Phenomenon;
  readonly findings: Findings;
}

/** In percentage points, or in the effect's own unit. */
export const estimateText = ({ estimate, unit }: Effect): string =>
  shown(estimate, unit === "points" ? percent : (value) => String(Number(value.toPrecision(3))));

const marginText = ({ margin, unit }: Effect): string => String(unit === "points" ? 100 * margin : margin);

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

const table = ({ head, rows }: Table): string => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

/** Of what was looked for in one world; a dash where nothing was. */
function verdictIn(effects: readonly Effect[], world: World): string {
  const own = effects.filter((effect) => effect.world === world);
  return own.length === 0 ? "–" : overall(own);
}

const summary = (all: readonly Concluded[]): string =>
  table({
    head: ["finding", "where the law is known", "on sapling", "verdict"],
    rows: all.map(({ phenomenon: { name, title }, findings: { effects } }) => [
      `[${title}](#${name})`,
      verdictIn(effects, "simulated"),
      verdictIn(effects, "sapling"),
      `**${overall(effects)}**`,
    ]),
  });

const verdicts: readonly Verdict[] = ["reproduced", "not reproduced", "reversed"];

const tallied = (all: readonly Concluded[]): string =>
  `Of ${all.length} findings: ${verdicts
    .map((one) => `${all.filter(({ findings }) => overall(findings.effects) === one).length} ${one}`)
    .join(", ")}.`;

function section({ phenomenon, findings }: Concluded): string {
  const { name, title, claim, source, arxiv, method, rule, remark } = phenomenon;
  const { effects, statement, units, tokens } = findings;
  const verdict = overall(effects);
  const spent = tokens > 0 ? `${(tokens / 1e6).toFixed(2)} million tokens` : "no tokens";
  return [
    `<a id="${name}"></a>`,
    `## ${title}`,
    `**Claim.** ${claim} [${source}](https://arxiv.org/abs/${arxiv}).`,
    `**Here.** ${method}`,
    `**Rule.** ${rule}`,
    `![${title}](images/phenomena/${name}.svg)`,
    `**Verdict: ${verdict}.** ${statement}`,
    ...(remark === undefined ? [] : [`**Remark.** ${remark}`]),
    table({
      head: ["effect", "world", "estimate (95% interval)", "unit", "margin", "verdict"],
      rows: effects.map((effect) => [
        effect.name,
        effect.world,
        estimateText(effect),
        effect.unit,
        marginText(effect),
        effect.verdict,
      ]),
    }),
    `<details><summary>All figures</summary>\n\n${table(findings.table)}\n\n</details>`,
    `Spent: ${units}; ${spent}.`,
  ].join("\n\n");
}

export const report = (all: readonly Concluded[]): string =>
  `${[
    "# Phenomena",
    "Findings of the field, looked for in small: on sapling and seedling, the models that ship with this package, and on solvers whose law of answers is known. Each is a test of the whole system: models, policies, searches, aggregators and statistics as a user would call them. `npm run phenomena` measures all of them anew and writes this page.",
    "**How to read it.** Each effect is written so that the finding says it is positive, and its rule was set down before the first run, unless its remark says what was changed later: *reproduced* where the 95% interval lies above the margin, *reversed* where it lies below minus the margin, else *not reproduced*. A finding with several effects is reproduced where all of them are, reversed where one is. A count of what the finding rules out is reproduced at 0. Where a set-up was changed after a look, it says so; remarks were written after it. Problems are held out and drawn at random (of the 240 of countdown two come twice). Intervals are bootstrapped over problems (BCa; of fewer than 50 problems `betting`), unless said otherwise; an estimate without one is exact, or a count. Models of 27 and 205 thousand parameters on two arithmetic tasks and a sorting task say little about large models: what is reproduced here needs no scale, and what is not may well need it. Where the law is known, the mechanism that a paper names is mostly built in: this asks whether mechanism, program and statistics agree, not whether the mechanism is at work in large models.",
    tallied(all),
    summary(all),
    ...all.map(section),
  ].join("\n\n")}\n`;
