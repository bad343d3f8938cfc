import { expect, test } from "vitest";
import {
  applicable,
  exactly,
  placesOf,
  proofOf,
  simulated,
  stated,
  statementsOf,
} from "../../../test/helpers/reasoner.ts";
import { fold, key } from "../../key.ts";
import { run } from "../../run.ts";
import { horn, type HornRule, type HornWorld, lineOf, makeHorn, opposite, worldOf } from "../../tasks/horn.ts";
import { extend, type Search } from "../../search.ts";
import { type InferenceStep, selectionInference } from "./selection-inference.ts";

const said = (world: HornWorld, known: readonly string[]): "yes" | "no" | "unknown" =>
  known.includes(world.question) ? "yes" : known.includes(opposite(world.question)) ? "no" : "unknown";

/** The trace as the task's checker reads it: a step that is no application of a rule becomes a line that it refuses. */
const asAnswer = (world: HornWorld, known: readonly string[], steps: readonly InferenceStep[]): string =>
  `${steps
    .map(({ from, inferred }) => {
      const rule = from.map((place) => place - world.facts.length).find((place) => world.rules[place]) ?? -1;
      const follows = world.rules[rule]?.conclusion === inferred;
      return follows ? lineOf(world, rule) : `${inferred} out of nothing\n`;
    })
    .join("")}${said(world, known)}\n`;

/** Selects the next rule of the shortest proof, and infers the opposite of what follows with probability 1 - q. */
const directed = (world: HornWorld, steps: number, q: number) =>
  selectionInference<string>({
    statements: () => statementsOf(world),
    select: exactly("select", (known: readonly string[]) => {
      const next = proofOf(world).find((rule) => !known.includes((world.rules[rule] as HornRule).conclusion));
      return next === undefined ? [] : placesOf(world, next, known);
    }),
    infer: exactly("infer", ([rule]: readonly string[], stream) => {
      const conclusion = rule?.split(">")[1] ?? "";
      return stream.uniform() < q ? conclusion : opposite(conclusion);
    }),
    halt: (known) => said(world, known) !== "unknown",
    answer: (known, steps) => stated(asAnswer(world, known, steps)),
    steps,
  });

/** Sees the facts, and guesses where they do not say it. */
const direct = (world: HornWorld): Search<string> => ({
  name: "direct",
  options: {},
  *run(root) {
    const policy = simulated(
      "guess",
      ({ pick }) => (world.facts.includes(world.question) ? "yes" : pick(["yes", "no"])),
      {
        done: true,
      },
    );
    const candidates = yield* extend(root, { policy });
    return { answer: candidates[0], candidates };
  },
});

const policy = stated("");
const decidable = (depth: number, count: number) =>
  Array.from({ length: 3 * count }, (_, seed) => makeHorn(fold(key(depth), seed), depth))
    .filter(({ reference }) => reference !== "unknown")
    .slice(0, count);

test("with steps that are right with probability q the answer is right with probability q^depth, and better than a guess", async () => {
  const [worlds, q] = [200, 0.9];
  for (const depth of [1, 2, 3, 5]) {
    let right = 0;
    let guessed = 0;
    for (const [i, problem] of decidable(depth, worlds).entries()) {
      const seed = 1000 * depth + i;
      const world = worldOf(problem);
      const { text = "" } = await run(directed(world, depth, q), problem, { policy, seed });
      const { correct, steps } = horn.check(problem, text);
      // The exact engine accepts all steps or refuses one: an answer is right only if every step is.
      expect(correct).toBe(steps.every(({ valid }) => valid) && horn.canonical(problem, text) === problem.reference);
      if (correct) right++;
      if ((await run(direct(world), problem, { policy, seed })).text === problem.reference) guessed++;
    }
    // Standard error sqrt(p (1 - p) / 200); four of them either way, so a false alarm in 16 000 for each depth.
    const expected = q ** depth;
    expect(Math.abs(right / worlds - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / worlds));
    expect(right).toBeGreaterThan(guessed);
  }
}, 20_000);

test("exact modules that choose at random prove every question, and see where nothing follows", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const problem = makeHorn(key(seed), 3);
    const world = worldOf(problem);
    const search = selectionInference<string>({
      statements: () => statementsOf(world),
      select: exactly("select", (known: readonly string[], stream) => {
        const rules = applicable(world, known);
        return rules.length === 0 ? [] : placesOf(world, stream.pick(rules), known);
      }),
      infer: exactly("infer", ([rule]: readonly string[]) => rule?.split(">")[1] ?? ""),
      halt: (known) => said(world, known) !== "unknown",
      answer: (known, steps) => stated(asAnswer(world, known, steps)),
      steps: world.rules.length,
    });
    const { text = "", outcome, spent } = await run(search, problem, { policy, seed });
    expect(horn.check(problem, text).correct).toBe(true);
    expect(outcome?.ended).toBe(problem.reference === "unknown" ? "nothing-follows" : "halted");
    expect(spent.calls).toBe(2 * (outcome?.steps.length ?? 0) + (outcome?.ended === "nothing-follows" ? 1 : 0));
  }
});

test("nonsense and repetitions are failed steps, with a reason, and the program goes on", async () => {
  const replies = [[99], [0, 1], [0, 1], [0, 2]];
  const inferred = ["a", "b"];
  const search = selectionInference<string>({
    statements: () => ["a", "a>b", "a>c"],
    select: {
      name: "select",
      ask: (known) => simulated(`select from ${known}`, () => "?"),
      read: () => {
        const value = replies.shift();
        return value ? { value } : { why: "it is nonsense" };
      },
    },
    infer: { name: "infer", ask: () => undefined, read: () => ({ value: inferred.shift() ?? "c" }) },
    answer: (known) => stated(known.join(" ")),
    steps: 6,
  });
  const { text, outcome } = await run(search, { id: "nonsense", prompt: "" }, { policy, seed: 1 });
  expect(text).toBe("a a>b a>c b c");
  expect(outcome?.ended).toBe("out-of-steps");
  expect(outcome?.steps).toEqual([
    { from: [0, 1], inferred: "b" },
    { from: [0, 2], inferred: "c" },
  ]);
  expect(outcome?.failedSteps.map(({ module, why }) => [module, why])).toEqual([
    ["select", "what was selected is not there"],
    ["infer", "what was inferred is known already"],
    ["select", "it is nonsense"],
    ["select", "it is nonsense"],
  ]);
});

test("refuses steps = 0 by name", () => {
  expect(() => directed({ facts: [], rules: [], question: "a" }, 0, 1)).toThrow("'steps'");
});
