/**
 * What the methods themselves cost, all calls being free:
 *
 *     npx node bench/search.ts [--only mcts] [--rounds 5]
 *
 * 1. Driver and program of every method, per node, in a tree of about 1,000 and of about 100,000 nodes. Replies are there at
 *    once: steps of random log-probability, random scores, answers of eight steps. The small trees are run until the compiler
 *    has seen them, then again until 20,000 nodes are made.
 * 2. The mixed model of AB-MCTS at 50 answers.
 * 3. PUCT simulations a second on Hex 5, the evaluations in a table (and computed where the table has none).
 * 4. A bootstrap filter of 1,000 particles over 100 steps of a linear Gaussian model.
 *
 * Medians of interleaved rounds.
 */
import { parseArgs } from "node:util";
import { majority } from "../src/aggregators/majority.ts";
import { cost } from "../src/budget.ts";
import { driver } from "../src/driver.ts";
import { hex } from "../src/games/index.ts";
import { fold, key } from "../src/key.ts";
import { type Random, random } from "../src/math/random.ts";
import type { Scorer } from "../src/scorer.ts";
import type { Search } from "../src/search.ts";
import {
  abMcts,
  alphaBeta,
  aStar,
  beam,
  bestFirst,
  bestOfN,
  bootstrapFilter,
  diverseBeam,
  dvts,
  type Evaluation,
  gumbel,
  hamming,
  levin,
  mcts,
  oddsWeight,
  particleFilter,
  particleGibbs,
  plan,
  potential,
  rebase,
  refine,
  sample,
  smcSteering,
  stochasticBeam,
  tournament,
  treeOfThoughts,
  uct,
  vote,
} from "../src/search/index.ts";

const { values } = parseArgs({
  options: { only: { type: "string", default: "" }, rounds: { type: "string", default: "5" } },
});
const rounds = Number(values.rounds);

/** A state is the number of its steps and a number of its own. */
interface State {
  readonly steps: number;
  readonly mark: number;
}

const scorer: Scorer<State> = {
  name: "random",
  kind: "probability",
  score: () => ({ kind: "probability", value: 0.5 }), // the bench replies in its place
};
const steps = 8;
const deep = 10_000; // so deep that nothing ends

/** Answers everything at once; microseconds a node. */
function microseconds(search: Search<State>, depth: number, stream: Random): { perNode: number; nodes: number } {
  let nodes = 0;
  const began = performance.now();
  const d = driver(search, { state: { steps: 0, mark: 0 }, problem: { id: "bench", prompt: "" }, key: key(1), scorer });
  for (let asked = d.ask(); asked.length > 0; asked = d.ask())
    for (const work of asked) {
      if (work.type === "score") {
        d.tell(work.id, { type: "score", score: { kind: "probability", value: stream.uniform() } });
        continue;
      }
      nodes++;
      const next = work.node.state.steps + 1;
      const logProb = -stream.uniform() * 3;
      const state = { steps: next, mark: nodes };
      d.tell(work.id, {
        type: "extension",
        extension: { state, done: next >= depth, logProb, logProposal: logProb, length: 1, cost: cost({}) },
      });
    }
  if (!d.result || "error" in d.result)
    throw new Error(`${search.name} failed: ${String(d.result && "error" in d.result ? d.result.error : "no result")}`);
  return { perNode: ((performance.now() - began) * 1000) / nodes, nodes };
}

const odds = potential(scorer, oddsWeight);
const every = () => undefined;

