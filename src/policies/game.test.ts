import { describe, expect, test } from "vitest";
import { cost, noCost } from "../budget.ts";
import { connectFour, hex, type HexPosition, ticTacToe } from "../games/index.ts";
import type { Extension } from "../policy.ts";
import { run } from "../run.ts";
import { memoryJournal } from "../runs/memory.ts";
import { outcome } from "../scorers/outcome.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { game, type GameOptions, type GameState } from "./game.ts";

const rules = hex(3);
const problem = { id: "hex", prompt: "" };

async function childrenOf(
  draw: "top" | "sample",
  entries: readonly number[],
  options: GameOptions<HexPosition> = {},
  from: GameState<HexPosition> = { position: rules.start },
): Promise<Extension<GameState<HexPosition>>[]> {
  const { signal } = new AbortController();
  const children: Extension<GameState<HexPosition>>[] = [];
  const policy = game(rules, options);
  for await (const part of policy.extend(from, { problem, draw, seeds: entries, ranks: entries, signal }))
    if (part.type === "extension") children.push(part.extension);
  return children;
}

const movesOf = (children: readonly Extension<GameState<HexPosition>>[]) => children.map(({ state }) => state.move);

/** a1 never, b2 (move 4) most. */
const prior = (_: HexPosition, moves: readonly number[]) =>
  moves.map((move) => (move === 0 ? 0 : move === 4 ? 5 : move === 7 ? 2 : 1));

describe("top", () => {
  test("gives the legal moves in order of number, where all are equally likely, and no more than there are", async () => {
    const children = await childrenOf(
      "top",
      Array.from({ length: 20 }, (_, rank) => rank),
    );
    expect(movesOf(children)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const { logProb, logProposal, length, cost } of children)
      expect({ logProb, logProposal, length, cost }).toEqual({
        logProb: Math.log(1 / 9),
        logProposal: 0,
        length: 1,
        cost: noCost,
      });
  });

  test("by descending prior where there is one, with its logarithm, for one call in all", async () => {
    const children = await childrenOf("top", [0, 1, 2, 8], { prior });
    expect(movesOf(children)).toEqual([4, 7, 1, 0]);
    expect(children.map(({ logProb }) => logProb)).toEqual([5, 2, 1, 0].map((weight) => Math.log(weight / 13)));
    expect(children.map(({ cost }) => cost.calls)).toEqual([1, 0, 0, 0]);
  });
});

describe("sample", () => {
  test("draws moves as often as the prior says", async () => {
    const n = 5000;
    const children = await childrenOf(
      "sample",
      Array.from({ length: n }, (_, seed) => seed),
      { prior },
    );
    for (const [move, weight] of [0, 1, 1, 1, 5, 1, 1, 2, 1].entries()) {
      const p = weight / 13;
      const share = children.filter(({ state }) => state.move === move).length / n;
      expect(Math.abs(share - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / n)); // false alarm: 9 · 6e-7
    }
    for (const { state, logProb, logProposal } of children.slice(0, 50))
      expect([logProb, logProposal]).toEqual(
        Array(2).fill(Math.log((state.move === 4 ? 5 : state.move === 7 ? 2 : 1) / 13)),
      );
  });

  test("the same seed gives the same move, whatever is drawn beside it", async () => {
    expect(movesOf(await childrenOf("sample", [9, 3]))).toEqual([
      ...movesOf(await childrenOf("sample", [9])),
      ...movesOf(await childrenOf("sample", [3])),
    ]);
  });
});

test("a game is played to its end, journaled as moves, and read back from them", async () => {
  const journal = memoryJournal();
  const policy = game(rules);
  const options = { policy, scorer: outcome(rules), seed: 4, journal };
  const result = await run(bestOfN<GameState<HexPosition>>({ n: 6 }), problem, options);
  expect(result.spent.calls).toBe(0);
  for (const node of result.outcome?.candidates ?? []) {
    expect(node.length).toBe(node.state.position.stones);
    expect(node.score).toEqual({ kind: "reward", value: rules.result(node.state.position) });
  }
  const steps = journal.events.flatMap((event) => (event.type === "extension" ? [event.step] : []));
  expect(steps.every((step) => Number.isInteger(step))).toBe(true);
  const again = await run(bestOfN<GameState<HexPosition>>({ n: 6 }), problem, {
    ...options,
    journal: memoryJournal(journal.events),
  });
  expect(again.text).toBe(result.text);
  expect(again.nodes.map(({ state }) => rules.key(state.position)).sort()).toEqual(
    result.nodes.map(({ state }) => rules.key(state.position)).sort(),
  );
});

test("begins at the position after the problem's moves", () => {
  const policy = game(ticTacToe);
  const state = policy.root({ id: "p", prompt: "", data: [4, 0] });
  expect(policy.text(state)).toBe("  a b c\n1 o . .\n2 . x .\n3 . . .");
  expect(() => policy.root({ id: "p", prompt: "", data: [4, 4] })).toThrow("Cannot play 4 in tic-tac-toe");
  expect(() => policy.root({ id: "p", prompt: "", data: "b2" })).toThrow(
    `Cannot start tic-tac-toe as the problem's data must be a list of moves: current value is "b2"`,
  );
});

test.each([
  ["too few", () => [1]],
  ["one below 0", (_: HexPosition, moves: readonly number[]) => moves.map((move) => move - 1)],
  ["all 0", (_: HexPosition, moves: readonly number[]) => moves.map(() => 0)],
])("refuses a prior with %s", async (_, prior) => {
  await expect(childrenOf("top", [0], { prior })).rejects.toThrow("Cannot use the prior as it must be 9 numbers >= 0");
});

test("names its rules and its prior, and costs what asking costs", () => {
  expect(game(connectFour()).name).toBe("game:connect-4-7x6");
  expect(game(rules, { prior, name: "net-3" }).name).toBe("game:hex-3, prior net-3");
  expect(game(rules).bound({ position: rules.start }, problem)).toEqual(noCost);
  expect(game(rules, { prior }).bound({ position: rules.start }, problem)).toEqual(cost({ calls: 1 }));
});
