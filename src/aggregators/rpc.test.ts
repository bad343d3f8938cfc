import { describe, expect, test } from "vitest";
import { lawOf, solve } from "../../test/helpers/solve.ts";
import { answerOf, drawnAt, drawnFrom } from "../../test/helpers/pool.ts";
import { key } from "../key.ts";
import { randomTabular } from "../models/tabular.ts";
import type { Node } from "../node.ts";
import { text, type TextState } from "../policies/text.ts";
import { vote as votes } from "../search/sampling/vote.ts";
import type { SimulatedReply, SimulatedState } from "../testing/simulated-solver.ts";
import { majority } from "./majority.ts";
import { rpc } from "./rpc.ts";

const distinct = ({ chain }: SimulatedState) => chain;
const whole = rpc<SimulatedState>({ canonical: answerOf, distinct });
const unpruned = rpc<SimulatedState>({ canonical: answerOf, distinct, prune: false });
const vote = majority<SimulatedState>({ canonical: answerOf });

const chains = (answer: string, ...probabilities: number[]): SimulatedReply[] =>
  probabilities.map((probability, i) => ({ answer, chain: `${answer}${i}`, probability }));
const times = (count: number, probability: number) => Array.from({ length: count }, () => probability);

/**
 * The right answer in two ways, 0.4 in all. A wrong one in one way that is the most probable chain of all, and in seven that are not,
 * 0.32 in all. The rest, 0.28, are slips: 28 answers, each in a way of its own.
 */
const law = [
  ...chains("right", 0.2, 0.2),
  ...chains("wrong", 0.25, ...times(7, 0.01)),
  ...times(28, 0.01).flatMap((p, i) => chains(`slip ${i}`, p)),
];
const massOf = (answer: string) =>
  law.filter((reply) => reply.answer === answer).reduce((sum, { probability }) => sum + probability, 0);

/** E[(Σ of the chains seen - p)²] after n draws: the square of the mass of the chains not seen, over all pairs of these. */
function unseenSquare(answer: string, n: number): number {
  const own = law.filter((reply) => reply.answer === answer).map(({ probability }) => probability);
  let sum = 0;
  for (const [i, p] of own.entries())
    for (const [j, q] of own.entries()) sum += p * q * (1 - p - (i === j ? 0 : q)) ** n;
  return sum;
}

describe("the estimate of p(answer)", () => {
  test("distinct chains count once, others are added", () => {
    const pool = ["a0", "a0", "a1", "b0"].map((chain, place) =>
      drawnAt(
        place,
        { answer: chain.slice(0, 1), chain },
        { logProb: Math.log({ a0: 0.1, a1: 0.2, b0: 0.25 }[chain] as number) },
      ),
    );
    const { answer, confidence, tally } = unpruned.aggregate(pool);
    expect(tally.map(({ answer, weight }) => [answer, Number(weight.toFixed(12))])).toEqual([
      ["a", 0.3],
      ["b", 0.25],
    ]);
    expect([answer?.id, confidence?.toFixed(12)]).toEqual(["0.2.0#0", (0.3 / 0.55).toFixed(12)]); // the most probable chain of a
  });

  test("its error falls exponentially in the number of draws, that of a vote as 1/n; both as their closed forms say", () => {
    const repetitions = 1000;
    const p = massOf("right");
    let before = { sum: Number.POSITIVE_INFINITY, vote: Number.POSITIVE_INFINITY };
    for (const n of [4, 8, 16, 32]) {
      const errors = { sum: [] as number[], vote: [] as number[] };
      for (let seed = 0; seed < repetitions; seed++) {
        const pool = drawnFrom(law, n, 1000 * n + seed);
        const share = pool.filter((node) => answerOf(node) === "right").length / n;
        const weight = unpruned.aggregate(pool).tally.find(({ answer }) => answer === "right")?.weight ?? 0;
        expect(weight).toBeLessThanOrEqual(p + 1e-12); // never more than the truth
        errors.sum.push((weight - p) ** 2);
        errors.vote.push((share - p) ** 2);
      }
      const [sum, votes] = [meanOf(errors.sum), meanOf(errors.vote)];
      expect(Math.abs(votes.mean - (p * (1 - p)) / n)).toBeLessThan(5 * votes.error); // false alarm: 6e-7
      const exact = unseenSquare("right", n);
      // The squares are 0, 0.04 or 0.16, so their spread is known too: by n = 32 the 0.04 are rare.
      const spread = Math.sqrt((2 * 0.04 ** 2 * (0.8 ** n - 0.6 ** n) + 0.16 ** 2 * 0.6 ** n) / repetitions);
      expect(Math.abs(sum.mean - exact)).toBeLessThan(5 * spread);
      if (n >= 16) expect(sum.mean + 5 * spread).toBeLessThan(votes.mean - 5 * votes.error); // 10 standard errors apart
      // n more draws: a factor that itself falls exponentially in n, where that of the vote is 1/2 for every n.
      expect(unseenSquare("right", 2 * n) / exact).toBeLessThan(0.8 ** n);
      expect(votes.mean).toBeLessThan(before.vote);
      expect(sum.mean).toBeLessThan(before.sum);
      before = { sum: sum.mean, vote: votes.mean };
    }
  });
});

