/**
 * What the driver itself costs: time per work item and memory per node, at a thousand and at a million nodes.
 *
 *     npx node --expose-gc bench/driver.ts
 *
 * The search below is the cheapest there is, and all of it is charged to the driver: each program walks down a chain by
 * one `extend` a step; every reply is there at once. A second search scores each child too, so it has two items a node.
 * Both shapes, many programs side by side and one long chain, are measured. Medians of 5 interleaved rounds; the states
 * are one shared object, so the bytes are the tree's own.
 */
import { cost } from "../src/budget.ts";
import type { Driver } from "../src/driver.ts";
import { driver } from "../src/driver.ts";
import { key } from "../src/key.ts";
import type { Node } from "../src/node.ts";
import type { Extension } from "../src/policy.ts";
import type { Program, Search } from "../src/search.ts";
import { all, extend, score } from "../src/search.ts";

const state = Object.freeze({});
const extension: Extension<object> = {
  state,
  done: false,
  logProb: -0.5,
  logProposal: -0.25,
  length: 1,
  cost: cost({}),
};

function walk(programs: number, steps: number, scored: boolean): Search<object> {
  function* chain(root: Node<object>): Program<object, void> {
    let node = root;
    for (let i = 0; i < steps; i++) {
      [node] = (yield* extend(node)) as [Node<object>];
      if (scored) yield* score([node]);
    }
  }
  return {
    name: "walk",
    options: {},
    *run(root) {
      yield* all(Array.from({ length: programs }, () => chain(root)));
      return { answer: undefined, candidates: [] };
    },
  };
}

/** Answers everything; returns nanoseconds per work item. */
function drive(search: Search<object>): { nanoseconds: number; items: number; driver: Driver<object> } {
  let items = 0;
  const start = performance.now();
  const d = driver(search, { state, problem: { id: "walk", prompt: "" }, key: key(1) });
  for (let asked = d.ask(); asked.length > 0; asked = d.ask())
    for (const work of asked) {
      items++;
      // A fresh score each time, as a scorer would give.
      if (work.type === "extend") d.tell(work.id, { type: "extension", extension: { ...extension, logProb: -items } });
      else d.tell(work.id, { type: "score", score: { kind: "reward", value: items } });
    }
  return { nanoseconds: ((performance.now() - start) * 1e6) / items, items, driver: d };
}

const sizes = [1e3, 1e4, 1e5, 1e6];
const shapes = [
  ...sizes.map((nodes) => ({
    name: `${nodes.toLocaleString("en")} nodes, side by side`,
    programs: nodes / 10 ** Math.ceil(Math.log10(nodes) / 2),
    nodes,
    scored: false,
  })),
  ...sizes.map((nodes) => ({
    name: `${nodes.toLocaleString("en")} nodes, scored`,
    programs: nodes / 10 ** Math.ceil(Math.log10(nodes) / 2),
    nodes,
    scored: true,
  })),
  { name: "1,000,000 nodes, one chain", programs: 1, nodes: 1e6, scored: false },
];

const rounds = 5;
const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const times = new Map<string, number[]>(shapes.map(({ name }) => [name, []]));
for (let i = 0; i < 200; i++) drive(walk(100, 10, i % 2 === 0)); // warm up

for (let round = 0; round < rounds; round++)
  for (const { name, programs, nodes, scored } of shapes) {
    globalThis.gc?.();
    const repeat = Math.max(1, 1e5 / nodes); // small trees often enough for the clock
    let total = 0;
    for (let i = 0; i < repeat; i++) total += drive(walk(programs, nodes / programs, scored)).nanoseconds;
    times.get(name)?.push(total / repeat);
  }

console.log("driver, nanoseconds per work item (median of 5; min, max)");
for (const [name, values] of times)
  console.log(
    `  ${name.padEnd(32)} ${median(values).toFixed(0).padStart(6)}   (${Math.min(...values).toFixed(0)}, ${Math.max(...values).toFixed(0)})`,
  );

/** Bytes that a tree keeps alive, per node. In a function of its own, so that nothing of an earlier tree is still held. */
function bytesPerNode({ programs, nodes, scored }: (typeof shapes)[number]): number {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const { driver: kept } = drive(walk(programs, nodes / programs, scored));
  globalThis.gc?.();
  return (process.memoryUsage().heapUsed - before) / kept.nodes.length;
}

const memory: Record<string, number> = {};
if (globalThis.gc) {
  console.log("tree of 1,000,000 nodes, bytes per node beyond the states");
  for (const shape of shapes.filter(({ nodes }) => nodes === 1e6)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    memory[shape.name] = Math.round(bytesPerNode(shape));
    console.log(`  ${shape.name.padEnd(32)} ${String(memory[shape.name]).padStart(6)}`);
  }
} else console.log("memory is not measured: run with --expose-gc");

console.log(
  JSON.stringify({
    bench: "driver",
    nanosecondsPerItem: Object.fromEntries([...times].map(([name, values]) => [name, Math.round(median(values))])),
    bytesPerNode: memory,
  }),
);
