import { describe, expect, test } from "vitest";
import { methods } from "../methods.ts";
import { methodOf, parseMethod, sizeOf } from "./compact.ts";

const labelOf = (text: string): string => parseMethod(text).label;

describe("the compact form of a method", () => {
  test("the number is the option that says how much the method does", () => {
    const sizes = Object.fromEntries(methods.map((method) => [method.name, sizeOf(method)?.name]));
    expect(sizes).toMatchObject({
      sample: "n",
      "best-of-n": "n",
      majority: "n",
      "weighted-vote": "n",
      medoid: "n",
      rpc: "n",
      "hint-marginal": "n",
      synthesize: "n",
      "universal-self-consistency": "n",
      "adaptive-vote": "most",
      "optimal-stopping": "most",
      beam: "width",
      "diverse-beam": "width",
      "stochastic-beam": "width",
      dvts: "trees",
      rebase: "n",
      "most-likely": "maxNodes",
      "best-first": "maxNodes",
      levin: "maxNodes",
      "tree-of-thoughts": "maxNodes",
      mcts: "simulations",
      "ab-mcts": "n",
      refine: "rounds",
      reflexion: "trials",
      hints: "rounds",
      "ask-for-search": "tries",
      tournament: "n",
      "least-to-most": "most",
      "selection-inference": "steps",
      "backward-chaining": "depth",
      maieutic: "branch",
      "particle-filter": "particles",
      "particle-gibbs": "particles",
      "smc-steering": "particles",
    });
    expect(sizes["greedy"]).toBeUndefined();
    // Every size is an option of its method.
    for (const method of methods) if (method.size !== undefined) expect(sizeOf(method)?.name).toBe(method.size);
  });

  test.each([
    ["greedy", "greedy"],
    ["best-of-n", "best-of-n:16"],
    ["best-of-n:16", "best-of-n:16"],
    ["best-of-n?n=16&temperature=1", "best-of-n:16"],
    ["best-of-n:8?top-p=0.9&scorer=likelihood", "best-of-n:8?scorer=likelihood&top-p=0.9"],
    ["best-of-n:8?scorer=likelihood&topP=0.90", "best-of-n:8?scorer=likelihood&top-p=0.9"],
    ["levin:50?branch=2", "levin:50?branch=2"],
  ])("%s is %s", (text, label) => {
    expect(labelOf(text)).toBe(label);
    expect(labelOf(label)).toBe(label);
  });

  test("as an object it is the same, under another label where one is given", () => {
    expect(methodOf("majority", { n: 4 })).toEqual(parseMethod("majority:4"));
    expect(methodOf("majority", { n: 4 }, "few").label).toBe("few");
  });

  test.each([
    ["majorty:4", /method named "majorty": did you mean majority\?/],
    ["majority:0", /"0" as n of majority: it must be a whole number in \[1, 100000\]/],
    ["majority:x", /"x" as n of majority/],
    ["greedy:3", /greedy has no size/],
    ["majority:4?n=5", /sets n twice/],
    ["majority:4?m=5", /set "m" of majority: it takes n, temperature/],
    ["majority:4?n", /Cannot read "n" in "majority:4\?n"/],
    ["best-of-n?scorer=verifer", /"verifer" as scorer of best-of-n: did you mean verifier\?/],
  ])("%s is refused", (text, message) => {
    expect(() => parseMethod(text)).toThrow(RangeError);
    expect(() => parseMethod(text)).toThrow(message);
  });
});