test("live, on a model whose texts can all be enumerated: exact as soon as all of them were seen, hot or not", async () => {
  const model = randomTabular({ key: key(4), symbols: 3, maxLength: 2, concentration: 3 });
  const exact = new Map<string, number>(); // by the first letter
  for (const [written, logProb] of lawOf(model)) {
    const first = written.slice(0, 1);
    exact.set(first, (exact.get(first) ?? 0) + Math.exp(logProb));
  }
  const aggregator = rpc<TextState>({
    canonical: ({ state }) => state.text.slice(0, 1),
    distinct: ({ text }) => text,
    prune: false,
  });
  for (const temperature of [1, 2]) {
    const policy = text(model, { temperature });
    const { outcome } = await solve(model, votes<TextState>({ n: 300, aggregator, policy }));
    expect(new Set(outcome?.candidates.map(({ state }) => state.text)).size).toBe(lawOf(model).size);
    for (const { answer, weight } of outcome?.tally ?? []) expect(weight).toBeCloseTo(exact.get(answer) as number, 10);
    expect(outcome?.confidence).toBeCloseTo(Math.max(...exact.values()), 10);
  }
});

describe("the choice", () => {
  /** How often right, of so many pools of 16. */
  function rightOf(from: readonly SimulatedReply[], repetitions: number) {
    const right = { rpc: 0, unpruned: 0, vote: 0, perplexity: 0 };
    for (let seed = 0; seed < repetitions; seed++) {
      const pool = drawnFrom(from, 16, seed);
      const likeliest = pool.reduce((best, node) => (node.logProb > best.logProb ? node : best));
      const chosen = {
        rpc: whole.aggregate(pool).answer,
        unpruned: unpruned.aggregate(pool).answer,
        vote: vote.aggregate(pool).answer,
        perplexity: likeliest,
      };
      for (const name of ["rpc", "unpruned", "vote", "perplexity"] as const)
        if ((chosen[name] as Node<SimulatedState>).state.answer === "right") right[name]++;
    }
    return right;
  }

  test("of 16 draws it is right more often than a vote, and than the most probable chain", () => {
    const n = 400;
    const right = rightOf(law, n);
    const error = Math.sqrt(0.25 / n); // at most
    expect((right.rpc - right.vote) / n).toBeGreaterThan(5 * error * Math.SQRT2);
    expect((right.rpc - right.perplexity) / n).toBeGreaterThan(5 * error * Math.SQRT2);
    expect(right.rpc / n).toBeGreaterThan(0.9);
  });

  test("where the right answer is spread over chains that hardly come twice, a vote is better", () => {
    const spread = [...chains("right", ...times(60, 0.01)), ...chains("wrong", 0.3), ...chains("slip", 0.1)];
    const right = rightOf(spread, 100);
    expect(right.vote).toBeGreaterThan(80);
    expect(right.unpruned).toBeLessThan(5); // 16 draws see a quarter of its mass at most
    expect(right.rpc).toBeLessThan(5);
  });
});

describe("pruning", () => {
  test("drops the low ones of two groups, never the most probable", () => {
    const pool = [0.3, 0.28, 0.25, 0.2, 1e-6, 2e-6, 3e-6, 1.5e-6].map((p, place) =>
      drawnAt(place, { answer: p > 0.1 ? "high" : "low", chain: String(p) }, { logProb: Math.log(p) }),
    );
    expect(whole.aggregate(pool).tally.map(({ answer }) => answer)).toEqual(["high"]);
    expect(unpruned.aggregate(pool).tally.map(({ answer }) => answer)).toEqual(["high", "low"]);
    for (let seed = 0; seed < 30; seed++) {
      const drawn = drawnFrom(law, 9, seed);
      const most = Math.max(...drawn.map(({ logProb }) => logProb));
      const { tally } = whole.aggregate(drawn);
      expect(tally.some(({ node }) => node.logProb === most)).toBe(true);
    }
  });

  test("equal chains are all kept, however many", () => {
    for (let n = 1; n <= 30; n++) {
      const pool = Array.from({ length: n }, (_, i) =>
        drawnAt(i, { answer: String(i), chain: String(i) }, { logProb: -n / 7 }),
      );
      const { tally, confidence } = whole.aggregate(pool);
      expect(tally.map(({ answer }) => answer)).toEqual(pool.map(answerOf));
      expect(confidence).toBeCloseTo(1 / n, 12);
    }
  });
});

test("texts so long that their probabilities cannot be written are still compared", () => {
  const pool = [
    ["a", -1500],
    ["b", -1501],
    ["b", -1500.4],
  ].map(([answer, logProb], place) =>
    drawnAt(place, { answer: String(answer), chain: String(place) }, { logProb: Number(logProb) }),
  );
  const { tally, confidence } = unpruned.aggregate(pool);
  expect(tally.map(({ answer, weight }) => [answer, weight])).toEqual([
    ["b", 0],
    ["a", 0],
  ]);
  expect(confidence).toBeCloseTo((Math.exp(-1) + Math.exp(-0.4)) / (1 + Math.exp(-1) + Math.exp(-0.4)), 9);
});

test("a chain of unknown probability takes no part; where there is none, there is no answer", () => {
  const [known, unknown] = [
    drawnAt(0, { answer: "a", chain: "a" }, { logProb: -1 }),
    drawnAt(1, { answer: "b", chain: "b" }, { logProb: Number.NaN }),
  ];
  expect(whole.aggregate([unknown, known]).tally.map(({ answer }) => answer)).toEqual(["a"]);
  for (const pool of [[], [unknown]])
    expect(whole.aggregate(pool)).toEqual({ answer: undefined, confidence: undefined, tally: [] });
});

function meanOf(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}
