import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Output } from "../src/cli/context.ts";
import { main } from "../src/cli/main.ts";
import { fold, key } from "../src/key.ts";
import { random } from "../src/math/random.ts";
import type { Report } from "../src/measure/report/index.ts";
import type { Model } from "../src/model.ts";
import { scripted } from "../src/models/scripted.ts";
import { openStore } from "../src/runs/store/index.ts";
import { countdown } from "../src/tasks/index.ts";

const folder = mkdtempSync(join(tmpdir(), "ponderosa-eval-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = (ending: string): string => join(folder, `${files++}${ending}`);

const standIn = (delayMs = 0): Model =>
  scripted({
    id: "stand-in",
    delayMs,
    capabilities: { messages: false, logProbs: true },
    replies({ seed, prompt }) {
      const stream = random(fold(key(seed), String(prompt)));
      if (stream.uniform() > 0.25) return { text: `1+1=${stream.integer(9)};5\n`, logProb: -5 };
      return { text: countdown.solve(countdown.parse(String(prompt).trim()), key(0)) ?? "", logProb: -3 };
    },
  });

interface World {
  readonly model?: Model;
  /** Called with what presses Ctrl-C. */
  readonly interrupt?: (press: () => void) => void;
}

async function cli(argv: readonly string[], { model = standIn(), interrupt }: World = {}) {
  const [out, err] = [sink(), sink()];
  const code = await main(argv, {
    process: { stdout: out, stderr: err, env: {} },
    readStdin: async () => undefined,
    openModel: async () => model,
    onInterrupt(handler) {
      interrupt?.(handler);
      return () => {};
    },
  });
  return { code, out: out.text(), err: err.text() };
}

function sink(): Output & { text(): string } {
  const chunks: string[] = [];
  return { write: (chunk) => void chunks.push(chunk), text: () => chunks.join("") };
}

const small =
  "--task countdown --model stand-in --methods greedy,majority:4,best-of-n:4 --budgets 200,calls=2 --problems 4 --seeds 2".split(
    " ",
  );

describe("eval", () => {
  test("runs all, shows the table, and does nothing the second time", async () => {
    const store = fresh(".db");
    const first = await cli(["eval", ...small, "--out", store]);
    expect(first.code).toBe(0);
    expect(first.err).toContain("Added to compare with: sample:1.");
    expect(first.err).toContain("4 methods × 2 budgets × 4 problems × 2 seeds = 64 runs");
    expect(first.err).toMatch(/100% · 64 of 64 runs · .* tokens paid, [\d,]+ out of the ledger/);
    for (const method of ["sample:1", "greedy", "majority:4", "best-of-n:4"]) expect(first.out).toContain(method);
    const again = await cli(["eval", ...small, "--out", store]);
    expect(again.code).toBe(0);
    expect(again.err).toContain("Going on: 64 of 64 runs are there.");
    expect(again.err).toContain(" 0 tokens paid");
    const told = (text: string) => text.replaceAll(/^\d{4}-.*$/gm, ""); // the line with the times
    expect(told(again.out)).toBe(told(first.out));
    const shown = await cli(["report", store]);
    expect(shown).toMatchObject({ code: 0, err: "" });
    expect(told(shown.out)).toBe(told(first.out));
  });

  test("writes its reports, from the run or from the store", async () => {
    const [store, markdown, json] = [fresh(".db"), fresh(".md"), fresh(".json")];
    const ran = await cli(["eval", ...small, "--out", store, "--quiet", "--markdown", markdown, "--json", json]);
    expect(ran).toEqual({ code: 0, out: "", err: "" });
    expect(readFileSync(markdown, "utf8")).toContain("best-of-n:4");
    const report: Report = JSON.parse(readFileSync(json, "utf8"));
    expect(report.runs).toMatchObject({ expected: 64, recorded: 64, complete: true });
    const [page, figures] = [fresh(".html"), fresh("-figures")];
    expect((await cli(["report", store, "--quiet", "--report", page, "--svg", figures])).code).toBe(0);
    expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>/i);
    expect(readdirSync(figures).every((name) => name.endsWith(".svg"))).toBe(true);
    const table = fresh("-csv");
    const exported = await cli(["export", store, "--format", "csv", "--out", table]);
    expect(exported.out.trim().split("\n").every(existsSync)).toBe(true);
    expect(readFileSync(join(table, "runs.csv"), "utf8").match(/^"countdown on stand-in\//gm)).toHaveLength(64);
  });

  test("takes its configuration from JSON or TypeScript, flags over it", async () => {
    const fields = { task: "countdown", model: "stand-in", methods: ["majority:3"], problems: 2, baselines: false };
    const [json, module, store] = [fresh(".json"), fresh(".ts"), fresh(".db")];
    writeFileSync(json, JSON.stringify(fields));
    writeFileSync(module, `const problems: number = 3;\nexport default { ...${JSON.stringify(fields)}, problems };`);
    expect((await cli(["eval", json, "--out", store, "--name", "json"])).err).toContain("× 2 problems ×");
    expect((await cli(["eval", module, "--out", store, "--name", "ts"])).err).toContain("× 3 problems ×");
    expect((await cli(["eval", module, "--problems", "1", "--out", store])).err).toContain("× 1 problem ×");
    const broken = fresh(".json");
    writeFileSync(broken, JSON.stringify({ ...fields, methods: ["majorty"] }));
    expect(await cli(["eval", broken])).toMatchObject({
      code: 2,
      err: expect.stringContaining('methods[0]: Cannot find a method named "majorty": did you mean majority?'),
    });
  });

  test("Ctrl-C keeps what is there and says how to go on; --resume does, with the same result", async () => {
    const [store, alone] = [fresh(".db"), fresh(".db")];
    const stopped = await cli(["eval", ...small, "--out", store, "--concurrency", "1"], {
      model: standIn(15),
      interrupt: (press) => void setTimeout(press, 400),
    });
    expect(stopped.code).toBe(130);
    expect(stopped.out).toBe("");
    expect(stopped.err).toContain(`go on with:\n  ponderosa eval --resume ${store} --name 'countdown on stand-in'\n`);
    const resumed = await cli(["eval", "--resume", store]);
    expect(resumed.code).toBe(0);
    expect(resumed.err).toMatch(/Going on: \d+ of 64 runs are there/);
    await cli(["eval", ...small, "--out", alone]);
    expect(await recordsIn(store)).toEqual(await recordsIn(alone));
  });

  test("a mistake of a method is an error, not wrong usage, once runs have begun", async () => {
    const module = fresh(".ts");
    writeFileSync(
      module,
      `let made = 0;
      const make = () => {
        if (++made === 2) throw new RangeError("of its own");
        return { search: function* () {}, policy: { root: () => {}, bound: () => ({ tokens: 0 }) } };
      };
      export default { task: "countdown", model: "stand-in", methods: [{ label: "mine", make }], baselines: false };`,
    );
    expect(await cli(["eval", module, "--out", fresh(".db"), "--quiet"])).toMatchObject({
      code: 1,
      err: "of its own\n",
    });
  });

  test("requests that a dead process left in flight are said", async () => {
    const store = fresh(".db");
    await cli(["eval", ...small, "--out", store]);
    {
      await using kept = await openStore(store);
      await kept.ledger.begin({
        model: "stand-in",
        requests: 3,
        worst: { tokens: 90, promptTokens: 0, cachedTokens: 0, calls: 3, nanodollars: 0 },
      });
      await kept.database.query("update flights set owner = $1", [`${hostname()}/999999999/1`]);
    }
    const again = await cli(["eval", ...small, "--out", store]);
    expect(again.err).toContain("3 requests were in flight: at most so many were paid and lost, 90 tokens at worst");
  });
});

async function recordsIn(path: string) {
  await using store = await openStore(path);
  const [evaluation] = await store.evaluations();
  const runs = await store.runs({ evaluation: evaluation?.id as string });
  return runs
    .map(({ spent, paid: _, ...run }) => ({ ...run, spent: { ...spent, seconds: 0 } }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

describe("wrong use is one clear line, and exit code 2", () => {
  const kept = fresh(".db");
  test.each([
    [["eval"], "Cannot evaluate without problems: give --task countdown"],
    [["eval", "--task", "countdown"], "Cannot evaluate without methods: give --methods"],
    [["eval", "--file", "nowhere.jsonl", "--methods", "greedy"], "nowhere.jsonl as there is no such file"],
    [
      ["eval", "--task", "cuntdown", "--methods", "greedy"],
      '--task: Cannot find a task named "cuntdown": did you mean countdown?',
    ],
    [["eval", "--task", "countdown", "--methods", "majority:0"], '--methods: Cannot use "0" as n of majority'],
    [["eval", "--task", "countdown", "--methods", "greedy", "--budgets", "calls"], '--budgets: Cannot read "calls"'],
    [["eval", "--task", "countdown", "--methods", "greedy", "--problems", "few"], 'Cannot use "few" as --problems'],
    [["eval", "--task", "countdown", "--methods", "greedy", "--workers", "0"], 'Cannot use "0" as --workers'],
    [["eval", "--task", "countdown", "--file", "x.jsonl"], "Cannot evaluate on two sets of problems"],
    [["eval", "--level", "hard"], "Cannot use --level without --task"],
    [["eval", "nowhere.ts"], "Cannot read"],
    [["eval", "--task", "countdown", "--methods", "beam", "--out", kept], "beam"],
    [["eval", "--resume", "nowhere.db"], "Cannot read nowhere.db as there is no such file"],
    [
      ["eval", "--task", "countdown", "--methods", "greedy", "--report", "/nowhere/x.html"],
      "Cannot write /nowhere/x.html",
    ],
    [
      ["eval", "--file", "x.jsonl", "--shots", "x", "--methods", "greedy"],
      'Cannot use "x" as --shots: it must be a whole',
    ],
    [
      ["eval", "--task", "countdown", "--level", "x", "--methods", "greedy"],
      '--level: Cannot make problems of level "x"',
    ],
    [
      ["eval", "--task", "countdown", "--methods", "greedy", "--report", folder],
      `Cannot write ${folder} as it is a folder`,
    ],
    [
      ["eval", "--task", "countdown", "--methods", "greedy", "--out", folder],
      `Cannot write ${folder} as it is a folder`,
    ],
    [["report", "nowhere.db"], "Cannot read nowhere.db"],
    [["export", "nowhere.db", "--format", "xml"], 'Cannot use "xml" as --format'],
  ])("%j", async (argv, message) => {
    const { code, out, err } = await cli(argv);
    expect(err).toContain(message);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });
});
