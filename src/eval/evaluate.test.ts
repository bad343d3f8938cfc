import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { limits } from "../budget.ts";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import type { Model } from "../model.ts";
import { type ScriptedRequest, scripted } from "../models/scripted.ts";
import { type TextState, text } from "../policies/text.ts";
import type { CandidateRecord, EvaluationRecord, RunRecord } from "../record.ts";
import { openStore } from "../runs/store/index.ts";
import { sample } from "../search/index.ts";
import { countdown } from "../tasks/index.ts";
import { evaluate, type EvaluateEvent, type EvaluateOptions } from "./evaluate.ts";
import { type EvaluationOptions, readEvaluation } from "./evaluation.ts";
import { optionsFrom } from "./load.ts";

const folder = mkdtempSync(join(tmpdir(), "ponderosa-evaluate-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = (ending = ".db"): string => join(folder, `${files++}${ending}`);

/** Right once in four times, by seed and prompt. */
function answer({ seed, prompt }: ScriptedRequest) {
  const problem = countdown.parse(String(prompt).trim());
  const stream = random(fold(key(seed), String(prompt)));
  const text = stream.uniform() < 0.25 ? countdown.solve(problem, key(0)) : undefined;
  return { text: text ?? `1+1=${stream.integer(9)};5\n`, logProb: -3 - stream.uniform() };
}

/** Counts what it is asked. */
function standIn(
  replies: (request: ScriptedRequest) => ReturnType<typeof answer> | { failure: "unavailable" } = answer,
) {
  const asked: string[] = [];
  const model = scripted({
    id: "stand-in",
    capabilities: { messages: false, logProbs: true },
    replies(request) {
      asked.push(`${request.prompt} ${request.seed} ${request.sampling.temperature}`);
      return replies(request);
    },
  });
  return { model, asked };
}

const base = {
  task: "countdown",
  methods: ["greedy", "majority:4", "best-of-n:6"],
  budgets: [150, "calls=3", {}],
  problems: 5,
  seeds: 2,
} as const satisfies EvaluationOptions;

interface Kept {
  readonly record: EvaluationRecord;
  readonly runs: readonly RunRecord[];
  readonly candidates: readonly CandidateRecord[];
  readonly events: readonly EvaluateEvent[];
}

async function evaluated(
  given: EvaluationOptions,
  { store = fresh(), ...options }: Partial<EvaluateOptions> = {},
): Promise<Kept> {
  const events: EvaluateEvent[] = [];
  const { record } = await evaluate(readEvaluation(given), { store, onEvent: (one) => events.push(one), ...options });
  await using kept = await openStore(store);
  const runs = await kept.runs({ evaluation: record.id });
  const candidates: CandidateRecord[] = [];
  for await (const one of kept.candidates({ evaluation: record.id })) candidates.push(one);
  const inOrder = <T extends { id?: string; run?: string }>(all: T[]): T[] =>
    all.sort((a, b) => ((a.id ?? a.run ?? "") < (b.id ?? b.run ?? "") ? -1 : 1));
  return { record, runs: inOrder([...runs]), candidates: inOrder(candidates), events };
}

const timeless = ({ runs, candidates }: Kept) => ({
  runs: runs.map(({ spent, paid: _, ...run }) => ({ ...run, spent: { ...spent, seconds: 0 } })),
  candidates,
});

const withModel = (model: Model) => ({ ...base, model: () => model });

describe("an evaluation", () => {
  test("has a record for every method, budget, problem and seed, baselines among them, none over its budget", async () => {
    const { model } = standIn();
    const { record, runs } = await evaluated(withModel(model));
    expect(record.methods).toEqual(["sample:1", "greedy", "majority:4", "best-of-n:6"]);
    expect(runs).toHaveLength(4 * 3 * 5 * 2);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
    expect(record.finishedAt).not.toBeNull();
    for (const { budget, spent } of runs)
      for (const limit of limits) {
        const most = record.budgets[budget]?.[limit];
        if (most !== undefined) expect(limit === "dollars" ? 0 : spent[limit]).toBeLessThanOrEqual(most);
      }
    expect(runs.some(({ denied }) => denied > 0)).toBe(true);
    expect(runs.filter(({ correct }) => correct).length).toBeGreaterThan(10);
  });

  test("pays for shared draws once: best-of-6 chooses among the votes of majority-of-4 and two more", async () => {
    const { model, asked } = standIn();
    const { runs, candidates } = await evaluated({ ...withModel(model), budgets: [{}], baselines: false, seeds: 1 });
    expect(asked.length).toBe(5 * (1 + 6));
    expect(new Set(asked).size).toBe(asked.length);
    for (const problem of new Set(runs.map((run) => run.problem))) {
      const textsOf = (method: string) => {
        const run = runs.find((one) => one.problem === problem && one.method === method) as RunRecord;
        return { run, texts: candidates.filter((one) => one.run === run.id).map(({ text }) => text) };
      };
      const [vote, best] = [textsOf("majority:4"), textsOf("best-of-n:6")];
      expect(vote.texts).toHaveLength(4);
      expect(best.texts.slice(0, 4)).toEqual(vote.texts);
      expect(best.run.spent.calls).toBe(6);
      expect(best.run.paid.calls).toBe(2);
    }
  });

  test("keeps every finished answer with its verdict and its last scores", async () => {
    const { model } = standIn();
    const { runs, candidates } = await evaluated({ ...withModel(model), budgets: [{}] });
    const best = runs.filter(({ method }) => method === "best-of-n:6");
    for (const run of best) {
      const own = candidates.filter((one) => one.run === run.id);
      expect(own).toHaveLength(6);
      for (const { correct, scores } of own) expect(scores).toEqual({ "verifier:countdown": correct ? 1 : 0 });
      expect(run.correct).toBe(own.some(({ correct }) => correct));
    }
  });

  test("levels are taken in turn", async () => {
    const { model } = standIn();
    const levels = Object.keys(countdown.levels);
    const { record } = await evaluated({
      ...withModel(model),
      task: { name: "countdown", levels },
      methods: ["greedy"],
      budgets: [{}],
      seeds: 1,
      baselines: false,
    });
    expect(record.problems.map(({ level }) => level)).toEqual(record.problems.map((_, i) => levels[i % levels.length]));
  });

  test("an unsupported method is refused before anything is spent, an unsupported baseline is left out and said", async () => {
    const { model, asked } = standIn();
    await expect(evaluated({ ...withModel(model), methods: ["particle-filter:4"] })).rejects.toThrow(
      "needs next-token distributions, which stand-in does not give",
    );
    expect(asked).toEqual([]);
  });
});

test("a defect of a method ends the evaluation, and nothing goes on behind its back", async () => {
  const { model, asked } = standIn();
  let made = 0;
  const make = () => {
    if (++made === 4) throw new TypeError("a defect");
    return { search: sample<TextState>(), policy: text(model) };
  };
  const given = { ...withModel(model), methods: [{ label: "mine", make }], baselines: false };
  await expect(evaluated(given)).rejects.toThrow("a defect");
  const before = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(asked.length).toBe(before);
});

describe("going on", () => {
  test("after an interruption nothing is asked again, and the records are those of one that was left alone", async () => {
    const alone = await evaluated(withModel(standIn().model));
    const { model, asked } = standIn();
    const store = fresh();
    for (let rounds = 0; ; rounds++) {
      const stopping = new AbortController();
      let runs = 0;
      const { record } = await evaluated(withModel(model), {
        store,
        signal: stopping.signal,
        onEvent: ({ type }) => type === "run" && ++runs === 12 && stopping.abort(),
      });
      if (record.finishedAt === null) continue;
      expect(rounds).toBeGreaterThan(3);
      break;
    }
    const again = await evaluated(withModel(model), { store });
    expect(timeless(again)).toEqual(timeless(alone));
    expect(again.events.map(({ type }) => type)).toEqual(["begin"]);
    const before = asked.length;
    await evaluated(withModel(model), { store });
    expect(asked.length).toBe(before);
  });

  test("another configuration is refused with the difference, and taken under another name", async () => {
    const store = fresh();
    const { model } = standIn();
    const one = { ...withModel(model), name: "one" };
    await evaluated(one, { store });
    await expect(evaluated({ ...one, seeds: 3 }, { store })).rejects.toThrow(
      `Cannot go on with "one" as 'seeds' was 2 and is 3 now: give the new evaluation another name`,
    );
    await expect(evaluated({ ...one, methods: ["greedy"] }, { store })).rejects.toThrow("'methods' was [");
    const two = await evaluated({ ...one, name: "two", seeds: 3 }, { store });
    expect(two.runs).toHaveLength(4 * 3 * 5 * 3);
    // What the first one paid for is not paid again.
    expect(two.runs.filter(({ seed }) => seed < 2).every(({ paid }) => paid.calls === 0)).toBe(true);
  });

  test("runs that failed are kept apart, and run again where that is wished for", async () => {
    let isDown = true;
    const { model } = standIn((request) =>
      isDown && request.seed % 3 > 0 ? { failure: "unavailable" } : answer(request),
    );
    const store = fresh();
    const down = await evaluated({ ...withModel(model), budgets: [{}] }, { store });
    const lost = down.runs.filter(({ stopped }) => stopped.why === "all-failed");
    expect(lost.length).toBeGreaterThan(0);
    for (const run of lost) {
      expect(run).toMatchObject({ answer: null, correct: false, failure: { code: "unavailable" } });
      expect(run.failedSamples).toBeGreaterThan(0);
    }
    expect(down.record.finishedAt).not.toBeNull();
    isDown = false;
    const same = await evaluated({ ...withModel(model), budgets: [{}] }, { store });
    expect(timeless(same)).toEqual(timeless(down));
    // Interrupted before the first of them is run again, it is no longer finished.
    const none = { store, retryFailed: true, signal: AbortSignal.abort() };
    expect((await evaluated({ ...withModel(model), budgets: [{}] }, none)).record.finishedAt).toBeNull();
    const up = await evaluated({ ...withModel(model), budgets: [{}] }, { store, retryFailed: true });
    const alone = await evaluated({ ...withModel(standIn().model), budgets: [{}] });
    expect(timeless(up)).toEqual(timeless(alone));
  });
});

test("of a problem without a reference nobody can tell whether an answer is right", async () => {
  const file = fresh(".jsonl");
  writeFileSync(file, '{"prompt": "Two and two?", "reference": "4", "checker": "number"}\n{"prompt": "Why?"}\n');
  const { runs, record } = await evaluated({
    task: { file },
    methods: ["majority:2"],
    baselines: false,
    model: () => scripted({ replies: ["Answer: 4"] }),
  });
  expect(runs.map(({ correct, canonical }) => [correct, canonical])).toEqual([[true, "4"], [null, "4"]]); // biome-ignore format: a table
  expect(record.finishedAt).not.toBeNull();
});

describe("workers", () => {
  const options = {
    task: "countdown",
    methods: ["greedy", "majority:8", "best-of-n:8", "particle-filter:8"],
    budgets: [120, 600],
    problems: 2,
    seeds: 2,
  };

  test("one or two give the same records", { timeout: 60_000 }, async () => {
    const one = await evaluated(options);
    const two = await evaluated(options, { workers: 2, origin: { options } });
    expect(timeless(two)).toEqual(timeless(one));
    expect(two.record.parameters).toBe(204_544); // of sapling
    for (const { budget, spent } of two.runs) expect(spent.tokens).toBeLessThanOrEqual([120, 600][budget] as number);
  });

  test("one that dies is said and replaced; a group that ends two is given up, and the others are run", {
    timeout: 60_000,
  }, async () => {
    const [file, ill] = [fresh(".ts"), fresh(".json")];
    const source = join(import.meta.dirname, "..");
    // Its method ends the workers that run it on some problems: `always`, or `once`.
    writeFileSync(
      file,
      `import { readFileSync, writeFileSync } from "node:fs";
      import { workerData } from "node:worker_threads";
      import { text } from "${source}/policies/text.ts";
      import { sample } from "${source}/search/index.ts";
      const ill = ${JSON.stringify(ill)};
      const make = ({ model, problem: { id } }: any) => {
        const { always, once } = workerData?.origin ? JSON.parse(readFileSync(ill, "utf8")) : {};
        if (id === once) writeFileSync(ill, JSON.stringify({ always }));
        if (id === once || id === always) process.exit(7);
        return { search: sample(), policy: text(model, { maxTokens: 60 }) };
      };
      export default { task: "countdown", problems: 5, methods: [{ label: "mine", make }], baselines: false };`,
    );
    const origin = { file, options: {} };
    const given = (await optionsFrom(origin)) as unknown as EvaluationOptions;
    const alone = await evaluated(given, { origin });
    const [once, always] = [alone.runs[1]?.problem, alone.runs[3]?.problem];
    writeFileSync(ill, JSON.stringify({ once, always }));
    const [store, deaths] = [fresh(), [] as EvaluateEvent[]];
    const onEvent = (event: EvaluateEvent) => event.type === "worker-died" && deaths.push(event);
    await expect(evaluated(given, { store, origin, workers: 2, concurrency: 1, onEvent })).rejects.toThrow(
      `Cannot finish as 1 group of runs has ended two workers each, the first with problem ${always}`,
    );
    expect(deaths).toHaveLength(3);
    await using kept = await openStore(store);
    const [record] = await kept.evaluations();
    expect(record?.finishedAt).toBeNull();
    const runs = [...(await kept.runs({ evaluation: record?.id as string }))].sort((a, b) => (a.id < b.id ? -1 : 1));
    const others = alone.runs.filter(({ problem }) => problem !== always);
    expect(timeless({ ...alone, runs })).toEqual(timeless({ ...alone, runs: others }));
  });
});
