/**
 * Many questions under one budget, and strategies by difficulty, on the identical samples of a recorded pool:
 *
 *     npx node bench/allocation.ts --pool sapling.jsonl.gz [--orders 10]
 *
 * 1. With the exact verifier, all questions together have as many tokens as k samples each: shared evenly, or by `nextQuestion`, one
 *    sample at a time. Nothing is known of a question but its failures, so that this is to stop at the first accepted answer, and to
 *    go round again among the open questions with what is left.
 * 2. Majority votes, no verifier: the number of votes by how much the first four agree (`fitByDifficulty` on one half of the questions,
 *    judged on the other, both ways), against the same number of votes for all.
 *
 * Every order of the samples is a repetition; intervals are over questions (BCa bootstrap, paired), orders of one averaged.
 */
import { parseArgs } from "node:util";
import { type DifficultyRecord, fitByDifficulty, nextQuestion, strategyFor } from "../src/allocate/index.ts";
import { fold, key } from "../src/key.ts";
import { random } from "../src/math/random.ts";
import { bootstrap } from "../src/measure/bootstrap.ts";
import type { PoolProblem, PoolSample } from "../src/pool.ts";
import { readPool } from "../src/runs/pool.ts";
import { mean } from "./mean.ts";

const { values } = parseArgs({
  options: { pool: { type: "string", default: "sapling.jsonl.gz" }, orders: { type: "string", default: "10" } },
});
const orders = Number(values.orders);
const { problems, policy } = await readPool(values.pool);
console.log(`${policy}: ${problems.length} questions, ${orders} orders of their samples\n`);

/** A question's samples in one order. */
function ordered({ samples, problem }: PoolProblem, order: number): PoolSample[] {
  const { uniform } = random(fold(fold(key(7), order), problem.id));
  return samples
    .map((sample) => ({ sample, place: uniform() }))
    .sort((a, b) => a.place - b.place)
    .map(({ sample }) => sample);
}

const points = (of: readonly number[]): string => {
  const {
    value = Number.NaN,
    low = Number.NaN,
    high = Number.NaN,
  } = bootstrap(of.length, (counts) => mean(of, counts));
  return [value, low, high].map((one) => (100 * one).toFixed(1)).join(" / ");
};
const lessThan = (own: readonly number[], base: readonly number[]): number[] =>
  own.map((value, i) => value - (base[i] as number));

interface Question {
  solved: boolean;
  failures: number;
}

/** [questions] share of the orders that solve it, drawing one sample at a time until the tokens are spent. */
function shared(budget: number): number[] {
  const solvedShare = problems.map(() => 0);
  for (let order = 0; order < orders; order++) {
    const samples = problems.map((problem) => ordered(problem, order));
    const state: Question[] = problems.map(() => ({ solved: false, failures: 0 }));
    const open = () => state.map((one, i) => ({ ...one, solved: one.solved || one.failures === samples[i]?.length }));
    let left = budget;
    for (let place = nextQuestion(open()); place !== undefined; place = nextQuestion(open())) {
      const question = state[place] as Question;
      const sample = samples[place]?.[question.failures] as PoolSample;
      if (sample.length > left) break;
      left -= sample.length;
      if (sample.correct) question.solved = true;
      else question.failures++;
    }
    for (const [i, { solved }] of state.entries()) (solvedShare[i] as number) += Number(solved) / orders;
  }
  return solvedShare;
}

console.log("| tokens of | evenly | stopping | difference |\n|---|---|---|---|");
for (const k of [1, 2, 4, 8, 16]) {
  const evenly = problems.map((problem) =>
    mean(
      Array.from({ length: orders }, (_, order) =>
        Number(
          ordered(problem, order)
            .slice(0, k)
            .some(({ correct }) => correct),
        ),
      ),
    ),
  );
  const budget = problems.reduce((sum, { samples }) => sum + k * mean(samples.map(({ length }) => length)), 0);
  const stopping = shared(budget);
  console.log(
    `| ${k} samples each | ${points(evenly)} | ${points(stopping)} | ${points(lessThan(stopping, evenly))} |`,
  );
}

const widths = [4, 8, 16, 32, 64];

/** Votes of the first samples; ties: the answer that came first. */
function winner(samples: readonly PoolSample[]): { right: boolean; share: number } {
  const votes = Map.groupBy(
    samples.filter(({ canonical }) => canonical !== null),
    ({ canonical }) => canonical,
  );
  let most: readonly PoolSample[] = [];
  for (const group of votes.values()) if (group.length > most.length) most = group;
  return { right: most[0]?.correct ?? false, share: most.length / samples.length };
}

const records = problems.map((problem) =>
  Array.from({ length: orders }, (_, order): DifficultyRecord => {
    const samples = ordered(problem, order);
    return {
      ease: winner(samples.slice(0, 4)).share,
      outcomes: widths.map((width) => ({
        quality: Number(winner(samples.slice(0, width)).right),
        cost: samples.slice(0, width).reduce((sum, { length }) => sum + length, 0),
      })),
    };
  }),
);
console.log(
  "\n| votes for all | right | tokens | by agreement of the first four | tokens | difference |\n|---|---|---|---|---|---|",
);
for (const [place, width] of [...widths.entries()].slice(1)) {
  const fixed = records.map((own) => mean(own.map(({ outcomes }) => outcomes[place]?.quality ?? 0)));
  const cost = mean(records.flatMap((own) => own.map(({ outcomes }) => outcomes[place]?.cost ?? 0)));
  const adaptive: number[] = problems.map(() => 0);
  let spent = 0;
  for (const parity of [0, 1]) {
    const half = (of: number) => records.filter((_, i) => i % 2 === of).flat();
    const fitted = fitByDifficulty(half(parity), { budget: cost });
    for (const [i, own] of records.entries()) {
      if (i % 2 === parity || !fitted) continue;
      for (const record of own) {
        const outcome = record.outcomes[strategyFor(fitted, record.ease)];
        (adaptive[i] as number) += (outcome?.quality ?? 0) / orders;
        spent += (outcome?.cost ?? 0) / orders / problems.length;
      }
    }
  }
  console.log(
    `| ${width} | ${points(fixed)} | ${cost.toFixed(0)} | ${points(adaptive)} | ${spent.toFixed(0)} | ${points(lessThan(adaptive, fixed))} |`,
  );
}
