import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noCost } from "./budget.ts";
import type { Driver, Reply, Work } from "./driver.ts";
import { driver } from "./driver.ts";
import { fold, key, seedOf } from "./key.ts";
import { random } from "./math/random.ts";
import type { Node } from "./node.ts";
import { comparePlaces } from "./node.ts";
import type { Score, Scorer } from "./scorer.ts";
import type { Effect, Outcome, Program, Search } from "./search.ts";
import { all, BudgetSpent, extend, first, propose, score } from "./search.ts";

// A state is the ids of the work that led to it; a child's name is its parent's and its place.
type State = string;
type Body = (root: Node<State>) => Program<State, unknown>;

const problem = { id: "p", prompt: "" };
const search = (body: Body): Search<State> => ({
  name: "test",
  options: {},
  *run(root) {
    const value = yield* body(root);
    return { answer: undefined, candidates: [], value } as Outcome<State>;
  },
});

const start = (body: Body, scorer?: Scorer<State>): Driver<State> =>
  driver(search(body), { state: "", problem, key: key(7), scorer });

const grown = ({ id, node }: Work<State>, done = false): Reply<State> => ({
  type: "extension",
  extension: { state: `${node.state}/${id}`, done, logProb: -1, logProposal: -1, length: 1, cost: noCost },
});
const judged = (value: number): Reply<State> => ({ type: "score", score: { kind: "reward", value } });
const reply = (work: Work<State>): Reply<State> => (work.type === "extend" ? grown(work) : judged(work.index));
const denied: Reply<State> = { type: "denied", limit: "tokens" };
const broken: Reply<State> = { type: "failure", failure: { code: "error", message: "broke" } };

const ids = (works: readonly Work<State>[]): string[] => works.map(({ id }) => id);
const states = (nodes: unknown): string[] => (nodes as Node<State>[]).map(({ state }) => state);

/** Answers everything in order until nothing is asked; the program's value. */
function finish(d: Driver<State>, answer = reply): unknown {
  for (let works = d.ask(); works.length > 0; works = d.ask()) for (const work of works) d.tell(work.id, answer(work));
  return value(d);
}

function value({ result }: Driver<State>): unknown {
  if (!result) throw new Error("The program has not ended");
  if ("error" in result) throw result.error;
  return (result.outcome as unknown as { value: unknown }).value;
}

describe("places", () => {
  test("an id is the way through the program", () => {
    const d = start(function* (root) {
      const [a, b] = yield* extend(root, { count: 2 });
      yield* propose(a as Node<State>); // takes no place: nothing is asked
      yield* score([a, b] as Node<State>[]);
      yield* all(
        [
          function* (): Program<State, void> {
            const [c] = yield* extend(a as Node<State>);
            yield* first(1, [extend(c as Node<State>), score([c as Node<State>])] as Program<State, unknown>[]);
          },
          function* (): Program<State, void> {
            yield* extend(b as Node<State>, { count: 2, draw: "top" });
          },
        ].map((program) => program()),
      );
      yield* extend(root);
    });
    const rounds: string[][] = [];
    for (let works = d.ask(); works.length > 0; works = d.ask()) {
      rounds.push(ids(works));
      for (const work of works)
        if (work.id !== "2.0.1.1.0#0" || !d.unwanted().includes(work.id)) d.tell(work.id, reply(work));
    }
    // effect 0 of the program: two samples
    // effect 1: their scores
    // effect 2, an `all`: its program 0 and its program 1, each at its own effect 0
    //   effect 1 of program 0, a `first`: its programs 0 and 1
    // effect 3
    expect(rounds).toEqual([
      ["0#0", "0#1"],
      ["1#0", "1#1"],
      ["2.0.0#0", "2.1.0#0", "2.1.0#1"],
      ["2.0.1.0.0#0", "2.0.1.1.0#0"],
      ["3#0"],
    ]);
    expect(states(d.nodes)).toEqual([
      "",
      "/0#0",
      "/0#1",
      "/0#0/2.0.0#0",
      "/0#1/2.1.0#0",
      "/0#1/2.1.0#1",
      "/0#0/2.0.0#0/2.0.1.0.0#0",
      "/3#0",
    ]);
  });

  test("a seed is the key folded by 0, by the place of the effect, by the index", () => {
    const d = start((root) => extend(root, { count: 3 }));
    expect(d.ask().map(({ seed }) => seed)).toEqual([0, 1, 2].map((i) => seedOf(fold(fold(fold(key(7), 0), "0"), i))));
  });

  test("asking for nothing takes no place and goes on at once", () => {
    const d = start(function* (root) {
      const none = [yield* extend(root, { count: 0 }), yield* score([])];
      return [none, yield* extend(root)];
    });
    expect(ids(d.ask())).toEqual(["0#0"]);
  });

  test("no programs are no results", () => {
    expect(finish(start(() => all([])))).toEqual([]);
    expect(finish(start((root) => first(0, [extend(root)])))).toEqual([]);
    expect(finish(start(() => first(3, [])))).toEqual([]);
  });
});

