import { expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { majority } from "../../aggregators/majority.ts";
import { weightedVote } from "../../aggregators/weighted-vote.ts";
import { noCost } from "../../budget.ts";
import { driver } from "../../driver.ts";
import { key } from "../../key.ts";
import { tabular } from "../../models/tabular.ts";
import type { TextState } from "../../policies/text.ts";
import { custom } from "../../scorers/custom.ts";
import { rewardWeight } from "../particles/potential.ts";
import { vote } from "./vote.ts";

const law = { a: 0.45, b: 0.35, c: 0.2 } as const;
const abc = tabular({ alphabet: "abc.", maxLength: 1, conditional: () => [law.a, law.b, law.c, 0] });
const byText = majority<TextState>({ canonical: ({ state }) => state.text });

/** P(the majority of n draws is the first answer): a sum over all counts; of k tied answers each is drawn first as often. */
function winsOf(n: number, [p, q, r]: readonly [number, number, number]): number {
  let logFactorials = [0];
  for (let i = 1; i <= n; i++) logFactorials = [...logFactorials, (logFactorials[i - 1] as number) + Math.log(i)];
  const choose = (...counts: number[]) =>
    Math.exp((logFactorials[n] as number) - counts.reduce((sum, c) => sum + (logFactorials[c] as number), 0));
  let chance = 0;
  for (let i = 0; i <= n; i++)
    for (let j = 0; i + j <= n; j++) {
      const k = n - i - j;
      if (i >= j && i >= k)
        chance += (choose(i, j, k) * p ** i * q ** j * r ** k) / (1 + Number(i === j) + Number(i === k));
    }
  return chance;
}

test("the sum itself, by hand: of three draws a wins with three, with two, or as the first of three different ones", () => {
  const { a, b, c } = law;
  expect(winsOf(3, [a, b, c])).toBeCloseTo(a ** 3 + 3 * a * a * (b + c) + (6 * a * b * c) / 3, 12);
});

test("the majority of n is right as often as the sum says", async () => {
  const runs = 400;
  for (const n of [1, 2, 5, 11]) {
    let wins = 0;
    for (let seed = 0; seed < runs; seed++)
      if (
        (await solve(abc, vote<TextState>({ n, aggregator: byText }), { step: "answer", seed: 1000 * n + seed }))
          .text === "a"
      )
        wins++;
    const p = winsOf(n, [law.a, law.b, law.c]);
    expect(Math.abs(wins / runs - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / runs)); // false alarm: 6e-7
  }
});

test("the leader so far is known after every vote, in whatever order they come", () => {
  const aggregator = majority<string>({ canonical: ({ state }) => state });
  const d = driver(vote<string>({ n: 5, aggregator }), { state: "", problem: { id: "p", prompt: "" }, key: key(1) });
  d.ask();
  const leaders: (string | undefined)[] = [];
  for (const [id, state] of [
    ["4", "x"],
    ["3", "y"],
    ["0", "y"],
    ["2", "x"],
    ["1", "x"],
  ] as const) {
    d.tell(`0.${id}.0#0`, {
      type: "extension",
      extension: { state, done: true, logProb: 0, logProposal: 0, length: 1, cost: noCost },
    });
    leaders.push(d.best?.node.id);
  }
  // x; a tie, of which y was drawn earlier; y leads; a tie, y first at place 0; x leads, first at place 1
  expect(leaders).toEqual(["0.4.0#0", "0.3.0#0", "0.0.0#0", "0.0.0#0", "0.1.0#0"]);
  const { result } = d;
  expect(result).toMatchObject({
    outcome: {
      answer: { id: "0.1.0#0" },
      confidence: 0.6,
      tally: [
        { answer: "x", weight: 3 },
        { answer: "y", weight: 2 },
      ],
    },
  });
});

test("with less budget than votes it counts those it could pay for; unreadable answers fall back to the first drawn", async () => {
  const { outcome } = await solve(abc, vote<TextState>({ n: 9, aggregator: byText }), {
    step: "answer",
    budget: { calls: 4 },
  });
  expect(outcome?.tally.reduce((sum, { weight }) => sum + weight, 0)).toBe(4);
  const mute = await solve(abc, vote<TextState>({ n: 3, aggregator: majority({ canonical: () => undefined }) }), {
    step: "answer",
  });
  expect([mute.answer?.id, mute.confidence, mute.outcome?.tally]).toEqual(["0.0.0#0", undefined, []]);
});

test("with a scorer and weights it is best-of-N weighted: every vote counts by its score", async () => {
  const scorer = custom<TextState>("likes c", (text) => ({ a: 0, b: Number.NaN, c: Math.log(5) })[text] as number);
  const aggregator = weightedVote<TextState>({ canonical: ({ state }) => state.text, map: rewardWeight(1) });
  const { outcome } = await solve(abc, vote<TextState>({ n: 20, aggregator, scorer }), { step: "answer", seed: 5 });
  const drawn = outcome?.candidates.map(({ state }) => state.text) ?? [];
  const [a, c] = ["a", "c"].map((one) => drawn.filter((text) => text === one).length) as [number, number];
  const shares = new Map(outcome?.tally.map(({ answer, weight }) => [answer, weight]));
  expect([...shares.keys()].toSorted()).toEqual(["a", "c"]); // b has no score, so it does not vote
  expect(shares.get("c")).toBeCloseTo((5 * c) / (a + 5 * c), 12);
});
