import { expect, test } from "vitest";
import { addCosts, noCost } from "../budget.ts";
import { key } from "../key.ts";
import { tabular } from "../models/tabular.ts";
import { openModel } from "../open-model.ts";
import { lineEnd } from "../policies/steps.ts";
import { text, type TextState } from "../policies/text.ts";
import { valueToken } from "../scorers/value-token.ts";
import { verifier } from "../scorers/verifier.ts";
import { countdown } from "../tasks/index.ts";
import { recordProblem, type RecordOptions } from "./pool.ts";

const model = await openModel("sapling");
const problem = countdown.make(key(5), { split: "test" });
const value = valueToken<TextState>(model);
const options: RecordOptions = {
  model,
  policy: text(model, { maxTokens: 100 }),
  task: countdown,
  samples: 12,
  key: key(2),
  scorers: [verifier(countdown), value],
  step: lineEnd,
  stepScorers: [value],
  level: "base",
  signal: new AbortController().signal,
};

test("samples of one request, cut into lines, judged in whole and in part, with their costs", async () => {
  const { samples, level } = await recordProblem(problem, options);
  expect([samples.length, level]).toEqual([12, "base"]);
  const paid = samples.reduce((sum, { cost }) => addCosts(sum, cost), noCost);
  const promptTokens = model.countTokens(String(problem.prompt));
  expect(paid).toMatchObject({ calls: 12, promptTokens, cachedTokens: 11 * promptTokens });
  for (const sample of samples) {
    const { text: answer, steps = [], length, logProb, cost, scores, correct, canonical } = sample;
    expect(cost.tokens).toBe(length);
    expect(steps.reduce((sum, step) => sum + step.length, 0)).toBe(length);
    expect(steps.reduce((sum, step) => sum + (step.logProb ?? 0), 0)).toBeCloseTo(logProb ?? 0, 6);
    expect(steps.map(({ end }) => end)).toEqual(Array.from(answer.matchAll(/\n/g), ({ index }) => index + 1));
    expect([correct, canonical]).toEqual([
      countdown.check(problem, answer).correct,
      countdown.canonical(problem, answer) ?? null,
    ]);
    expect(scores["verifier:countdown"]?.score).toMatchObject({ kind: "verdict", correct });
    // A line's value is what the model says when it is asked after that line.
    const [first] = steps;
    const { nextTokens } = model;
    const next = await nextTokens?.call(
      model,
      { prompt: problem.prompt, text: `${answer.slice(0, first?.end)}?` },
      options,
    );
    const odds = Math.exp(
      (next?.logProbs[next.texts.indexOf("y")] ?? 0) - (next?.logProbs[next.texts.indexOf("n")] ?? 0),
    );
    expect(first?.scores[value.name]?.score).toMatchObject({
      kind: "probability",
      value: expect.closeTo(odds / (1 + odds), 9),
    });
    expect(first?.scores[value.name]?.cost.tokens).toBe(1);
    expect(steps.at(-1)?.scores).toEqual({});
    expect(scores[value.name]?.cost.tokens).toBe(1);
  }
});

test("same key, same samples; without steps there are none", async () => {
  const texts = async (more: Partial<RecordOptions>) =>
    (await recordProblem(problem, { ...options, samples: 4, stepScorers: [], ...more })).samples.map(
      ({ text: answer, steps }) => [answer, steps?.length],
    );
  const whole = await texts({ step: undefined });
  expect(whole.map(([, steps]) => steps)).toEqual([undefined, undefined, undefined, undefined]);
  expect((await texts({})).map(([answer]) => answer)).toEqual(whole.map(([answer]) => answer));
  expect(await texts({ key: key(3), step: undefined })).not.toEqual(whole);
});

test("a problem of which no sample succeeds is no row of a pool, and neither is one that a scorer fails on", async () => {
  const short = tabular({ alphabet: "1.", maxLength: 1, conditional: () => [1, 0] });
  const overlong = {
    ...options,
    model: short,
    policy: text({
      ...short,
      generate: () => {
        throw new Error("no server");
      },
    }),
    stepScorers: [],
  };
  await expect(recordProblem(problem, overlong)).rejects.toThrow(
    `Cannot record '${problem.id}' as no sample succeeded: no server`,
  );
  const failing = { ...value, score: () => Promise.reject(new Error("no judge")) };
  await expect(recordProblem(problem, { ...options, samples: 1, scorers: [failing] })).rejects.toThrow("no judge");
});
