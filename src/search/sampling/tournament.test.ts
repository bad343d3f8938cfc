import { describe, expect, test } from "vitest";
import { Failed } from "../../errors.ts";
import { key, split } from "../../key.ts";
import { random } from "../../math/random.ts";
import { scripted } from "../../models/scripted.ts";
import type { Node } from "../../node.ts";
import { text, type TextState } from "../../policies/text.ts";
import { run } from "../../run.ts";
import { memoryJournal } from "../../runs/memory.ts";
import type { Comparison } from "../../scorer.ts";
import { tournament, type TournamentOptions } from "./tournament.ts";

const problem = { id: "p", prompt: "q" };
type Verdict = number | undefined;

/** Answers are numbers, drawn in the given order; `verdict` is for the first one shown. */
async function play(
  answers: readonly string[],
  verdict: (first: number, second: number) => Verdict,
  options: Partial<TournamentOptions<TextState>> & { budget?: { calls: number } } = {},
) {
  const { budget = {}, ...rest } = options;
  const compare: Comparison<TextState> = {
    name: "by number",
    against: (other: Node<TextState>) => ({
      name: `against ${other.id}`,
      kind: "probability",
      score({ state }) {
        const value = verdict(Number(state.text), Number(other.state.text));
        if (value === undefined) throw new Failed("bad-response", "no verdict");
        return { kind: "probability", value };
      },
    }),
  };
  const journal = memoryJournal();
  const result = await run(tournament({ compare, n: answers.length, ...rest }), problem, {
    policy: text(scripted({ replies: answers, concurrency: 1 })),
    concurrency: 1,
    journal,
    budget,
  });
  // No draw fails here, so every failure is a comparison.
  const comparisons = journal.events.filter(({ type }) => type === "score" || type === "failure");
  return {
    ...result,
    comparisons: comparisons.length,
    candidates: result.outcome?.candidates.map((one) => one.state.text),
  };
}

const higher = (a: number, b: number): number => (a > b ? 1 : a < b ? 0 : 0.5);

describe.each(["elimination", "round-robin"] as const)("%s", (format) => {
  test("with verdicts that do not err, the best answer wins, in whatever order answers come", async () => {
    for (const place of split(key(2), 12)) {
      const stream = random(place);
      const answers = stream.shuffled(Array.from({ length: 1 + stream.integer(9) }, (_, i) => String(i)));
      const { text: winner, comparisons, candidates } = await play(answers, higher, { format });
      const [n, best] = [answers.length, String(answers.length - 1)];
      expect([winner, candidates?.[0]]).toEqual([best, best]);
      expect(comparisons).toBe(2 * (format === "elimination" ? n - 1 : (n * (n - 1)) / 2));
      if (format === "round-robin") expect(candidates).toEqual([...answers].sort().reverse());
    }
  });

  test("a judge that always prefers the first shown settles nothing: the earliest draw stays", async () => {
    const swapped = await play(["3", "1", "4", "2"], () => 1, { format });
    expect(swapped.text).toBe("3");
    expect(swapped.outcome?.unscored).toBeUndefined();
    if (format === "round-robin")
      expect(swapped.outcome?.logStrengths).toEqual([0, 0, 0, 0].map(() => expect.closeTo(0, 6)));
  });

  test("without swap the same judge decides by place alone, for half the cost", async () => {
    const { text: winner, comparisons } = await play(["3", "1", "4", "2"], () => 1, { format, swap: false });
    expect([winner, comparisons]).toEqual(["3", format === "elimination" ? 3 : 6]);
  });

  test("an answer whose comparisons all fail is last, and no verdict at all leaves the first drawn", async () => {
    const answers = ["1", "2", "9", "0"];
    const { candidates } = await play(answers, (a, b) => (a === 9 || b === 9 ? undefined : higher(a, b)), { format });
    expect(candidates?.[0]).toBe("2");
    expect(candidates?.indexOf("9")).toBeGreaterThanOrEqual(2); // behind the two that met
    const none = await play(["9", "1", "2"], () => undefined, { format });
    expect([none.text, none.outcome?.unscored]).toEqual(["9", true]);
  });

  test("where every draw fails there is no answer", async () => {
    const compare = { name: "none", against: () => ({}) } as unknown as Comparison<TextState>;
    const policy = text(scripted({ replies: [{ failure: "unavailable" }] }));
    const { answer, outcome, stopped } = await run(tournament({ compare, format }), problem, { policy });
    expect([answer, outcome?.candidates, stopped.why]).toEqual([undefined, [], "all-failed"]);
  });

  test("one answer needs no comparison", async () => {
    const { text: winner, comparisons } = await play(["7"], higher, { format });
    expect([winner, comparisons]).toEqual(["7", 0]);
  });

  test("a budget that ends while answers are drawn leaves a tournament of those that were", async () => {
    const {
      text: winner,
      candidates,
      stopped,
    } = await play(["1", "2", "3", "4"], higher, { format, budget: { calls: 2 } });
    expect([winner, candidates?.length, stopped.why]).toEqual(["2", 2, "budget-spent"]);
  });
});

test("round-robin: a cycle is a draw of all, and strengths are those of Bradley and Terry", async () => {
  // Rock (0), paper (1), scissors (2): each beats one and loses to one.
  const beats = (a: number, b: number): number => ((a - b + 3) % 3 === 1 ? 1 : 0);
  const { text: winner, outcome } = await play(["2", "0", "1"], beats, { format: "round-robin" });
  expect(winner).toBe("2");
  expect(outcome?.logStrengths?.every((log) => Math.abs(log) < 1e-6)).toBe(true);
});

test("round-robin finds the best more often than a knock-out where verdicts err", async () => {
  const places = split(key(6), 200);
  const rates = await Promise.all(
    (["elimination", "round-robin"] as const).map(async (format) => {
      let right = 0;
      for (const place of places) {
        const stream = random(place);
        const seen = new Map<string, number>();
        const noisy = (a: number, b: number): number => {
          const pair = `${a}>${b}`;
          if (!seen.has(pair)) seen.set(pair, stream.uniform() < 0.8 ? higher(a, b) : higher(b, a));
          return seen.get(pair) as number;
        };
        const answers = stream.shuffled(["0", "1", "2", "3", "4", "5"]);
        if ((await play(answers, noisy, { format, swap: false })).text === "5") right++;
      }
      return right / places.length;
    }),
  );
  const [elimination, roundRobin] = rates as [number, number];
  // A knock-out of six: the best meets 3 others in two of three starting places, else 2 of them; each is won with 0.8.
  const expected = (4 * 0.8 ** 3 + 2 * 0.8 ** 2) / 6;
  expect(Math.abs(elimination - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / places.length)); // false alarm: 6e-7
  expect(roundRobin).toBeGreaterThan(elimination);
});

test.each([
  ["n", 0],
  ["n", 1.5],
])("refuses %s = %d by name", (name, value) => {
  expect(() => tournament({ compare: {} as Comparison<string>, [name]: value })).toThrow(`'${name}'`);
});