describe("results", () => {
  test("children come in order of index, scores in order of nodes, programs in order; whatever the order of replies", () => {
    const d = start(function* (root) {
      const children = yield* extend(root, { count: 3 });
      const scores = yield* score(children);
      const rest = yield* all(children.map((child) => extend(child)));
      return [states(children), scores.map((one) => (one as { value: number }).value), rest.flatMap(states)];
    });
    for (let works = d.ask(); works.length > 0; works = d.ask())
      for (const work of works.toReversed()) d.tell(work.id, reply(work));
    expect(value(d)).toEqual([
      ["/0#0", "/0#1", "/0#2"],
      [0, 1, 2],
      ["/0#0/2.0.0#0", "/0#1/2.1.0#0", "/0#2/2.2.0#0"],
    ]);
  });

  test("failed and absent samples are left out; the failed one is a finished node of the tree, in its parent's state", () => {
    const d = start((root) => extend(root, { count: 3 }));
    d.ask();
    const node = d.tell("0#1", broken);
    expect(d.tell("0#2", { type: "absent" })).toBeUndefined();
    d.tell("0#0", {
      type: "extension",
      extension: { state: "x", done: false, logProb: -2, logProposal: -3, length: 4, cost: noCost },
    });
    expect(states(value(d))).toEqual(["x"]);
    expect(node).toMatchObject({
      id: "0#1",
      state: "",
      depth: 1,
      done: true,
      failure: { code: "error", message: "broke" },
      length: 0,
    });
    expect(d.nodes.map(({ id }) => id)).toEqual(["root", "0#1", "0#0"]); // in order of arrival
    expect(d.nodes[2]).toMatchObject({ totalLogProb: -2, length: 4, depth: 1 });
    expect(d.best).toBeUndefined(); // a failed node is no answer, though it is done
  });

  test("log-probabilities and lengths add up along the path; one unknown makes the sum unknown", () => {
    const d = start(function* (root) {
      let node = root;
      for (let i = 0; i < 3; i++) [node] = (yield* extend(node)) as [Node<State>];
      return node;
    });
    for (const [id, logProb] of [
      ["0#0", -1],
      ["1#0", -0.5],
      ["2#0", Number.NaN],
    ] as const) {
      d.ask();
      d.tell(id, {
        type: "extension",
        extension: { state: id, done: false, logProb, logProposal: -1, length: 2, cost: noCost },
      });
    }
    expect(d.nodes.map(({ totalLogProb, length, depth }) => [totalLogProb, length, depth])).toEqual([
      [0, 0, 0],
      [-1, 2, 1],
      [-1.5, 4, 2],
      [Number.NaN, 6, 3],
    ]);
  });

  test.each<[string, unknown]>([
    ["NaN", { kind: "reward", value: Number.NaN }],
    ["infinite", { kind: "reward", value: Infinity }],
    ["text", { kind: "reward", value: "1" }],
    ["null", null],
    ["of another kind", { kind: "probability", value: 0.5 }],
    ["bare", 0.5],
  ])("a score that is %s is none", (_, bad) => {
    const scorer: Scorer<State> = { name: "s", kind: "reward", score: () => ({ kind: "reward", value: 0 }) };
    for (const own of [true, false]) {
      const d = start((root) => score([root, root], own ? { by: scorer } : {}), own ? undefined : scorer);
      d.ask();
      d.tell("0#1", judged(2));
      d.tell("0#0", { type: "score", score: bad as Score });
      expect(value(d)).toEqual([undefined, { kind: "reward", value: 2 }]);
      expect(d.nodes[0]?.score).toEqual({ kind: "reward", value: 2 }); // not overwritten by what is no score
    }
  });

  test("every search here depends on the replies, never on their order or timing", () => {
    // Three hundred random programs of all effects; each is run in order and in a random order.
    type Plan = {
      readonly do: "extend" | "score" | "all" | "first";
      readonly count: number;
      readonly inner: readonly Plan[];
    };
    const plan: fc.Arbitrary<readonly Plan[]> = fc.letrec<{ plans: readonly Plan[] }>((tie) => ({
      plans: fc.array(
        fc.record({
          do: fc.constantFrom("extend", "score", "all", "first"),
          count: fc.integer({ min: 1, max: 3 }),
          inner: fc.oneof({ maxDepth: 2 }, fc.constant([]), tie("plans")),
        }),
        { maxLength: 3 },
      ),
    })).plans as fc.Arbitrary<readonly Plan[]>;
    function* perform(plans: readonly Plan[], from: Node<State>): Program<State, string[] | undefined> {
      let at: readonly Node<State>[] = [from];
      const log: string[] = [];
      for (const { do: what, count, inner } of plans) {
        if (what === "extend") at = yield* extend(at[0] ?? from, { count });
        else if (what === "score") log.push(...(yield* score(at)).map((one) => JSON.stringify(one) ?? "unscored"));
        else {
          const programs = Array.from({ length: count + 1 }, (_, i) =>
            perform(inner, at[i % Math.max(1, at.length)] ?? from),
          );
          const results = what === "all" ? yield* all(programs) : yield* first(count, programs);
          log.push(...results.map((one) => JSON.stringify(one) ?? "nothing"));
        }
        log.push(...states(at));
      }
      return log.length % 5 === 4 ? undefined : log; // some programs have no result, so that `first` has to look on
    }
    // Replies are decided by the seed of the work: some fail, some are absent, some scores are missing.
    const answer = (work: Work<State>): Reply<State> => {
      if (work.seed % 7 === 0) return broken;
      if (work.type === "score") return judged(work.seed);
      return work.seed % 11 === 0 ? { type: "absent" } : grown(work, work.seed % 3 === 0);
    };
    fc.assert(
      fc.property(plan, fc.nat(1e6), (plans, weather) => {
        const calm = start((root) => perform(plans, root));
        finish(calm, (work) => answer(work));
        const stormy = start((root) => perform(plans, root));
        const stream = random(weather);
        const open = new Map<string, Work<State>>();
        for (;;) {
          for (const work of stormy.ask()) open.set(work.id, work);
          for (const id of stormy.unwanted()) if (stream.uniform() < 0.5) open.delete(id);
          if (stormy.result || open.size === 0) break;
          const work = stream.pick([...open.values()]);
          open.delete(work.id);
          stormy.tell(work.id, answer(work));
        }
        expect(value(stormy)).toEqual(value(calm));
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe("first", () => {
  const sleepers = (root: Node<State>, log: string[] = []) =>
    Array.from({ length: 4 }, function* (_, i): Program<State, string | undefined> {
      try {
        const [a] = yield* extend(root);
        const [b] = yield* extend(a as Node<State>);
        return b?.state;
      } finally {
        log.push(`closed ${i}`);
      }
    } as (_: unknown, i: number) => Program<State, string | undefined>);

  test("takes results in program order, not in order of finishing, and cancels the rest", () => {
    const log: string[] = [];
    const d = start((root) => first(2, sleepers(root, log)));
    const works = new Map(d.ask().map((work) => [work.id, work]));
    const tell = (id: string) => {
      d.tell(id, reply(works.get(id) as Work<State>));
      for (const work of d.ask()) works.set(work.id, work);
    };
    for (const id of ["0.3.0#0", "0.3.1#0", "0.1.0#0", "0.1.1#0"]) tell(id);
    expect(d.result).toBeUndefined(); // programs 3 and 1 have results, yet program 0 may have one too
    tell("0.0.0#0");
    tell("0.0.1#0");
    expect(value(d)).toEqual(["/0.0.0#0/0.0.1#0", "/0.1.0#0/0.1.1#0"]);
    expect(d.unwanted()).toEqual(["0.2.0#0"]);
    expect(d.unwanted()).toEqual([]); // once
    expect(log).toEqual(["closed 3", "closed 1", "closed 0", "closed 2"]);
  });

  test("what is not asked yet is never asked, and not unwanted either", () => {
    const d = start((root) => first(1, sleepers(root)));
    const [a, b] = d.ask() as [Work<State>, Work<State>];
    d.tell(b.id, reply(b)); // program 1 now wants 0.1.1#0
    d.tell(a.id, reply(a));
    const asked = d.ask();
    expect(ids(asked)).toEqual(["0.1.1#0", "0.0.1#0"]); // in the order in which they became wanted
    expect(d.ask()).toEqual([]);

    const e = start((root) =>
      first(
        1,
        [extend(root), extend(root)].map(function* (one, i): Program<State, unknown> {
          yield* one;
          if (i === 1) yield* extend(root);
          return i;
        } as (one: Program<State, unknown>, i: number) => Program<State, unknown>),
      ),
    );
    const [left, right] = e.ask() as [Work<State>, Work<State>];
    e.tell(right.id, reply(right)); // program 1 wants a second child, which nobody has asked for when
    e.tell(left.id, reply(left)); // program 0 ends, and with it the `first`
    expect([e.ask(), e.unwanted(), value(e)]).toEqual([[], [], [0]]);
  });

  test("a reply to what is unwanted is taken, kept in the tree, and changes nothing", () => {
    const d = start((root) => first(1, [extend(root), extend(root)]));
    d.ask();
    d.tell("0.0.0#0", {
      type: "extension",
      extension: { state: "a", done: true, logProb: 0, logProposal: 0, length: 1, cost: noCost },
    });
    expect(d.unwanted()).toEqual(["0.1.0#0"]);
    d.tell("0.1.0#0", {
      type: "extension",
      extension: { state: "b", done: true, logProb: 0, logProposal: 0, length: 1, cost: noCost },
    });
    expect([states(d.nodes), d.result && states((value(d) as unknown[])[0])]).toEqual([["", "a", "b"], ["a"]]);
  });

  test("with too few results it gives those there are; an error shows only then", () => {
    const few = (fails: boolean) =>
      start((root) =>
        first(
          2,
          [0, 1, 2].map(function* (i): Program<State, number | undefined> {
            yield* extend(root);
            if (fails && i === 2) throw new Error("program 2");
            return i === 1 ? i : undefined;
          }),
        ),
      );
    expect(finish(few(false))).toEqual([1]);
    expect(() => finish(few(true))).toThrow("program 2");
  });

  test("cancelling reaches programs inside programs, and closes each from the inside out", () => {
    const log: string[] = [];
    const nested = function* (root: Node<State>, depth: number): Program<State, unknown> {
      try {
        return yield* depth === 0 ? extend(root, { count: 2 }) : all([nested(root, depth - 1)]);
      } finally {
        log.push(`closed ${depth}`);
      }
    };
    const d = start((root) => first(1, [extend(root), nested(root, 3)] as Program<State, unknown>[]));
    const [a] = d.ask() as [Work<State>];
    d.tell(a.id, reply(a));
    expect(log).toEqual(["closed 0", "closed 1", "closed 2", "closed 3"]); // the way an exception would pass
    expect(d.unwanted()).toEqual(["0.1.0.0.0.0.0.0.0#0", "0.1.0.0.0.0.0.0.0#1"]); // three `all`s deep
  });

  test.each<[string, (root: Node<State>) => Program<State, void>, RegExp]>([
    [
      "throws",
      function* () {
        throw new TypeError("in finally");
      },
      /^TypeError: in finally$/,
    ],
    [
      "asks for more",
      function* (root) {
        yield* propose(root);
      },
      /^TypeError: Cannot yield in a .finally. block/,
    ],
  ])("a program that %s while it is closed has a defect, and the parent sees it", (_, close, message) => {
    const d = start(function* (root) {
      try {
        yield* first(1, [
          extend(root),
          (function* (): Program<State, never> {
            try {
              for (;;) yield* extend(root);
            } finally {
              yield* close(root);
            }
          })(),
        ] as Program<State, unknown>[]);
      } catch (error) {
        return String(error);
      }
    });
    const [a] = d.ask() as [Work<State>];
    d.tell(a.id, reply(a));
    expect(value(d)).toMatch(message);
  });
});

describe("errors in programs", () => {
  test("of a child reach the parent's try and catch once all have ended; the first in program order is thrown", () => {
    const ended: number[] = [];
    const d = start(function* (root) {
      try {
        yield* all(
          [0, 1, 2].map(function* (i): Program<State, void> {
            yield* extend(root);
            ended.push(i);
            if (i > 0) throw new Error(`program ${i}`);
          }),
        );
      } catch (error) {
        return [(error as Error).message, ...states(yield* extend(root))];
      }
    });
    const works = d.ask();
    for (const work of works.toReversed()) d.tell(work.id, reply(work));
    expect(ended).toEqual([2, 1, 0]);
    expect(finish(d)).toEqual(["program 1", "/1#0"]); // place 1: the failed `all` keeps its own
  });

  test("not caught, it is the result", () => {
    const d = start(function* () {
      throw new TypeError("defect");
      yield* all([]);
    });
    expect(d.result).toEqual({ error: new TypeError("defect") });
    expect(d.ask()).toEqual([]);
  });

  test("an effect that makes no sense is thrown where it was asked for", () => {
    const tries: Effect<State>[] = [
      { type: "first", count: Number.NaN, programs: [] },
      { type: "nonsense" } as unknown as Effect<State>,
    ];
    for (const count of [-1, 1.5, Number.NaN, "8" as unknown as number])
      tries.push({
        type: "extend",
        node: undefined as unknown as Node<State>,
        count,
        draw: "sample",
        policy: undefined,
      });
    for (const effect of tries) {
      let closed = false;
      const d = start(function* () {
        try {
          yield effect;
        } catch (error) {
          return (error as Error).name;
        } finally {
          closed = true;
        }
      });
      expect([value(d), closed]).toEqual([effect.type === ("nonsense" as string) ? "TypeError" : "RangeError", true]);
    }
  });
});

describe("the budget", () => {
  test("is spent for a program only where not one child could be afforded", () => {
    const body: Body = function* (root) {
      try {
        return states(yield* extend(root, { count: 2 }));
      } catch (error) {
        return error;
      }
    };
    const told = (...replies: Reply<State>[]) => {
      const d = start(body);
      for (const [i, work] of d.ask().entries()) d.tell(work.id, replies[i] as Reply<State>);
      return [value(d), d.limited];
    };
    const child = {
      type: "extension" as const,
      extension: { state: "a", done: false, logProb: 0, logProposal: 0, length: 1, cost: noCost },
    };
    expect(told(child, denied)).toEqual([["a"], "tokens"]);
    expect(told(broken, broken)).toEqual([[], undefined]);
    const [spent] = told(denied, broken);
    expect(spent).toBeInstanceOf(BudgetSpent);
    expect(spent).toMatchObject({ limit: "tokens" });
  });

  test("denied scores are missing scores", () => {
    const d = start((root) => score([root]));
    d.ask();
    expect(d.tell("0#0", denied)?.id).toBe("root");
    expect([value(d), d.limited]).toEqual([[undefined], "tokens"]);
  });
});

describe("best", () => {
  const answer = (state: string): Reply<State> => ({
    type: "extension",
    extension: { state, done: true, logProb: 0, logProposal: 0, length: 1, cost: noCost },
  });

  test("before a proposal: the finished answer of the earliest place; after: the highest value, of equals the earliest place", () => {
    const d = start(function* (root) {
      const [a, b, c] = (yield* extend(root, { count: 3 })) as [Node<State>, Node<State>, Node<State>];
      yield* propose(c, -1e300);
      yield* propose(b, Number.NaN); // is no opinion
      yield* score([root]);
      yield* propose(b, 2);
      yield* propose(c, 2);
      yield* propose(a, 1);
    });
    d.ask();
    d.tell("0#2", answer("c"));
    expect(d.best?.node.state).toBe("c");
    d.tell("0#0", answer("a"));
    expect(d.best?.node.state).toBe("a");
    d.tell("0#1", answer("b"));
    expect(d.best).toMatchObject({ node: { state: "c" }, value: -1e300 });
    d.ask();
    d.tell("1#0", judged(0));
    expect(d.best).toMatchObject({ node: { state: "b" }, value: 2 });
  });
});

test("of several scores of one node the latest place's stays, whichever comes last", () => {
  for (const late of ["0.0.0#0", "0.10.0#0", "0.2.0#0"]) {
    const d = start((root) => all(Array.from({ length: 11 }, () => score([root]))));
    d.ask();
    for (let i = 0; i < 11; i++) if (late !== `0.${i}.0#0` && i % 2 === 0) d.tell(`0.${i}.0#0`, judged(i));
    d.tell("0.9.0#0", broken); // no score, so nothing to keep
    d.tell(late, judged(Number(late.split(".")[1])));
    expect(d.nodes[0]?.score).toMatchObject({ value: 10 });
  }
});

describe("misuse", () => {
  test("a reply to unknown or answered work is an error that names it", () => {
    const d = start((root) => extend(root));
    expect(() => d.tell("0#1", broken)).toThrow("no work '0#1' is open");
    const [work] = d.ask() as [Work<State>];
    d.tell(work.id, reply(work));
    expect(() => d.tell(work.id, reply(work))).toThrow("no work '0#0' is open");
  });

  test("a reply of the wrong type is refused, and the work stays open for the right one", () => {
    const d = start((root) => extend(root));
    const [work] = d.ask() as [Work<State>];
    expect(() => d.tell(work.id, judged(1))).toThrow("Cannot take a score for '0#0'");
    expect(() => d.tell(work.id, { type: "nonsense" } as unknown as Reply<State>)).toThrow(TypeError);
    d.tell(work.id, reply(work));
    expect(states(value(d))).toEqual(["/0#0"]);
  });
});

describe("size", () => {
  const n = 100_000;

  test("a chain of 10^5 steps, and as many proposals in a row", () => {
    const d = start(function* (root) {
      let node = root;
      for (let i = 0; i < n; i++) [node] = (yield* extend(node)) as [Node<State>];
      for (let i = 0; i < n; i++) yield* propose(node, i);
      return node.depth;
    });
    for (let [work] = d.ask(); work; [work] = d.ask())
      d.tell(work.id, {
        type: "extension",
        extension: { state: "", done: false, logProb: 0, logProposal: 0, length: 1, cost: noCost },
      });
    expect(value(d)).toBe(n);
  });

  test("10^5 programs side by side, and cancelled", () => {
    const d = start(function* (root) {
      const sizes = yield* all(Array.from({ length: n }, () => extend(root)));
      const half = yield* first(
        n / 2,
        Array.from({ length: n }, () => extend(root)),
      );
      return [sizes.length, half.length];
    });
    for (const work of d.ask()) d.tell(work.id, reply(work));
    for (const work of d.ask().slice(0, n / 2)) d.tell(work.id, reply(work));
    expect(value(d)).toEqual([n, n / 2]);
    expect(d.unwanted()).toHaveLength(n / 2);
  });

  test("programs 10^4 deep in programs, ended and cancelled", () => {
    const deep = function* (root: Node<State>): Program<State, unknown> {
      let program: Program<State, unknown> = extend(root);
      for (let i = 0; i < n / 10; i++) program = all([program]);
      return yield* program;
    };
    const d = start((root) => first(1, [deep(root), deep(root)]));
    const [work] = d.ask() as [Work<State>];
    d.tell(work.id, reply(work));
    expect(d.result && "outcome" in d.result).toBe(true);
  });
});

test("places are ordered as numbers, effect by effect, and totally", () => {
  const order = ["root", "0#0", "0#2", "0#10", "1.0.0#0", "1.0.1#0", "1.2.0#1", "1.10.0#0", "2#0", "10#0"];
  const stream = random(1);
  for (let i = 0; i < 20; i++) expect(stream.shuffled(order).sort(comparePlaces)).toEqual(order);
  expect(comparePlaces("1.0.0#0", "1.0.0#0")).toBe(0);
});
