import { describe, expect, test } from "vitest";
import type { Cost } from "../budget.ts";
import { scripted } from "../models/scripted.ts";
import type { Node } from "../node.ts";
import type { Judgement } from "../scorer.ts";
import { custom } from "./custom.ts";
import { byScore, pairwise, preferenceOf } from "./pairwise.ts";

const context = { problem: { id: "p", prompt: "2+2?" }, text: (state: string) => state };
const request = { ...context, seed: 5, signal: new AbortController().signal };
const node = (state: string) => ({ id: `of-${state}`, state }) as Node<string>;

describe("the verdict of a reply", () => {
  test.each([
    ["Because.\nBetter: 1", 1],
    ["**Better:** 2", 0],
    ["Better: tie", 0.5],
    ["Better: Answer 2.", 0],
    ["Better: 1\nno,\nbetter: 2", 0],
    ["Answer 1 is better", undefined],
    ["Better: 12", undefined],
    ["Better: both", undefined],
    ["", undefined],
  ])("%j is %j", (reply, value) => expect(preferenceOf(reply)).toBe(value));

  test("is found in linear time", () => {
    expect(preferenceOf("better: ".repeat(100_000))).toBeUndefined();
    expect(preferenceOf(`better${" ".repeat(200_000)}: 1`)).toBeUndefined();
  });
});

test("shows the node first and the other second, within its bound; the name says against whom", async () => {
  const model = scripted({ replies: ["four is right\nBetter: 2"] });
  const scorer = pairwise<string>(model).against(node("4"));
  expect([scorer.name, scorer.kind]).toEqual(["pairwise:scripted against of-4", "probability"]);
  const { score, cost } = (await scorer.score(node("5"), request)) as Required<Judgement>;
  expect(score).toEqual({ kind: "probability", value: 0, evidence: "four is right\nBetter: 2" });
  expect(model.calls[0]?.prompt).toMatch(/<answer-1>\n5\n<\/answer-1>\n<answer-2>\n4\n<\/answer-2>/);
  const bound = scorer.bound?.(node("5"), context) as Cost;
  for (const unit of ["tokens", "promptTokens", "calls"] as const) expect(cost[unit]).toBeLessThanOrEqual(bound[unit]);
});

test("a reply without a verdict is a failure, not a draw", async () => {
  const scorer = pairwise<string>(scripted({ replies: ["hard to say"] })).against(node("4"));
  await expect(scorer.score(node("5"), request)).rejects.toMatchObject({ code: "bad-response" });
});

test("by score: the higher wins, equal ones draw, what has no score is undecided", async () => {
  const compare = byScore(custom<string>("number", Number));
  const value = async (a: string, b: string) =>
    ((await compare.against(node(b)).score(node(a), request)) as Judgement).score;
  expect(await value("3", "2")).toMatchObject({ value: 1 });
  expect(await value("1", "2")).toMatchObject({ value: 0 });
  expect(await value("2", "2.0")).toMatchObject({ value: 0.5 });
  await expect(value("1", "x")).rejects.toMatchObject({ code: "invalid-score" });
});
