/**
 * Policies on identical samples: what stopping, pruning and cascades save, out of pools that were recorded once.
 *
 *     ponderosa pool --problems 500 --samples 64 --steps line --scorers value-token --out sapling.jsonl.gz
 *     ponderosa pool --problems 500 --samples 64 --steps line --scorers value-token --model seedling --out seedling.jsonl.gz
 *     npx node bench/pools.ts --pool sapling.jsonl.gz --small seedling.jsonl.gz [--orders 1] [--tokens 600] [--only value | matched | cascade …]
 *
 * 1. Tokens at no loss: each kind of policy against 64 samples by the same knowledge. Its setting is the cheapest that was no worse
 *    on one half of the problems, and is judged on the other half; then the halves change places.
 * 2. Every policy with the same tokens.
 * 3. A cascade, seedling before sapling, against sapling alone; cost is 2 FLOPs a parameter a token.
 *
 * `--only` takes one part: of the first table what knows the verifier, the value or votes; or one of the other tables.
 *
 * A token is one that was generated, or one reading of the model for a score. Every problem is run in several orders of its
 * samples; the unit of every interval is the problem (BCa bootstrap, paired), the orders of one are averaged.
 */
import { parseArgs } from "node:util";
import { evaluateCascade, fitCascade, type StageRecord } from "../src/allocate/index.ts";
import type { Budget } from "../src/budget.ts";
import { fold, key } from "../src/key.ts";
import { bootstrap } from "../src/measure/bootstrap.ts";
import type { Estimate } from "../src/measure/estimate.ts";
import { replay, type ReplayState } from "../src/policies/replay.ts";
import type { PoolProblem } from "../src/pool.ts";
import { run } from "../src/run.ts";
import { readPool } from "../src/runs/pool.ts";
import { likelihood } from "../src/scorers/likelihood.ts";
import { replayScores } from "../src/scorers/replay.ts";
import { rankOf } from "../src/scorer.ts";
import { mean } from "./mean.ts";
import { cascades, matched, type Setting, studies } from "./pool-rows.ts";

const { values } = parseArgs({
  options: {
    pool: { type: "string", default: "sapling.jsonl.gz" },
    small: { type: "string", default: "seedling.jsonl.gz" },
    orders: { type: "string", default: "1" },
    tokens: { type: "string", default: "600" },
    only: { type: "string" },
  },
});
const orders = Number(values.orders);
const wanted = (part: string): boolean => values.only === undefined || values.only === part;

/** [problems] means over orders. */
interface Figures {
  readonly right: readonly number[];
  readonly tokens: readonly number[];
}

function scorerOf(problem: PoolProblem, name: NonNullable<Setting["scorer"]>) {
  if (name === "likelihood") return likelihood<ReplayState>();
  const recorded = Object.keys(problem.samples[0]?.scores ?? {}).find((one) => one.startsWith(`${name}:`));
  return replayScores<ReplayState>(problem, recorded ?? name);
}

interface Trial {
  readonly right: boolean;
  /** Of the answer; below all scores where there is none. */
  readonly score: number;
  readonly tokens: number;
}

/** [orders] */
async function trials(setting: Setting, recorded: PoolProblem, budget: Budget = {}): Promise<Trial[]> {
  const all: Trial[] = [];
  for (let order = 0; order < orders; order++) {
    const { answer, spent } = await run(setting.search(recorded), recorded.problem, {
      policy: replay(recorded, { step: setting.step, order: fold(key(order), recorded.problem.id) }),
      scorer: setting.scorer && scorerOf(recorded, setting.scorer),
      budget,
      concurrency: 64,
    });
    const { sample } = answer?.state ?? {};
    all.push({
      right: sample !== undefined && recorded.samples[sample]?.correct === true,
      score: answer?.score ? rankOf(answer.score) : -1,
      tokens: spent.tokens,
    });
  }
  return all;
}

async function figuresOf(setting: Setting, problems: readonly PoolProblem[], budget: Budget = {}): Promise<Figures> {
  const figures = { right: [] as number[], tokens: [] as number[] };
  for (const recorded of problems) {
    const all = await trials(setting, recorded, budget);
    figures.right.push(mean(all.map(({ right }) => Number(right))));
    figures.tokens.push(mean(all.map(({ tokens }) => tokens)));
  }
  return figures;
}

