/** No language model at all: eight queens by beam search, with a policy and a scorer of one's own. */
import { beam, cost, fold, type Key, key, noCost, type Policy, run, type Scorer } from "ponderosa";
import { random } from "ponderosa/math";

/** The column of the queen of each row so far. */
type Queens = readonly number[];

const size = 8;
const place: Key = key(0);

/** A step puts a queen into the next row, in a column drawn by the seed. */
const policy: Policy<Queens> = {
  name: "queens",
  root: () => [],
  text: (queens) =>
    queens.map((column) => `${". ".repeat(column)}Q ${". ".repeat(size - 1 - column)}`.trimEnd()).join("\n"),
  bound: () => cost({ calls: 1 }),
  async *extend(queens, { seeds }) {
    for (const [index, seed] of seeds.entries()) {
      const state = [...queens, random(fold(place, seed)).integer(size)];
      const logProb = -Math.log(size);
      const step = {
        state,
        done: state.length === size,
        logProb,
        logProposal: logProb,
        length: 1,
        cost: cost({ calls: 1 }),
      };
      yield { type: "extension", index, extension: step };
    }
  },
};

/** Minus the number of pairs that attack each other. */
const peace: Scorer<Queens> = {
  name: "peace",
  kind: "reward",
  score({ state }) {
    const attacks = state.flatMap((column, row) =>
      state.slice(0, row).filter((other, above) => other === column || Math.abs(other - column) === row - above),
    );
    return { score: { kind: "reward", value: 0 - attacks.length }, cost: noCost };
  },
};

const search = beam<Queens>({ width: 16, branch: 16, draw: "sample", scorer: peace, distinct: String });
const { text, answer, spent } = await run(
  search,
  { id: "queens", prompt: "" },
  { policy, seed: 5, budget: { calls: 2000 } },
);
console.log(text);
console.log(answer?.score, `${spent.calls} calls`);

// Prints:
// . . . . Q . . .
// Q . . . . . . .
// . . . Q . . . .
// . . . . . Q . .
// . . . . . . . Q
// . Q . . . . . .
// . . . . . . Q .
// . . Q . . . . .
// { kind: 'reward', value: 0 } 1680 calls
