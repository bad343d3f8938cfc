/** The page and the figures that tell what came out. */
import type { Effect, Findings, Phenomenon, Table, World } from "./phenomenon.ts";
import { overall } from "./phenomenon.ts";

export interface Concluded {
  readonly phenomenon: Phenomenon;
  readonly findings: Findings;
}

/** In percentage points, or in the effect's own unit. */
export function estimateText({ estimate, unit }: Pick<Effect, "estimate" | "unit">): string {
  const { value, low, high, why } = estimate;
  const text = (x: number): string => (unit === "points" ? (100 * x).toFixed(1) : String(Number(x.toPrecision(3))));
  if (value === undefined) return why ?? "–";
  return low === undefined || low === high ? text(value) : `${text(value)} (${text(low)} to ${text(high)})`;
}

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

function section({ phenomenon, findings }: Concluded): string {
  const { name, title, claim, source, method, rule, why } = phenomenon;
  const { effects, statement, outlay } = findings;
  const verdict = overall(effects);
  const spent = outlay.tokens > 0 ? `${(outlay.tokens / 1e6).toFixed(2)} million tokens` : "no tokens";
  return [
    `<a id="${name}"></a>`,
    `## ${title}`,
    `**Claim.** ${claim} [${source.text}](${source.url}).`,
    `**Here.** ${method}`,
    `**Rule.** ${rule}`,
    `![${title}](images/phenomena/${name}.svg)`,
    `**Verdict: ${verdict}.** ${statement}${verdict !== "reproduced" && why !== undefined ? ` ${why}` : ""}`,
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
    `Spent: ${outlay.units}; ${spent}.`,
  ].join("\n\n");
}

export const report = (all: readonly Concluded[]): string =>
  `${[
    "# Phenomena",
    "Findings of the field, looked for in small: on sapling and seedling, the models that ship with this package, and on solvers whose law of answers is known. Each is a test of the whole system: models, policies, searches, aggregators and statistics as a user would call them. `npm run phenomena` measures all of them anew and writes this page.",
    "**How to read it.** Each effect is written so that the finding says it is positive, and its rule was fixed before the first run: *reproduced* where the 95% interval lies above the margin, *reversed* where it lies below minus the margin, else *not reproduced*. A finding with several effects is reproduced where all of them are, reversed where one is. Where a set-up was changed after a look, it says so. Intervals are bootstrapped over problems (BCa; of fewer than 50 problems `betting`), unless said otherwise; an estimate without one is exact. Models of 27 and 205 thousand parameters on two arithmetic tasks and a sorting task say little about large models: what is reproduced here holds without their scale, and what is not may well need it.",
    summary(all),
    ...all.map(section),
  ].join("\n\n")}\n`;