const number = (value: number | undefined, digits: number) =>
  value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
function shown(estimate: Estimate, scale: number, digits: number): string {
  const told = (one: number | undefined) => number(one === undefined ? undefined : scale * one, digits);
  if (estimate.low === undefined) return told(estimate.value);
  return `${told(estimate.value)} (${told(estimate.low)} to ${told(estimate.high)})`;
}
const share = ({ right }: Figures): Estimate => bootstrap(right.length, (counts) => mean(right, counts));
const gain = (one: Figures, base: Figures): Estimate =>
  bootstrap(one.right.length, (counts) => mean(one.right, counts) - mean(base.right, counts));
const ratio = (one: readonly number[], base: readonly number[]): Estimate =>
  bootstrap(one.length, (counts) => mean(one, counts) / mean(base, counts));

const at = (indices: readonly number[], { right, tokens }: Figures): Figures => ({
  right: indices.map((i) => right[i] as number),
  tokens: indices.map((i) => tokens[i] as number),
});

/** The cheapest setting that is no worse than the baseline on these problems; else the most accurate. */
function fitted(all: readonly Figures[], base: Figures, half: readonly number[]): number {
  const target = mean(at(half, base).right);
  const learned = all.map((one, i) => ({ i, right: mean(at(half, one).right), tokens: mean(at(half, one).tokens) }));
  const good = learned.filter(({ right }) => right >= target - 1e-12);
  const [best] = good.length > 0 ? good.sort((a, b) => a.tokens - b.tokens) : learned.sort((a, b) => b.right - a.right);
  return best?.i ?? 0;
}

const { problems, policy } = await readPool(values.pool);
const halves = [0, 1].map((parity) => problems.flatMap((_, i) => (i % 2 === parity ? [i] : [])));
const [even = [], odd = []] = halves;
console.log(`${policy}: ${problems.length} problems, ${problems[0]?.samples.length} samples, ${orders} orders\n`);
console.log(
  "| knows | policy | setting (each half) | right | less 64 samples | tokens | share of the tokens |\n|---|---|---|---|---|---|---|",
);
const settled = (all: readonly Figures[], choose: readonly number[]): Figures => ({
  right: problems.map((_, i) => all[choose[i % 2] as number]?.right[i] as number),
  tokens: problems.map((_, i) => all[choose[i % 2] as number]?.tokens[i] as number),
});
for (const { knows, baseline, kinds } of studies) {
  if (!wanted(knows)) continue;
  const base = await figuresOf(baseline, problems);
  console.log(
    `| ${knows} | ${baseline.label} | – | ${shown(share(base), 100, 1)} | – | ${number(mean(base.tokens), 0)} | 1 |`,
  );
  for (const { name, settings } of kinds) {
    const all: Figures[] = [];
    for (const setting of settings) all.push(await figuresOf(setting, problems));
    const choose = [fitted(all, base, odd), fitted(all, base, even)]; // for even ones learned on odd ones
    const judged = settled(all, choose);
    const chosen = [...new Set(choose)].map((i) => settings[i]?.label).join("; ");
    console.log(
      `| | ${name} | ${chosen} | ${shown(share(judged), 100, 1)} | ${shown(gain(judged, base), 100, 1)} | ${number(mean(judged.tokens), 0)} | ${shown(ratio(judged.tokens, base.tokens), 1, 3)} |`,
    );
  }
}

async function compareAtOneBudget(): Promise<void> {
  console.log(
    `\nWith ${values.tokens} tokens\n\n| knows | policy | right | less best of n by the same | tokens |\n|---|---|---|---|---|`,
  );
  const plain = new Map<string, Figures>();
  const rows: { knows: string; name: string; figures: Figures }[] = [];
  for (const [knows, name, setting] of matched) {
    const figures = await figuresOf(setting, problems, { tokens: Number(values.tokens) });
    rows.push({ knows, name, figures });
    if (name.startsWith("best of n") || name === "majority") plain.set(knows, figures);
  }
  for (const { knows, name, figures } of rows) {
    const base = plain.get(knows) as Figures;
    console.log(
      `| ${knows} | ${name} | ${shown(share(figures), 100, 1)} | ${base === figures ? "–" : shown(gain(figures, base), 100, 1)} | ${number(mean(figures.tokens), 0)} |`,
    );
  }
}
if (wanted("matched")) await compareAtOneBudget();

