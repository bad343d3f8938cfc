/** `ponderosa calibrate` and `solve --abstain`, from the command line to the exit code. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Calibration } from "../src/cli/calibrations.ts";
import { readCalibrations, shippedCalibrations } from "../src/cli/calibrations.ts";
import { main } from "../src/cli/main.ts";
import type { SolveReport } from "../src/cli/report.ts";
import { key } from "../src/key.ts";
import { random } from "../src/math/random.ts";
import { methods, optionsOf } from "../src/methods.ts";
import { withDefaults } from "../src/methods/method.ts";
import { scripted } from "../src/models/scripted.ts";
import { promptText } from "../src/problem.ts";
import { countdown } from "../src/tasks/index.ts";

const folder = mkdtempSync(join(tmpdir(), "ponderosa-abstain-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "calibration.json");

/** Knows the problems whose target is odd: always right there, one thing or another elsewhere. Asked, it calls only the others true. */
const halfKnowing = (messages: boolean) =>
  scripted({
    id: "half-knowing",
    capabilities: { messages, logProbs: true },
    replies({ seed, prompt }) {
      const text = promptText(prompt);
      const asked = text.match(/[\d,]+>\d+/g)?.at(-1) ?? "";
      const isKnown = Number(asked.split(">")[1]) % 2 === 1;
      if (text.includes("(A) True")) return isKnown ? "?" : "(A)";
      if (isKnown) return countdown.solve(countdown.parse(asked), key(0)) ?? "";
      return `1+1=${random(seed).integer(9)}\n`;
    },
  });

async function cli(...argv: string[]) {
  return interrupted(undefined, ...argv);
}

/** As if Ctrl-C were pressed as soon as `when` has been written; without it, never. */
async function interrupted(when: string | undefined, ...argv: string[]) {
  let stop = () => {};
  const chunks = { out: "", err: "" };
  const code = await main(argv, {
    process: {
      stdout: { write: (chunk) => void (chunks.out += chunk) },
      stderr: {
        write(chunk) {
          chunks.err += chunk;
          if (when !== undefined && chunks.err.includes(when)) stop();
        },
      },
      env: {},
    },
    readStdin: async () => undefined,
    openModel: async (spec) => halfKnowing(spec.startsWith("http")),
    onInterrupt(handler) {
      stop = handler;
      if (when === "") stop();
      return () => {};
    },
  });
  return { code, ...chunks };
}

const known = "11,2,5,8>29";
const unknown = "13,12,3,1>50";
const majority = ["--method", "majority", "--n", "8"];

beforeAll(async () => {
  const ran = await cli("calibrate", ...majority, "--problems", "150", "--out", file);
  expect(ran.code).toBe(0);
  expect(ran.err).toMatch(/150 of 150\n\d+% of 150 answers right; of the surest .*\nkept in /);
});

