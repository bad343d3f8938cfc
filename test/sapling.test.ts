/** The models that ship: what is promised of them, by running them and by the figures that were measured of these files. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { memoryJournal } from "../src/runs/memory.ts";
import { openModel } from "../src/open-model.ts";
import { text } from "../src/policies/text.ts";
import { run } from "../src/run.ts";
import { valueToken } from "../src/scorers/value-token.ts";
import { verifier } from "../src/scorers/verifier.ts";
import { beam } from "../src/search/beam/beam.ts";
import { bestOfN } from "../src/search/sampling/best-of-n.ts";
import { greedy } from "../src/search/sampling/sample.ts";
import { countdown } from "../src/tasks/index.ts";

const problem = countdown.parse("12,3,4,4>55");
const scorer = verifier(countdown);

test("greedy decoding misses a problem that best-of-16 solves and verifies", async () => {
  const model = await openModel("sapling");
  const policy = text(model, { maxTokens: 100 });
  const alone = await run(greedy(), problem, { policy });
  const best = await run(bestOfN({ n: 16 }), problem, { policy, scorer });
  expect(countdown.check(problem, alone.text ?? "").correct).toBe(false);
  expect(countdown.check(problem, best.text ?? "").correct).toBe(true);
});

test("beam search over tokens finds an answer that is likelier than greedy's on a stored problem", async () => {
  const model = await openModel("sapling");
  const policy = text(model, { step: "token", maxAnswerTokens: 100 });
  const alone = await run(greedy(), problem, { policy });
  const wide = await run(beam({ width: 8 }), problem, { policy });
  expect(wide.answer?.totalLogProb).toBeGreaterThan(alone.answer?.totalLogProb ?? 0);
});

test("the value read-out tells a living partial answer from a dead one", async () => {
  const model = await openModel("sapling");
  const read = valueToken<string>(model);
  const valueOf = async (steps: string) => {
    const node = { state: steps } as Parameters<typeof read.score>[0];
    const judged = await read.score(node, {
      problem,
      text: (state) => state,
      seed: 0,
      signal: AbortSignal.timeout(5000),
    });
    return "score" in judged && judged.score.kind === "probability" ? judged.score.value : Number.NaN;
  };
  const alive = "4+3=7;12,4,7\n12*4=48;7,48\n";
  const dead = "4+3=7;12,4,7\n7-4=3;12,3\n";
  expect([countdown.solvable(problem, alive), countdown.solvable(problem, dead)]).toEqual([true, false]);
  expect(await valueOf(alive)).toBeGreaterThan(await valueOf(dead));
});

test("an interrupted run pays for the tokens that were drawn, not for those that might have been", async () => {
  const model = await openModel("sapling");
  const policy = text(model, { maxTokens: 100 });
  const journal = memoryJournal();
  const controller = new AbortController();
  const running = run(bestOfN({ n: 400 }), problem, { policy, scorer, journal, signal: controller.signal });
  let answers = 0;
  for await (const event of running) if (event.type === "extension" && ++answers === 100) controller.abort();
  const lost = journal.events.filter((event) => event.type === "lost");
  expect(lost.length).toBeGreaterThan(0);
  const worst = policy.bound(policy.root(problem), problem).tokens;
  const mean = lost.reduce((sum, { cost }) => sum + cost.tokens, 0) / lost.length;
  expect(mean).toBeLessThan(worst / 2); // an answer has some 37 tokens, so those in flight have fewer
});

test("all that ships is small, and its measured figures are those that the documents promise", () => {
  const folder = new URL("../sapling/", import.meta.url);
  const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(new URL(file, folder)).size, 0);
  expect(bytes).toBeLessThan(4e6);
  const { models, problems } = JSON.parse(readFileSync(new URL("evaluation.json", folder), "utf8"));
  const { solving, value } = models.sapling;
  const base = solving["countdown base"];
  expect(problems).toBeGreaterThanOrEqual(500);
  expect(base.greedy.value).toBeGreaterThan(0.25);
  expect(base.greedy.value).toBeLessThan(0.45);
  expect(base.passAt[16].value).toBeGreaterThan(0.75);
  expect(base.passAt[64].value).toBeGreaterThan(0.93);
  expect(value.countdown.auc.value).toBeGreaterThan(0.75);
});
