import { describe, expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { hex, type HexPosition } from "../../games/hex.ts";
import { solveMoves } from "../../games/solve.ts";
import { ticTacToe } from "../../games/tic-tac-toe.ts";
import { fold, key, seedOf } from "../../key.ts";
import { randomTabular, tabular } from "../../models/tabular.ts";
import { game, type GameState } from "../../policies/game.ts";
import type { TextState } from "../../policies/text.ts";
import { run } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { custom } from "../../scorers/custom.ts";
import { likelihood } from "../../scorers/likelihood.ts";
import { outcome } from "../../scorers/outcome.ts";
import { lettersPolicy, lettersProblem, lettersScorer } from "../../testing/letters.ts";
import { mcts, type MctsOptions } from "./mcts.ts";
import { bestBackup } from "./mcts/backup.ts";
import { gumbel } from "./mcts/gumbel.ts";
import { type Evaluation, plan } from "./mcts/plan.ts";
import { puct, uct } from "./mcts/select.ts";

const letters = (options: MctsOptions<string>, more: Partial<Parameters<typeof run<string, never>>[2]> = {}) =>
  run(mcts<string>(options), lettersProblem, {
    policy: lettersPolicy(),
    scorer: lettersScorer(),
    seed: 3,
    ...more,
  });

/** What the scorer of that world gives. */
const letterValue = (word: string): number => word.split("b").length - 1 - 0.25 * (word.split("a").length - 1);

describe("over text", () => {
  // Words of four letters out of {a, b, c, d}; the score counts the b's, so the best of all 256 is known.
  test.each([
    ["uct", uct({ c: 4 })],
    ["puct", puct()],
    ["gumbel", gumbel()],
  ])("%s finds the best of 256 words by far fewer visits", async (_, select) => {
    const { text, spent, outcome } = await letters({ select, draw: "top", branch: 4, simulations: 60 });
    expect([text, outcome?.candidates[0]?.state]).toEqual(["bbbb", "bbbb"]);
    expect(outcome?.moves.map(({ node }) => node.state)).toEqual(["a", "b", "c", "d"]);
    expect(spent.calls).toBeLessThan(100); // at most 61 scores and as many extensions as nodes that were visited twice
  });

  test("where only whole answers can be told apart, the best is found the more often the more simulations", async () => {
    // 40 random models of 31 texts; the worth of a text is drawn from its key, an unfinished one is worth 0.5.
    const models = Array.from({ length: 40 }, (_, i) => randomTabular({ key: fold(key(8), i), maxLength: 4 }));
    const found: number[] = [];
    for (const simulations of [2, 10, 40, 2000]) {
      let right = 0;
      for (const [i, model] of models.entries()) {
        const worth = (text: string) => seedOf(fold(key(i), text)) / 2 ** 31;
        const search = mcts<TextState>({
          simulations,
          select: uct({ c: 3 }),
          draw: "top",
          scorer: custom("even", () => 0.5),
          verifier: custom("worth", worth),
        });
        const { text = "" } = await solve(model, search);
        if (model.enumerate("").every((other) => worth(other.text) <= worth(text))) right++;
      }
      found.push(right);
    }
    expect([...found].sort((a, b) => a - b)).toEqual(found);
    expect(found[0]).toBeLessThan(8);
    expect(found[3]).toBe(40);
  });

  test("whole answers make a bandit of depth one: each draw is visited in turn", async () => {
    const model = randomTabular({ key: key(9), maxLength: 3 });
    const { outcome, nodes } = await solve(
      model,
      mcts<TextState>({ simulations: 12, branch: 6, select: uct(), scorer: likelihood() }),
      { step: "answer" },
    );
    expect(nodes.length).toBe(1 + 6);
    expect(outcome?.moves.map(({ visits }) => visits > 0)).toEqual(new Array(6).fill(true));
    const byLikelihood = nodes.slice(1).sort((a, b) => b.totalLogProb - a.totalLogProb);
    expect(outcome?.answer?.totalLogProb).toBe(byLikelihood[0]?.totalLogProb);
  });

  test("every visited node is worth the mean of its own value and those below, visits adding up", async () => {
    for (const options of [{ workers: 4 }, { widening: {}, rollout: true }]) {
      const { outcome } = await letters({ ...options, simulations: 80 });
      const { visited = [] } = outcome ?? {};
      expect(visited[0]).toMatchObject({ node: { id: "root" }, visits: 81 });
      for (const { node, visits, value } of visited) {
        const below = visited.filter((other) => other.node.parent === node);
        if (node.done) continue; // visited again, with the same value
        const plays = below.reduce((sum, child) => sum + child.visits, 0);
        const own = value * visits - below.reduce((sum, child) => sum + child.visits * child.value, 0);
        if (plays > 0) expect(visits).toBe(plays + 1);
        if (!("rollout" in options)) expect(own / (visits - plays)).toBeCloseTo(letterValue(node.state), 9);
      }
    }
  });

  test("ends once an answer is good enough", async () => {
    const { outcome, text } = await letters({ draw: "top", branch: 4, simulations: 1000, enough: 3 });
    expect(letterValue(text as string)).toBeGreaterThanOrEqual(3);
    expect(outcome?.visited[0]?.visits).toBeLessThan(100);
  });

  test("a roll-out is worth its end: the mean of many is the mean score of answers", async () => {
    // The score of a word of the letters' world is the sum over letters: b 1, a -0.25; a draw has 4 * (0.3 - 0.1) = 0.8.
    // Of 400 children each is visited once, so that each visit is one word drawn to its end.
    const { outcome } = await letters({ rollout: true, branch: 400, simulations: 400, select: uct() });
    const values = outcome?.moves.map(({ value }) => value) as number[];
    const average = values.reduce((sum, value) => sum + value) / values.length;
    // One letter has variance 0.4 * 0.0625 + 0.3 - 0.2^2 = 0.285; a word 1.14; 400 words a standard error of 0.0534.
    expect(values.length).toBe(400);
    expect(Math.abs(average - 0.8)).toBeLessThan(4 * 0.0534); // false alarm: 6e-5
  });
});

describe("children that are drawn", () => {
  test("widen as visits grow: at most ceil(c N^alpha), N visits of the node; each is visited as it is drawn", async () => {
    for (const [c, alpha, simulations] of [
      [1, 0.5, 50],
      [2, 0.3, 100],
      [1, 1, 20],
      [3, 0, 20],
    ] as const) {
      const { outcome } = await letters({ widening: { c, alpha }, simulations });
      expect(outcome?.moves.length).toBe(Math.min(simulations, Math.ceil(c * simulations ** alpha)));
      expect(Math.min(...(outcome?.moves.map(({ visits }) => visits) ?? []))).toBeGreaterThan(0);
    }
  });

  test("equal ones are one child, their prior the share of the draws", async () => {
    for (const options of [{ branch: 40 }, { widening: { c: 40, alpha: 0 } }]) {
      const { outcome, nodes } = await letters({ ...options, simulations: 45, distinct: (state) => state });
      const drawn = nodes.filter(({ depth }) => depth === 1).map(({ state }) => state);
      const { moves = [] } = outcome ?? {};
      expect(moves.length).toBe(new Set(drawn).size);
      for (const { node, prior } of moves)
        expect(prior).toBeCloseTo(drawn.filter((state) => state === node.state).length / drawn.length, 12);
    }
  });
});

describe("over games", () => {
  const board = hex(3);
  /** A value and a prior for every position, drawn from its key. */
  const opinion = (position: HexPosition): Required<Evaluation> => {
    const place = board.key(position);
    return {
      value: (2 * seedOf(fold(key(1), place))) / 2 ** 31 - 1,
      priors: board.moves(position).map((move) => 1 + (seedOf(fold(key(2), `${place} ${move}`)) % 7)),
    };
  };
  const policy = game(board, { prior: (position) => opinion(position).priors });
  const scorer: Scorer<GameState<HexPosition>> = outcome(board, { evaluate: (position) => opinion(position).value });
  const turn = ({ position }: GameState<HexPosition>) => board.turn(position);

  test.each([
    ["uct", uct(), undefined],
    ["puct", puct(), undefined],
    ["puct, best backed up", puct(), bestBackup],
    ["gumbel without noise", gumbel({ noise: 0 }), undefined],
  ])("the same visits and values as without effects: %s", async (_, select, backup) => {
    for (const simulations of [1, 7, 200]) {
      const planned = plan(board.start, {
        game: board,
        evaluate: opinion,
        simulations,
        select,
        ...(backup && { backup }),
      });
      const { outcome, answer } = await run(
        mcts<GameState<HexPosition>>({ simulations, select, draw: "top", turn, ...(backup && { backup }) }),
        { id: "hex", prompt: "" },
        { policy, scorer },
      );
      const moves = outcome?.moves.map(({ node, visits, value }) => [node.state.move, visits, value]);
      moves?.sort((a, b) => (a[0] as number) - (b[0] as number));
      expect(moves).toEqual(planned.moves.map(({ move, visits, value }) => [move, visits, value]));
      expect(answer?.state.move).toBe(planned.move);
    }
  });

  test("from the first round on, the best so far is a move: the most visited", async () => {
    const running = run(
      mcts<GameState<HexPosition>>({ simulations: 50, draw: "top", turn }),
      { id: "hex", prompt: "", data: [0, 1, 4, 3] },
      { policy, scorer },
    );
    for await (const _ of running) if (running.nodes.length > 20) expect(running.best?.node.depth).toBe(1);
    const { outcome } = await running;
    const most = Math.max(...(outcome?.moves.map(({ visits }) => visits) ?? []));
    expect([running.best?.value, running.best?.node]).toEqual([most, outcome?.answer]);
  });

  test("the value of a move can decide in place of its visits", async () => {
    const chosen = async (choose: "visits" | "value") => {
      const search = mcts<GameState<HexPosition>>({ simulations: 12, draw: "top", turn, choose, select: uct() });
      const { outcome, answer } = await run(search, { id: "hex", prompt: "" }, { policy, scorer });
      return { moves: outcome?.moves ?? [], answer };
    };
    const { moves, answer } = await chosen("value");
    const most = Math.max(...moves.filter(({ visits }) => visits > 0).map(({ value }) => value));
    expect(moves.find(({ node }) => node === answer)?.value).toBe(most);
  });

  test("with random playouts it finds the winning moves of tic-tac-toe, for both players", async () => {
    const solved = new Map();
    const openings = [
      [0, 4, 1], // the second player must block at 2: not to lose is the best there is
      [0, 1, 4, 2], // the first player wins at 8
      [0, 4, 8, 1, 3], // the second player wins at 7
    ];
    const rules = ticTacToe;
    for (const data of openings) {
      const position = data.reduce((at, move) => rules.play(at, move), rules.start);
      const sign = rules.turn(position);
      const values = solveMoves(rules, position, solved);
      const most = Math.max(...values.map(({ value }) => sign * value));
      const right = values.filter(({ value }) => sign * value === most).map(({ move }) => move);
      const { answer, outcome: known } = await run(
        mcts<GameState<typeof rules.start>>({
          simulations: 400,
          select: uct(),
          draw: "top",
          turn: (state) => rules.turn(state.position),
          workers: 8,
        }),
        { id: "opening", prompt: "", data },
        { policy: game(rules), scorer: outcome(rules) as Scorer<GameState<typeof rules.start>>, seed: 2 },
      );
      expect(right).toContain(answer?.state.move);
      for (const { value } of known?.moves ?? []) expect(Math.abs(value)).toBeLessThanOrEqual(1);
    }
  });
});

describe("workers", () => {
  test("the same tree in whatever order replies come", async () => {
    const search: MctsOptions<string> = { workers: 5, simulations: 60, branch: 3 };
    const calm = await letters(search);
    for (const disorder of [1, 2, 3]) {
      const stormy = await letters(search, {
        policy: lettersPolicy({ disorder, batch: disorder }),
        concurrency: disorder,
      });
      const known = ({ outcome }: typeof calm) => outcome?.moves.map(({ node, ...rest }) => [node.id, rest]);
      expect(known(stormy)).toEqual(known(calm));
    }
  });

  test("spread over siblings, where one alone would follow the best", async () => {
    const spreadOf = async (workers: number) => {
      const { outcome } = await letters({ workers, simulations: 64, draw: "top", branch: 4 });
      expect(outcome?.moves.reduce((sum, { visits }) => sum + visits, 0)).toBe(64); // whatever is shared, each counts
      return Math.max(...(outcome?.moves.map(({ visits }) => visits) ?? []));
    };
    expect(await spreadOf(16)).toBeLessThan(await spreadOf(1));
  });
});

describe("what goes wrong", () => {
  const halfBlind: Scorer<string> = {
    ...lettersScorer(),
    score: (node, request) => {
      if (node.state.endsWith("a")) throw new Error("no idea");
      return lettersScorer().score(node, request);
    },
  };

  test("a node that cannot be scored is left alone and counts for nothing", async () => {
    const { outcome } = await letters({ draw: "top", branch: 4, scorer: halfBlind, simulations: 40 });
    const [a, ...others] = outcome?.moves ?? [];
    expect([a?.node.state, a?.visits, a?.value]).toEqual(["a", 0, Number.NaN]);
    expect(others.reduce((sum, { visits }) => sum + visits, 0)).toBeGreaterThanOrEqual(20);
    expect(outcome?.candidates[0]?.state).toBe("bbbb");
  });

  test("where nothing can be scored, a finished answer is still an answer, and the search ends", async () => {
    const blind = custom<TextState>("blind", () => Number.NaN);
    const model = tabular({ alphabet: "ab.", maxLength: 1, conditional: () => [0.5, 0.3, 0.2] });
    const { text, stopped } = await solve(model, mcts<TextState>({ draw: "top", scorer: blind, simulations: 1000 }));
    expect([text, stopped]).toEqual(["", { why: "answered" }]);
  });

  test("a spent budget ends it with what it has", async () => {
    const { text, stopped, outcome } = await letters({ simulations: 1000 }, { budget: { calls: 60 } });
    expect(stopped).toEqual({ why: "budget-spent", limit: "calls" });
    expect(text).toBe(outcome?.candidates[0]?.state);
    const none = await letters({ simulations: 1000 }, { budget: { calls: 3 } });
    expect([none.text, none.stopped.why]).toEqual([undefined, "budget-spent"]);
  });
});

test.each([
  ["simulations", { simulations: 0 }],
  ["branch", { branch: 1.5 }],
  ["workers", { workers: -1 }],
  ["enough", { enough: Number.NaN }],
  ["widening", { widening: { c: 0 } }],
  ["widening", { widening: { alpha: 2 } }],
  ["widening", { widening: {}, draw: "top" }],
  ["widening", { widening: {}, select: gumbel() }],
] as [string, MctsOptions<string>][])("refuses a wrong '%s' by name", (name, options) => {
  expect(() => mcts(options)).toThrow(`'${name}'`);
});