/** The search that makes about n nodes, and how deep answers are. */
const methods: Record<string, { make: (n: number) => Search<State>; depth?: number }> = {
  sample: { make: (n) => sample({ n: n / steps }) },
  "best-of-n": { make: (n) => bestOfN({ n: n / steps }) },
  vote: {
    make: (n) => vote({ n: n / steps, aggregator: majority({ canonical: ({ state }) => String(state.mark % 7) }) }),
  },
  tournament: {
    make: (n) => tournament({ n: Math.min(1000, n / steps), compare: { name: "random", against: () => scorer } }),
  },
  beam: { make: (n) => beam({ width: n / steps / 4, branch: 4, draw: "sample", scorer }) },
  "diverse-beam": {
    make: (n) =>
      diverseBeam({
        width: n / steps / 4,
        branch: 4,
        groups: 5,
        penalty: hamming(({ state }) => String(state.mark % 16)),
      }),
  },
  "stochastic-beam": { make: (n) => stochasticBeam({ width: n / steps / 4, branch: 4, scorer }) },
  dvts: { make: (n) => dvts({ trees: n / steps / 4, branch: 4, scorer }) },
  rebase: { make: (n) => rebase({ n: n / steps, scorer }) },
  "a-star": { make: (n) => aStar({ branch: 4, bound: () => 0, maxNodes: n / 4 }), depth: deep },
  "best-first": { make: (n) => bestFirst({ branch: 4, scorer, maxNodes: n / 4 }), depth: deep },
  levin: { make: (n) => levin({ branch: 4, verifier: scorer, maxNodes: n / 4 }), depth: deep },
  "tree-of-thoughts": {
    make: (n) => treeOfThoughts({ branch: 4, scorer, verifier: scorer, enough: 2, maxNodes: n / 4 }),
  },
  "alpha-beta": {
    make: (n) =>
      alphaBeta({ turn: ({ steps }) => (steps % 2 === 0 ? 1 : -1), branch: Math.ceil(n ** 0.2), depth: 5, scorer }),
    depth: deep,
  },
  "mcts, PUCT": { make: (n) => mcts({ simulations: n / 4, branch: 4, scorer }), depth: deep },
  "mcts, UCT": { make: (n) => mcts({ simulations: n / 4, branch: 4, scorer, select: uct() }), depth: deep },
  "mcts, Gumbel": { make: (n) => mcts({ simulations: n / 4, branch: 4, scorer, select: gumbel() }), depth: deep },
  "ab-mcts": { make: (n) => abMcts({ actions: { ask: every }, n }), depth: 1 },
  "particle-filter": { make: (n) => particleFilter({ particles: n / steps, potential: odds }) },
  "particle-gibbs": { make: (n) => particleGibbs({ particles: n / steps / 4, iterations: 4, potential: odds }) },
  "smc-steering": { make: (n) => smcSteering({ particles: n / steps / 2, factor: 2, potential: odds }) },
  refine: { make: (n) => refine({ revise: every, rounds: 8, parallel: n / 8, enough: 2 }), depth: 1 },
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
const chosen = Object.entries(methods).filter(([name]) => name.includes(values.only));
const small = new Map<string, number[]>();
const large = new Map<string, number[]>();
const made = new Map<string, number>();
for (let round = 0; round < rounds; round++)
  for (const [name, { make, depth = steps }] of chosen) {
    const stream = random(fold(key(round), name));
    for (let i = 0; i < 10; i++) microseconds(make(960), depth, stream);
    const times: number[] = [];
    for (let nodes = 0; nodes < 20_000; ) {
      const one = microseconds(make(960), depth, stream);
      nodes += one.nodes;
      times.push(one.perNode);
    }
    small.set(name, [...(small.get(name) ?? []), median(times)]);
    const one = microseconds(make(96_000), depth, stream);
    large.set(name, [...(large.get(name) ?? []), one.perNode]);
    made.set(name, one.nodes);
  }

const rows = chosen.map(([name]) => {
  const [at1e3, at1e5] = [median(small.get(name) ?? []), median(large.get(name) ?? [])];
  return { name, at1e3, at1e5, ratio: at1e5 / at1e3, nodes: made.get(name) ?? 0 };
});
console.log(
  "| method | µs a node, 1,000 nodes | µs a node, 100,000 nodes | ratio | nodes made |\n|---|---|---|---|---|",
);
for (const { name, at1e3, at1e5, ratio, nodes } of rows)
  console.log(`| ${name} | ${at1e3.toFixed(1)} | ${at1e5.toFixed(1)} | ${ratio.toFixed(2)} | ${nodes} |`);

if ("mixed model".includes(values.only)) {
  const times: number[] = [];
  for (let i = 0; i < 20 * rounds; i++)
    times.push(microseconds(abMcts({ actions: { ask: every }, n: 50, beliefs: "mixed" }), 1, random(i)).perNode);
  console.log(`AB-MCTS with the mixed model, 50 answers: ${(median(times) / 1000).toFixed(2)} ms an answer`);
}

if ("puct hex".includes(values.only)) {
  const game = hex(5);
  const uniform = new Float64Array(25).fill(1);
  const table = new Map<string, Evaluation>();
  const values = random(5);
  const evaluate = (position: typeof game.start): Evaluation => {
    const name = game.key(position);
    let found = table.get(name);
    if (!found) {
      found = { value: 2 * values.uniform() - 1, priors: uniform.subarray(0, 25 - position.stones) };
      table.set(name, found);
    }
    return found;
  };
  const rates: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const simulations = 50_000;
    const began = performance.now();
    plan(game.start, { game, evaluate, simulations });
    if (round > 0) rates.push((1000 * simulations) / (performance.now() - began));
  }
  console.log(`PUCT on Hex 5: ${Math.round(median(rates)).toLocaleString("en")} simulations a second`);
}

if ("bootstrap filter".includes(values.only)) {
  const observed = random(2);
  const data = Float64Array.from({ length: 100 }, () => observed.normal() * 2);
  const model = {
    initial(states: Float64Array, stream: Random) {
      for (let i = 0; i < states.length; i++) states[i] = stream.normal();
    },
    transition(states: Float64Array, stream: Random) {
      for (let i = 0; i < states.length; i++) states[i] = 0.9 * (states[i] as number) + stream.normal();
    },
    logLikelihood(states: Float64Array, logs: Float64Array, step: number) {
      for (let i = 0; i < states.length; i++) logs[i] = -0.5 * ((data[step] as number) - (states[i] as number)) ** 2;
    },
  };
  const times: number[] = [];
  for (let round = 0; round < 20 * rounds; round++) {
    const began = performance.now();
    bootstrapFilter(model, { steps: 100, particles: 1000, key: key(round) });
    times.push(performance.now() - began);
  }
  console.log(`bootstrap filter, 1,000 particles, 100 steps: ${median(times).toFixed(1)} ms`);
}