describe("calibrate", () => {
  test("keeps a table of what it speaks for, and the same seed gives the same one", async () => {
    const [table] = readCalibrations(file) as [Calibration];
    expect(table).toMatchObject({ version: 1, model: "sapling", task: "countdown", level: "base", method: "majority" });
    expect(table.settings.n).toBe(8);
    expect(table.confidences).toHaveLength(150);
    expect(table.correct.filter((_, i) => table.confidences[i] === 1).every((one) => one === 1)).toBe(true);
    const before = readFileSync(file, "utf8");
    await cli("calibrate", ...majority, "--problems", "150", "--out", file, "--quiet");
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  test("a file keeps its other tables", async () => {
    const both = join(folder, "both.json");
    for (const n of ["2", "3", "2"])
      await cli("calibrate", "--method", "majority", "--n", n, "--problems", "5", "--out", both, "--quiet");
    const equal = await cli(
      "calibrate",
      "--method",
      "majority",
      "--n",
      "1",
      "--problems",
      "5",
      "--out",
      join(folder, "one.json"),
    );
    expect(equal.err).toMatch(/% of 5 answers right\nkept in/); // all equally sure: there is no surest half
    expect(readCalibrations(both).map(({ settings }) => settings.n)).toEqual([3, 2]);
  });

  test("answers without a confidence, which solve holds back, make no risk look lower: they count as wrong", async () => {
    const path = join(folder, "unscored.json");
    const asked = [
      "--model",
      "http://x/v1#y",
      "--method",
      "best-of-n",
      "--n",
      "1",
      "--scorer",
      "p-true",
      "--problems",
      "24",
    ];
    expect((await cli("calibrate", ...asked, "--out", path)).err).toContain("kept in");
    const [{ confidences, correct }] = readCalibrations(path) as [Calibration];
    expect(new Set(confidences)).toEqual(new Set([0, 1]));
    expect(correct.some((one, i) => one === 1 && confidences[i] === 0)).toBe(false);
  });

  test("a method without confidence, or without a file, is refused", async () => {
    const greedy = await cli("calibrate", "--method", "greedy", "--out", join(folder, "none.json"));
    expect([greedy.code, existsSync(join(folder, "none.json"))]).toEqual([2, false]);
    expect(greedy.err).toContain("Cannot calibrate greedy as it gave no confidence in 8 answers");
    expect((await cli("calibrate")).err).toContain("give --out");
    expect((await cli("calibrate", "--problems", "0", "--out", file)).err).toContain("--problems");
  });
});

test.each(["", "16 of 500"])("Ctrl-C in the middle of calibrate, after %j, keeps nothing and says so", async (when) => {
  const path = join(folder, "stopped.json");
  const ran = await interrupted(when, "calibrate", ...majority, "--out", path);
  expect([ran.code, existsSync(path)]).toEqual([130, false]);
  expect(ran.err.endsWith(`Stopped: nothing is kept in ${path}\n`)).toBe(true);
});

describe("solve --abstain", () => {
  const solve = (problem: string, ...more: string[]) =>
    cli("solve", "--task", "countdown", problem, ...majority, "--calibration", file, ...more);

  test("by risk: what it knows is answered", async () => {
    const ran = await solve(known, "--abstain", "risk=0.1");
    expect([ran.code, ran.err]).toEqual([0, expect.stringContaining("✓ correct")]);
    expect(ran.err).toContain("by its calibration");
    expect(countdown.check(countdown.parse(known), ran.out).correct).toBe(true);
  });

  test("and what it does not know is not: code 3, the reason, nothing on standard output", async () => {
    const ran = await solve(unknown, "--abstain", "risk=0.1");
    expect([ran.code, ran.out]).toEqual([3, ""]);
    expect(ran.err).toMatch(
      /I don't know: confidence 0\.?\d* is below .*, from which on at most 10% of answers are wrong/,
    );
    expect(ran.err).not.toContain("wrong:");
    const report = JSON.parse((await solve(unknown, "--abstain", "risk=0.1", "--json")).out) as SolveReport;
    expect(report).toMatchObject({ answer: null, abstained: true, reason: expect.stringContaining("is below") });
    expect(report.confidence).toBeGreaterThan(0);
    expect(report.probability).toBeLessThan(0.2);
    expect(report).not.toHaveProperty("correct");
  });

  test("by price and by confidence", async () => {
    expect((await solve(known, "--abstain", "price=4", "--quiet")).code).toBe(0);
    expect((await solve(unknown, "--abstain", "price=4", "--quiet")).code).toBe(3);
    const plain = ["solve", "--task", "countdown", unknown, ...majority, "--quiet", "--abstain"];
    expect((await cli(...plain, "confidence=0.05")).code).toBe(0);
    expect((await cli(...plain, "confidence=0.95")).code).toBe(3);
  });

  test("a table of something else is refused before anything is spent, with how to make the right one", async () => {
    const ran = await cli(
      "solve",
      known,
      "--method",
      "majority",
      "--n",
      "9",
      "--abstain",
      "risk=0.1",
      "--calibration",
      file,
    );
    expect(ran.code).toBe(2);
    expect(ran.err).toContain("calibration.json differs in settings. Make one");
    expect(ran.err).toMatch(/ponderosa calibrate --model sapling --task countdown --method majority --n 9 .*--out/);
    const none = await cli("solve", known, ...majority, "--abstain", "risk=0.1");
    expect([none.code, none.err]).toEqual([2, expect.stringContaining("nearest that is shipped differs in settings")]);
    const verified = await cli("solve", "--task", "countdown", known, "--abstain", "risk=0.1");
    expect([verified.code, verified.err]).toEqual([2, expect.stringContaining("knows what is right")]);
    const free = await cli("solve", "--model", "http://x/v1#y", "Why?", "--abstain", "risk=0.1");
    expect([free.code, free.err]).toEqual([2, expect.stringContaining("free text, which nobody can grade")]);
    expect((await cli("solve", known, "--calibration", file)).err).toContain("without --abstain");
    expect((await cli("solve", known, "--abstain", "risk=0.1", "--calibration", "no.json")).code).toBe(2);
  });

  test("a run that is resumed may be decided anew", async () => {
    const journal = join(folder, "run.jsonl");
    await solve(unknown, "--journal", journal, "--quiet", "--abstain", "confidence=0");
    const again = await cli(
      "solve",
      "--resume",
      journal,
      "--calibration",
      file,
      "--abstain",
      "risk=0.1",
      "--json",
      "--quiet",
    );
    expect([again.code, JSON.parse(again.out).abstained]).toEqual([3, true]);
  });
});

test("the tables that are shipped speak for settings as they are by default", () => {
  const tables = readCalibrations(shippedCalibrations);
  expect(tables.length).toBeGreaterThan(0);
  for (const { method: name, settings, confidences } of tables) {
    const method = methods.find((one) => one.name === name);
    const given = settings.scorer === undefined ? {} : { scorer: settings.scorer };
    expect(settings).toEqual(withDefaults(optionsOf(method as (typeof methods)[number]), given));
    expect(confidences.length).toBeGreaterThanOrEqual(500);
  }
});
