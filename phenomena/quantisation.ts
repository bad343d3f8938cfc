/** Rounding a trained model's weights costs little or much, and more the more tokens a parameter has seen. */
import { readFileSync } from "node:fs";
import { fold, key } from "../src/key.ts";
import type { Model } from "../src/model.ts";
import { fromHalf, toHalf } from "../src/models/gguf/half.ts";
import { readGguf } from "../src/models/gguf/read.ts";
import { llamaJs } from "../src/models/llama-js/index.ts";
import { shippedModels } from "../src/open-model.ts";
import { countdown } from "../src/tasks/index.ts";
import type { Measurement, Phenomenon, Point } from "./phenomenon.ts";
import { curves, fixed, judged, point, shown } from "./phenomenon.ts";
import { drawn, fewest, mean, meanOver, minus, problemOf, shareOver, total } from "./samples.ts";
import { bootstrapMean, type Estimate } from "../src/measure/index.ts";

/** 16: as the files are, half-precision numbers. */
const widths = [2, 3, 4, 5, 6, 8, 16];
const names = ["sapling", "seedling"] as const;
type Name = (typeof names)[number];

/** Trained tokens, of sapling/README.md: steps × 32 rows × 128 positions; and parameters. */
const tokensPerParameter = { sapling: (7500 * 32 * 128) / 204_544, seedling: (3000 * 32 * 128) / 26_880 };

interface At {
  /** Mean over the tokens of a right answer of −log p, in nats. */
  readonly loss: number;
  readonly right: number;
  readonly tokens: number;
}

/** By model and width. */
type Row = Readonly<Record<Name, readonly At[]>>;

/**
 * Every matrix, the embedding too, rounded in its file: each row to the nearest of 2^bits − 1 levels, evenly spaced between minus
 * and plus its largest entry. Norms stay as they are, and so do activations.
 */
function rounded(bytes: Uint8Array, bits: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const levels = 2 ** (bits - 1) - 1;
  for (const { type, shape, offset, count } of readGguf(copy).tensors.values()) {
    if (type !== "F16") continue;
    const view = new DataView(copy.buffer, copy.byteOffset + offset, 2 * count);
    const width = shape[0] as number;
    for (let row = 0; row < count; row += width) {
      let largest = 0;
      for (let i = row; i < row + width; i++)
        largest = Math.max(largest, Math.abs(fromHalf(view.getUint16(2 * i, true))));
      const step = largest / levels || 1;
      for (let i = row; i < row + width; i++) {
        const value = fromHalf(view.getUint16(2 * i, true));
        view.setUint16(2 * i, toHalf(step * Math.round(value / step)), true);
      }
    }
  }
  return copy;
}

const made = new Map<string, Model>();

function modelOf(name: Name, bits: number): Model {
  const known = made.get(`${name} ${bits}`);
  if (known) return known;
  const bytes = readFileSync(shippedModels.find((one) => one.name === name)?.path ?? "");
  const model = llamaJs(bits === 16 ? bytes : rounded(bytes, bits), { id: `${name} of ${bits} bits` });
  made.set(`${name} ${bits}`, model);
  return model;
}

const n = 4;

const answers: Measurement<Row> = {
  name: "quantisation",
  units: { full: 160, quick: 1 },
  async measure(unit) {
    const problem = problemOf(countdown, unit);
    const answer = countdown.solve(problem, fold(fold(key(1), "quantisation"), unit)) ?? "";
    const measured = async (name: Name, bits: number): Promise<At> => {
      const model = modelOf(name, bits);
      const { signal } = new AbortController();
      const scored = await model.scoreText?.({ prompt: problem.prompt, text: "" }, answer, { end: true, signal });
      const samples = await drawn(model, countdown, problem, { n, seed: 6 });
      return {
        loss: -mean(scored?.logProbs ?? []),
        right: mean(samples.map(({ right }) => Number(right))),
        tokens: total(samples.map(({ tokens }) => tokens)) + (scored?.logProbs.length ?? 0),
      };
    };
    const row = { sapling: [] as At[], seedling: [] as At[] };
    for (const name of names) for (const bits of widths) row[name].push(await measured(name, bits));
    return row;
  },
};

