/**
 * What keeping costs: a million candidates in a SQLite store, statistics out of them, and the ledger by the sample.
 *
 *     npx node bench/store.ts            # some minutes; CANDIDATES=100000 for a look
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cost, noCost } from "../src/budget.ts";
import { fold, key } from "../src/key.ts";
import { random } from "../src/math/random.ts";
import { curve, pairedDifference, passAtK } from "../src/measure/index.ts";
import { ledgered } from "../src/models/ledgered.ts";
import { openLlamaJs } from "../src/models/llama-js/index.ts";
import type { Completion, Model } from "../src/model.ts";
import { shippedModels } from "../src/open-model.ts";
import type { EvaluationRecord } from "../src/record.ts";
import { exportStore, type FinishedRun, openStore, type Store } from "../src/runs/store/index.ts";
import { countdown } from "../src/tasks/index.ts";

const samples = 100;
const problems = Number(process.env["CANDIDATES"] ?? 1_000_000) / samples;
const folder = mkdtempSync(join(tmpdir(), "bench-"));
const path = join(folder, "store.db");
const chance = random(1);

/** Time that other programs take away is not in it. */
function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

const seconds = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const result = await act();
  console.log(
    `${((performance.now() - start) / 1000).toFixed(2).padStart(8)} s, ${cpuSeconds(before).toFixed(2)} s of them computing: ${what}`,
  );
  return result;
};

const evaluation: EvaluationRecord = {
  id: "e",
  name: "bench",
  task: "none",
  model: "none",
  parameters: null,
  methods: ["sample"],
  budgets: [{}],
  problems: [],
  seeds: 1,
  config: null,
  versions: {},
  revision: null,
  startedAt: 0,
  finishedAt: null,
};

function finishedRun(problem: number): FinishedRun {
  const id = `e/sample/0/p${problem}/0`;
  const right = chance.uniform();
  return {
    record: {
      id,
      evaluation: "e",
      method: "sample",
      budget: 0,
      problem: `p${problem}`,
      seed: 0,
      answer: "3 * 4 + 5 = 17",
      canonical: "17",
      correct: true,
      abstained: false,
      confidence: null,
      stopped: { why: "answered" },
      spent: { ...cost({ tokens: 3000, calls: samples }), seconds: 1 },
      paid: noCost,
      failedSamples: 0,
      failedScores: 0,
      denied: 0,
      failure: null,
    },
    candidates: Array.from({ length: samples }, (_, i) => ({
      run: id,
      node: `0.${i}.0#0`,
      text: `3 * 4 = 12\n12 + ${i} = ${12 + i}`,
      canonical: String(12 + i),
      correct: chance.uniform() < right,
      logProb: -20 * chance.uniform(),
      length: 30,
      scores: { "value-token": chance.uniform() },
    })),
  };
}

const sapling = await openLlamaJs(shippedModels[0]?.path as string, { id: "sapling" });
const completion: Completion = {
  text: "3 * 4 = 12\n12 + 5 = 17",
  tokens: Array.from({ length: 23 }, (_, i) => i),
  length: 24,
  logProb: -1 / 3,
  logProposal: -1 / 3,
  finish: "end",
  cost: cost({ tokens: 24, calls: 1 }),
};

/** Microseconds of computing a sample. Each round and call has a prompt of its own. */
async function drawing(model: Model, calls: number, round: number, store?: Store): Promise<number> {
  const seeds = Array.from({ length: 64 }, (_, i) => i);
  const start = process.cpuUsage();
  for (let call = 0; call < calls; call++) {
    const problem = countdown.make(fold(key(round), call));
    const drawn: Completion[] = [];
    const signal = new AbortController().signal;
    const request = { prefix: { prompt: problem.prompt, text: "" }, seeds, maxTokens: 64, sampling: {}, signal };
    for await (const part of model.generate(request)) if (part.type === "completion") drawn.push(part.completion);
    if (!store) continue;
    const { record } = finishedRun(0);
    const id = `${model.id}/${round}/${call}`;
    const candidates = drawn.map(({ text, logProb, length }, i) => ({
      run: id,
      node: `0.${i}.0#0`,
      text,
      canonical: null,
      correct: null,
      logProb,
      length,
      scores: { "value-token": 0.5 },
    }));
    await store.save([{ record: { ...record, id }, candidates }]);
  }
  return (cpuSeconds(start) * 1e6) / calls / 64;
}

try {
  await using store = await openStore(path);
  await store.begin(evaluation);
  await seconds(
    `save ${problems * samples} candidates with a score each, 20 runs of ${samples} at a time`,
    async () => {
      for (let p = 0; p < problems; p += 20)
        await store.save(Array.from({ length: Math.min(20, problems - p) }, (_, i) => finishedRun(p + i)));
    },
  );
  await store.database.query("pragma wal_checkpoint(truncate)");
  const bytes = statSync(path).size;
  console.log(
    `${(bytes / 2 ** 20).toFixed(0).padStart(6)} MiB  the file: ${(bytes / problems / samples).toFixed(0)} bytes a candidate`,
  );
  await seconds(`runs(): ${problems}`, () => store.runs({ evaluation: "e" }));
  await seconds(`candidates(): ${problems * samples}, streamed`, async () => {
    let count = 0;
    for await (const _ of store.candidates({ evaluation: "e" })) count++;
    return count;
  });
  const before = process.resourceUsage().maxRSS;
  await seconds("exportStore: JSON Lines", () =>
    exportStore(store, "e", { format: "jsonl", to: join(folder, "e.jsonl") }),
  );
  const grown = (process.resourceUsage().maxRSS - before) / 2 ** 10;
  console.log(`${grown.toFixed(0).padStart(6)} MiB  more memory at the most while it was exported`);
  await seconds("pass@k at 8 values of k with bootstrap intervals, from the store", async () => {
    const rows = await store.database.query(
      "select count(*) as samples, sum(c.correct) as correct from runs r join candidates c on c.run = r.number join evaluations e on e.number = r.evaluation where e.id = $1 group by r.number",
      ["e"],
    );
    const tallies = rows.map(({ samples, correct }) => ({ samples: samples as number, correct: correct as number }));
    return curve(tallies, passAtK, [1, 2, 4, 8, 16, 32, 64, 100]);
  });
  const [first, second] = [0, 1].map(() => Array.from({ length: 1000 }, () => [Number(chance.uniform() < 0.5)]));
  await seconds("paired difference on 1000 problems, 10,000 resamples", async () =>
    pairedDifference(first as number[][], second as number[][], { resamples: 10_000 }),
  );

  // Drawing without and with a ledger and saving, 64 samples a call; first of a model that costs nothing, then of sapling.
  const instant: Model = {
    id: "instant",
    capabilities: { ...sapling.capabilities },
    countTokens: (text) => text.length,
    async *generate({ seeds }) {
      for (const index of seeds.keys()) yield { type: "completion", index, completion };
    },
  };
  for (const [name, model, calls] of [
    ["instant", instant, 500],
    ["sapling", sapling, 10],
  ] as const)
    for (let round = 0; round < 3; round++) {
      const plain = await drawing(model, calls, round);
      const kept = await drawing(ledgered(model, store.ledger), calls, round, store);
      const again = await drawing(ledgered(model, store.ledger), calls, round);
      const overhead = `${(kept - plain).toFixed(1)} µs (${((100 * (kept - plain)) / plain).toFixed(1)}%)`;
      console.log(
        `${name}: ${plain.toFixed(1)} µs a sample; ledger and saving add ${overhead}; out of the ledger ${again.toFixed(1)} µs`,
      );
    }
} finally {
  rmSync(folder, { recursive: true });
}