// A cascade: what each model did on each problem in each order, and what it cost.
const parameters = { sapling: 204_544, seedling: 26_880 }; // sapling/README.md
const flops = (model: keyof typeof parameters, tokens: number): number => 2 * parameters[model] * tokens;

/** [problems][orders]; `score`: of the answer. */
async function stage(
  model: keyof typeof parameters,
  setting: Setting,
  recordings: readonly PoolProblem[],
): Promise<StageRecord[][]> {
  const all: StageRecord[][] = [];
  for (const recorded of recordings) {
    const own = await trials(setting, recorded);
    all.push(own.map(({ score, right, tokens }) => ({ score, right, cost: flops(model, tokens) })));
  }
  return all;
}

async function compareCascades(): Promise<void> {
  console.log(
    "\nSeedling before sapling, in FLOPs\n\n| knows | sapling alone | right | cascade (each half) | right | less | share of the FLOPs |\n|---|---|---|---|---|---|---|",
  );
  const small = new Map((await readPool(values.small)).problems.map((one) => [one.problem.id, one]));
  const smaller = problems.map(({ problem: { id } }) => {
    const found = small.get(id);
    if (!found) throw new Error(`The pool of seedling has no '${id}': record both with one seed`);
    return found;
  });
  for (const { knows, alone, seconds, firsts } of cascades) {
    const dear = await stage("sapling", alone, problems);
    const base: Figures = {
      right: dear.map((all) => mean(all.map(({ right }) => Number(right)))),
      tokens: dear.map((all) => mean(all.map(({ cost }) => cost))),
    };
    const fits: { label: string; threshold: number; cost: number; records: StageRecord[][][] }[][] = [[], []];
    const cheap: StageRecord[][][] = [];
    for (const first of firsts) cheap.push(await stage("seedling", first, smaller));
    for (const second of seconds) {
      const large = await stage("sapling", second, problems);
      for (const [f, first] of firsts.entries()) {
        const records = problems.map((_, i) =>
          (large[i] as StageRecord[]).map((one, j) => [cheap[f]?.[i]?.[j] as StageRecord, one]),
        );
        for (const [parity, half] of [odd, even].entries()) {
          const learned = half.flatMap((i) => records[i] as StageRecord[][]);
          const target = at(half, base);
          // The least budget at which it is as accurate as sapling alone.
          for (let share = 0.05; share <= 1.5; share += 0.05) {
            const cascade = fitCascade(learned, { budget: share * mean(target.tokens), levels: 40 });
            if (!cascade || cascade.accuracy < mean(target.right) - 1e-12 || cascade.steps.length < 2) continue;
            const [threshold, cost] = [cascade.steps[0]?.threshold as number, cascade.cost];
            fits[parity]?.push({ label: `${first.label}, then ${second.label}`, threshold, cost, records });
            break;
          }
        }
      }
    }
    const chosen = fits.map((all) => all.sort((a, b) => a.cost - b.cost)[0]); // for even problems learned on odd ones
    const figures = problems.map((_, i) => {
      const fit = chosen[i % 2];
      if (!fit) return { accuracy: base.right[i] as number, cost: base.tokens[i] as number };
      return evaluateCascade(fit.records[i] as StageRecord[][], [
        { stage: 0, threshold: fit.threshold },
        { stage: 1, threshold: Number.NEGATIVE_INFINITY },
      ]);
    });
    const both: Figures = { right: figures.map(({ accuracy }) => accuracy), tokens: figures.map(({ cost }) => cost) };
    const labels = chosen.map((fit) =>
      fit ? `${fit.label}, accepted from ${fit.threshold.toFixed(2)}` : "none that is as good is cheaper",
    );
    console.log(
      `| ${knows} | ${alone.label} | ${shown(share(base), 100, 1)} | ${[...new Set(labels)].join("; ")} | ${shown(share(both), 100, 1)} | ${shown(gain(both, base), 100, 1)} | ${shown(ratio(both.tokens, base.tokens), 1, 3)} |`,
    );
  }
}

if (wanted("cascade")) await compareCascades();