export const quantisation: Phenomenon = {
  name: "quantisation",
  title: "Rounding weights costs more the more tokens a parameter has seen",
  claim:
    "The loss that rounding a trained model's weights adds falls exponentially with the number of bits, grows with the number of training tokens, and falls with the number of parameters.",
  source: "Kumar et al. 2024, Scaling Laws for Precision",
  arxiv: "2411.04330",
  method:
    "Every matrix of sapling (150 training tokens a parameter) and of seedling (457) rounded to b bits, to the nearest, each row by its largest entry; norms and activations stay. Loss: −log p a token of a right answer to each of 160 countdown problems.",
  rule: "Sapling: the loss added at 3 bits exceeds that at 6 bits by more than 0.05 nats a token. Between the two: at 4 bits seedling, which has seen more tokens a parameter, loses more than sapling.",
  remark:
    "The second effect is what the claim foretells, but does not test what is new in it: seedling has seen fewer tokens in all (12 million to 31), and more of them a parameter only because it is smaller. That small models are more fragile would explain it as well. Checkpoints of one model along its training would tell; none are shipped.",
  measurements: [answers],
  conclude(rows) {
    const all = rows(answers);
    const at = (row: Row, name: Name, bits: number): At => row[name][widths.indexOf(bits)] as At;
    const added = (row: Row, name: Name, bits: number): number => at(row, name, bits).loss - at(row, name, 16).loss;
    const over = (of: (row: Row) => number): Estimate => bootstrapMean(all.map(of), { fewest });
    const steep = over((row) => added(row, "sapling", 3) - added(row, "sapling", 6));
    const more = over((row) => added(row, "seedling", 4) - added(row, "sapling", 4));
    const nats = (estimate: Estimate): string => shown(estimate, fixed(3));
    const loss = (name: Name, bits: number): string => nats(over((row) => added(row, name, bits)));
    const right = (name: Name, bits: number): number[] => all.map((row) => at(row, name, bits).right);
    const few = widths.filter((bits) => bits < 16);
    const points = (of: (name: Name, bits: number) => Estimate): Point[] =>
      names.flatMap((name) => few.map((bits) => point(name, bits, of(name, bits))));
    const x = { label: "bits a weight" };
    return {
      effects: [
        judged("sapling", "added loss at 3 bits less that at 6, sapling", steep, {
          unit: "nats a token",
          margin: 0.05,
        }),
        judged("sapling", "added loss at 4 bits, seedling less sapling", more, { unit: "nats a token" }),
      ],
      statement: `At 8 bits sapling loses ${loss("sapling", 8)} nats a token, at 4 bits ${loss("sapling", 4)}, at 3 bits ${loss("sapling", 3)}. Seedling loses ${loss("seedling", 4)} at 4 bits, and has seen ${Math.round(tokensPerParameter.seedling)} tokens a parameter to sapling's ${Math.round(tokensPerParameter.sapling)}. Sapling's pass@1 is ${shown(shareOver(right("sapling", 16)))} percent as it is, ${shown(shareOver(right("sapling", 4)))} at 4 bits; the paired difference is ${shown(meanOver(minus(right("sapling", 4), right("sapling", 16))))} points.`,
      table: {
        head: ["bits", "added loss, sapling", "added loss, seedling", "pass@1, sapling", "pass@1, seedling"],
        rows: widths.map((bits) => [
          bits === 16 ? "16, as shipped" : String(bits),
          ...names.map((name) => (bits === 16 ? "0" : loss(name, bits))),
          ...names.map((name) => shown(shareOver(right(name, bits)))),
        ]),
      },
      panels: [
        curves(
          "Loss that rounding adds, where surely above 0",
          x,
          { label: "nats a token", log: true },
          points((name, bits) => over((row) => added(row, name, bits))).filter(({ low = 0 }) => low > 0),
        ),
        curves(
          "Countdown, one sample",
          x,
          { label: "right", percent: true },
          points((name, bits) => shareOver(right(name, bits))),
        ),
      ],
      units: `${all.length} problems, ${n} samples at ${widths.length} widths of two models, one seed`,
      tokens: total(all.flatMap((row) => names.flatMap((name) => row[name].map(({ tokens }) => tokens)))),
    };
  },
};
