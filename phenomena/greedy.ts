/** Greedy decoding does not find the most likely answer. */
import { fold, key } from "../src/key.ts";
import type { Estimate } from "../src/measure/index.ts";
import { proportion } from "../src/measure/index.ts";
import type { Model } from "../src/model.ts";
import { randomTabular } from "../src/models/tabular.ts";
import { text, type TextState } from "../src/policies/text.ts";
import type { Problem } from "../src/problem.ts";
import { run } from "../src/run.ts";
import type { Search } from "../src/search.ts";
import { beam } from "../src/search/beam/beam.ts";
import { greedy } from "../src/search/sampling/sample.ts";
import { mostLikely } from "../src/search/tree/most-likely.ts";
import { isRightAnswer } from "../src/task.ts";
import { countdown } from "../src/tasks/index.ts";
import type { Measurement, Panel, Phenomenon } from "./phenomenon.ts";
import { judged, percent, shifted, shown } from "./phenomenon.ts";
import { maxTokens, mean, meanOver, modelNamed, problemOf, total } from "./samples.ts";

interface Decoded {
  readonly logProb: number;
  readonly right: boolean;
  readonly tokens: number;
}

/** Greedy, then beams by `widths`; for tabular models the exact mode last. */
type Row = readonly Decoded[];

const widths = [2, 4, 8];

async function decoded(
  model: Model,
  problem: Problem,
  { limit, exact, isRight }: { limit: number; exact: boolean; isRight: (answer: string) => boolean },
): Promise<Row> {
  const policy = text(model, { step: "token", maxAnswerTokens: limit });
  const searches: readonly Search<TextState>[] = [
    greedy<TextState>(),
    ...widths.map((width) => beam<TextState>({ width })),
    ...(exact ? [mostLikely<TextState>()] : []),
  ];
  const rows: Decoded[] = [];
  for (const search of searches) {
    const { answer, spent } = await run(search, problem, { policy });
    rows.push({
      logProb: answer?.totalLogProb ?? -Infinity,
      right: answer !== undefined && isRight(answer.state.text),
      tokens: spent.tokens,
    });
  }
  return rows;
}

const tabularModels: Measurement<Row> = {
  name: "greedy-tabular",
  units: { full: 500, quick: 30 },
  measure: (unit) =>
    decoded(
      randomTabular({ key: fold(fold(key(1), "greedy"), unit), symbols: 4, maxLength: 6 }),
      { id: `model ${unit}`, prompt: "" },
      { limit: 7, exact: true, isRight: () => false },
    ),
};

const sapling: Measurement<Row> = {
  name: "greedy-sapling",
  units: { full: 240, quick: 1 },
  async measure(unit) {
    const problem = problemOf(countdown, unit);
    const isRight = (answer: string): boolean => isRightAnswer(countdown, problem, answer);
    return decoded(await modelNamed("sapling"), problem, { limit: maxTokens, exact: false, isRight });
  },
};

/** Sums of log-probabilities in another order differ by less. */
const rounding = 1e-4;

function likelier(rows: readonly Row[], place: number): Estimate {
  const better = rows.filter((row) => (row[place]?.logProb ?? 0) > (row[0]?.logProb ?? 0) + rounding).length;
  return proportion(better, rows.length);
}

export const greedyMisses: Phenomenon = {
  name: "greedy",
  title: "Greedy decoding misses the most likely answer",
  claim: "In most cases search from left to right misses the most probable text: greedy decoding, and beams, too.",
  source: "Stahlberg & Byrne 2019, On NMT Search Errors and Model Errors: Cat Got Your Tongue?",
  arxiv: "1908.10090",
  method:
    "500 random tabular models (four symbols, up to six characters, rows from a uniform Dirichlet law), where exact search knows the mode; and sapling on 240 countdown problems, where beams over tokens can only show that a likelier answer exists.",
  rule: "In both, the share of cases with a likelier answer than greedy's (known: the mode; sapling: the answer of a beam of 8) lies above one half; Wilson's interval.",
  remark:
    "Only greedy decoding was asked about here; how often depends on the models, which are small and random. That beams miss modes, too, is not seen in the tables, whose trees a beam of 8 nearly exhausts, and cannot be told on sapling, whose modes are not known. The paper's other finding, that the mode is often the empty translation, was not looked for.",
  measurements: [tabularModels, sapling],
  conclude(rows) {
    const [tables, answers] = [rows(tabularModels), rows(sapling)];
    const exact = widths.length + 1;
    const [mode, beam8] = [likelier(tables, exact), likelier(answers, widths.length)];
    const shareRight = (place: number): number => mean(answers.map((row) => Number(row[place]?.right)));
    const gain = meanOver(answers.map((row) => Number(row[widths.length]?.right) - Number(row[0]?.right)));
    const nameAt = (place: number): string =>
      place === 0 ? "greedy" : place === exact ? "exact search" : `beam of ${widths[place - 1]}`;
    const panel = (title: string, of: readonly Row[], places: readonly number[]): Panel => ({
      kind: "bars",
      title,
      x: { label: "a likelier answer than greedy's", percent: true, domain: [0, 1] },
      bars: places.map((place) => ({ label: nameAt(place), estimate: likelier(of, place) })),
      reference: 0.5,
    });
    return {
      effects: [
        judged(
          "simulated",
          "share of models whose mode is likelier than greedy's answer, less one half",
          shifted(mode, -0.5),
        ),
        judged(
          "sapling",
          "share of problems where a beam of 8 finds a likelier answer, less one half",
          shifted(beam8, -0.5),
        ),
      ],
      statement: `Greedy misses the mode of ${shown(mode)} percent of the tabular models, and on ${shown(beam8)} percent of sapling's problems a beam of 8 finds a likelier answer. Likelier is not better: the beam is right on ${percent(shareRight(3))} percent, greedy on ${percent(shareRight(0))} (difference ${shown(gain)} points).`,
      table: {
        head: ["sapling, countdown", "likelier than greedy's, %", "right, %", "tokens a problem"],
        rows: [0, 1, 2, 3].map((place) => [
          nameAt(place),
          place === 0 ? "–" : shown(likelier(answers, place)),
          percent(shareRight(place)),
          mean(answers.map((row) => row[place]?.tokens ?? 0)).toFixed(0),
        ]),
      },
      panels: [panel("Tabular models", tables, [1, 2, 3, exact]), panel("Sapling, countdown", answers, [1, 2, 3])],
      units: `${tables.length} models, ${answers.length} problems; no chance in decoding`,
      tokens: total(answers.flatMap((row) => row.map(({ tokens }) => tokens))),
    };
  },
};
