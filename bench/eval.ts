/**
 * What an evaluation costs beyond its model: one and the same generation by a bare loop and by `evaluate`, in turns.
 *
 *     npx node bench/eval.ts [--problems 500] [--samples 32] [--rounds 5] [--workers 2]
 *
 * Both draw the samples of countdown problems from sapling, eight problems at a time, and check every answer once: that is the
 * method's own work. The evaluation does it as best-of-n and keeps all: store, ledger, records, candidates. Times are of the
 * processor, user and system, of the whole process, so that what else the machine does weighs little; a round is its share of
 * the problems. The bar: a ratio of at most 1.03. Then one more round by workers: how busy the cores were, starts included. On two
 * cores with nothing else to do all of it takes some three minutes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { evaluate } from "../src/eval/evaluate.ts";
import { readEvaluation } from "../src/eval/evaluation.ts";
import { runKey } from "../src/eval/plan.ts";
import { questionsOf } from "../src/eval/problems.ts";
import { fold, seedOf } from "../src/key.ts";
import { openModel } from "../src/open-model.ts";
import { isRightAnswer, type Task } from "../src/task.ts";

const { values } = parseArgs({
  options: {
    problems: { type: "string", default: "500" },
    samples: { type: "string", default: "32" },
    rounds: { type: "string", default: "5" },
    workers: { type: "string", default: String(availableParallelism()) },
  },
});
const [samples, rounds, workers] = [values.samples, values.rounds, values.workers].map(Number) as [
  number,
  number,
  number,
];
const problems = Math.ceil(Number(values.problems) / rounds);
const folder = mkdtempSync(join(tmpdir(), "ponderosa-bench-"));

/** Enough for the code to be compiled. */
const warmUp = Math.min(problems, 16);

const optionsOf = (round: number) => ({
  task: "countdown",
  methods: [`best-of-n:${samples}`],
  problems: round === rounds ? warmUp : problems,
  key: round,
  baselines: false,
});

interface Measured {
  /** Of the processor. */
  readonly cpu: number;
  readonly wall: number;
  readonly tokens: number;
}

async function measured(act: () => Promise<number>): Promise<Measured> {
  const [startedAt, used] = [performance.now(), process.cpuUsage()];
  const tokens = await act();
  const { user, system } = process.cpuUsage(used);
  return { cpu: (user + system) / 1e6, wall: (performance.now() - startedAt) / 1000, tokens };
}

const bare = (round: number): Promise<Measured> =>
  measured(async () => {
    const model = await openModel("sapling");
    const { problems: asked, task } = await questionsOf(readEvaluation(optionsOf(round)), model);
    let tokens = 0;
    const queue = asked.values();
    const lane = async () => {
      for (const { problem } of queue) {
        const place = runKey(round, problem.id, 0);
        const seeds = Array.from({ length: samples }, (_, i) => seedOf(fold(place, i)));
        const prefix = { prompt: problem.prompt, text: "" };
        const { signal } = new AbortController();
        for await (const part of model.generate({ prefix, seeds, maxTokens: 100, sampling: {}, signal })) {
          if (part.type !== "completion") continue;
          tokens += part.completion.length;
          isRightAnswer(task as Task, problem, part.completion.text);
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    return tokens;
  });

const evaluated = (round: number, threads: number): Promise<Measured> =>
  measured(async () => {
    const options = optionsOf(round);
    let tokens = 0;
    await evaluate(readEvaluation(options), {
      store: join(folder, `${round}-${threads}.db`),
      origin: { options },
      workers: threads,
      onEvent: (event) => event.type === "run" && (tokens += event.run.spent.tokens),
    });
    return tokens;
  });

const tell = (name: string, { cpu, wall, tokens }: Measured) =>
  console.log(
    `  ${name.padEnd(12)} ${cpu.toFixed(2).padStart(7)} s of the processor, ${wall.toFixed(2).padStart(7)} s, ${Math.round(tokens / cpu)} tokens per processor second`,
  );

await evaluated(rounds, 1);
await bare(rounds);
const pairs: [Measured, Measured][] = [];
for (let round = 0; round < rounds; round++) {
  console.log(`round ${round + 1}: ${problems} problems × ${samples} samples`);
  const inOrder = round % 2 === 0;
  const first = inOrder ? await bare(round) : await evaluated(round, 1);
  const second = inOrder ? await evaluated(round, 1) : await bare(round);
  const pair: [Measured, Measured] = inOrder ? [first, second] : [second, first];
  tell("bare", pair[0]);
  tell("evaluate", pair[1]);
  pairs.push(pair);
}
const perToken = ({ cpu, tokens }: Measured): number => cpu / tokens;
const ratios = pairs.map(([alone, kept]) => perToken(kept) / perToken(alone)).sort((a, b) => a - b);
const median = ratios[Math.floor(ratios.length / 2)] as number;
const least = (of: 0 | 1): number => Math.min(...pairs.map((pair) => perToken(pair[of])));
const ratio = least(1) / least(0); // what else the machine does only ever adds
console.log(
  `evaluate over bare, a token: ${ratio.toFixed(3)} by the quickest round of each, median ${median.toFixed(3)} (${ratios.map((one) => one.toFixed(3)).join(", ")})`,
);

const crew = await evaluated(rounds + 1, workers);
tell(`${workers} workers`, crew);
const busy = crew.cpu / crew.wall;
console.log(`${busy.toFixed(2)} of ${availableParallelism()} cores busy`);
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({ bench: "eval", problems: problems * rounds, samples, ratio, median, ratios, workers, busy }),
);
