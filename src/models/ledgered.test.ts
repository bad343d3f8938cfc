import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addCosts, type Cost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import { key } from "../key.ts";
import type { Ledger } from "../ledger.ts";
import type { Completion, GenerateRequest, Model, ModelPart, NextTokens } from "../model.ts";
import type { Scorer } from "../scorer.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { text, type TextState } from "../policies/text.ts";
import { run } from "../run.ts";
import { openStore, type SqlStore } from "../runs/store/index.ts";
import { ledgered } from "./ledgered.ts";
import { type ScriptedOptions, scripted } from "./scripted.ts";
import { randomTabular } from "./tabular.ts";

let store: SqlStore;
let ledger: Ledger;
beforeEach(async () => {
  store = await openStore(":memory:");
  ({ ledger } = store);
});
afterEach(() => store.close());

const never = new AbortController().signal;

const asking = (seeds: readonly number[], more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  prefix: { prompt: "Say:", text: "" },
  seeds,
  maxTokens: 10,
  sampling: {},
  signal: never,
  ...more,
});

async function partsOf(model: Model, request: GenerateRequest): Promise<ModelPart[]> {
  const parts: ModelPart[] = [];
  for await (const part of model.generate(request)) parts.push(part);
  return parts;
}

/** By place in the request. */
async function completionsOf(model: Model, request: GenerateRequest): Promise<Completion[]> {
  const completions: Completion[] = [];
  for (const part of await partsOf(model, request))
    if (part.type === "completion") completions[part.index] = part.completion;
  return completions;
}

const numbered = (options: Partial<ScriptedOptions> = {}) =>
  scripted({ replies: ({ seed }) => ({ text: `s${seed}`, logProb: -1 / 3, tokens: [seed, 2] }), ...options });

const textsOf = (completions: readonly Completion[]): string[] => completions.map(({ text }) => text);

describe("samples", () => {
  test("are paid once: only the seeds that are missing are asked for, in one request", async () => {
    const inner = numbered({ capabilities: { samplesPerCall: 8 } });
    const requests: (readonly number[])[] = [];
    const watched: Model = {
      ...inner,
      generate(request) {
        requests.push(request.seeds);
        return inner.generate(request);
      },
    };
    const first = ledgered(watched, ledger);
    const four = await completionsOf(first, asking([1, 2, 3, 4]));
    const second = ledgered(watched, ledger);
    const eight = await completionsOf(second, asking([8, 1, 7, 2, 6, 3, 5, 4]));
    expect(textsOf(eight)).toEqual(["s8", "s1", "s7", "s2", "s6", "s3", "s5", "s4"]);
    expect(requests).toEqual([
      [1, 2, 3, 4],
      [8, 7, 6, 5],
    ]);
    expect([eight[1], eight[3], eight[5], eight[7]]).toEqual(four); // costs, tokens and log-probabilities too
    const sum = (all: readonly (Completion | undefined)[]): Cost =>
      all.reduce((sum, one) => addCosts(sum, one?.cost ?? noCost), noCost);
    expect(first.paid).toEqual(sum(four));
    expect(second.paid).toEqual(sum([eight[0], eight[2], eight[4], eight[6]]));
  });

  test("are told apart by all that decides them, defaults made explicit", async () => {
    const same = asking([1], { sampling: { temperature: 1, topP: 1 }, stop: [] });
    const others: Partial<GenerateRequest>[] = [
      { prefix: { prompt: "Say!", text: "" } },
      { prefix: { prompt: [{ role: "user", content: "Say:" }], text: "" } },
      { prefix: { prompt: "Say:", text: "a" } },
      { prefix: { prompt: "Say:", text: "a", tokens: [1] } },
      { maxTokens: 11 },
      { sampling: { temperature: 0 } },
      { sampling: { topK: 3 } },
      { sampling: { topP: 0.5 } },
      { sampling: { minP: 0.5 } },
      { stop: ["x"] },
      { until: () => undefined, untilName: "line" },
      { until: () => undefined, untilName: "sentence" },
    ];
    const inner = numbered();
    await completionsOf(ledgered(inner, ledger), asking([1]));
    await completionsOf(ledgered(inner, ledger), same);
    await completionsOf(ledgered(inner, ledger), asking([1], { untilName: "unused without until" }));
    expect(inner.calls).toHaveLength(1);
    for (const [i, other] of others.entries()) {
      await completionsOf(ledgered(inner, ledger), asking([1], other));
      expect(inner.calls, JSON.stringify(other)).toHaveLength(2 + i);
    }
    await completionsOf(ledgered({ ...inner, revision: "2" }, ledger), asking([1]));
    await completionsOf(ledgered({ ...inner, id: "other" }, ledger), asking([1]));
    const { capabilities } = inner;
    const silent = { ...inner, capabilities: { ...capabilities, logProbs: !capabilities.logProbs } };
    await completionsOf(ledgered(silent, ledger), asking([1]));
    expect(inner.calls).toHaveLength(others.length + 4);
  });

  test("with an end that has no name are refused with what to do", () => {
    const model = ledgered(numbered(), ledger);
    expect(() => model.generate(asking([1], { until: () => 1 }))).toThrow("give 'untilName'");
  });

  test("in flight are joined: one pays, all get it", async () => {
    const inner = numbered({ delayMs: 20 });
    const [one, other] = [ledgered(inner, ledger), ledgered(inner, ledger)];
    const [first, second] = await Promise.all([
      completionsOf(one, asking([1, 2])),
      completionsOf(other, asking([2, 3, 3])),
    ]);
    expect([textsOf(first), textsOf(second)]).toEqual([
      ["s1", "s2"],
      ["s2", "s3", "s3"],
    ]);
    expect(inner.calls.map(({ seed }) => seed).sort()).toEqual([1, 2, 3]);
    expect([one.paid.calls, other.paid.calls]).toEqual([2, 1]);
  });

  test("whose payer is aborted are asked for by those who wait", async () => {
    const inner = numbered({ delayMs: 20 });
    const controller = new AbortController();
    const payer = completionsOf(ledgered(inner, ledger), asking([1], { signal: controller.signal }));
    const waiting = completionsOf(ledgered(inner, ledger), asking([1, 2]));
    setTimeout(() => controller.abort(), 10);
    expect(await payer).toEqual([]);
    expect(textsOf(await waiting)).toEqual(["s1", "s2"]);
    expect(inner.calls.map(({ seed, outcome }) => [seed, outcome]).sort()).toEqual([
      [1, "aborted"],
      [1, "completed"],
      [2, "completed"],
    ]);
    expect(await flights()).toBe(0);
  });

  test("a waiter that is aborted leaves the payer alone", async () => {
    const inner = numbered({ delayMs: 30 });
    const controller = new AbortController();
    const payer = completionsOf(ledgered(inner, ledger), asking([1]));
    const waiting = completionsOf(ledgered(inner, ledger), asking([1], { signal: controller.signal }));
    setTimeout(() => controller.abort(), 10);
    expect(await waiting).toEqual([]);
    expect(textsOf(await payer)).toEqual(["s1"]);
  });

  test("that fail are not recorded; their cost is paid, and passed on as it was told", async () => {
    const inner = scripted({ replies: [{ failure: "rate-limited" }, "ok"] });
    const model = ledgered(inner, ledger);
    const [failure] = await partsOf(model, asking([1]));
    expect(failure).toMatchObject({ type: "failure", failure: { code: "rate-limited" }, cost: { calls: 1 } });
    expect(textsOf(await completionsOf(model, asking([1])))).toEqual(["ok"]);
    expect(model.paid.calls).toBe(2);

    const untold: Model = {
      ...inner,
      async *generate() {
        yield { type: "failure", index: 0, failure: { code: "timeout", message: "?" } };
        throw new Failed("unavailable", "gone");
      },
    };
    const parts = await partsOf(ledgered(untold, ledger), asking([7, 8]));
    expect(parts).toEqual([
      { type: "failure", index: 0, failure: { code: "timeout", message: "?" } },
      { type: "failure", index: 1, failure: { code: "unavailable", message: "gone" } },
    ]);
    expect(await flights()).toBe(0);
  });

  test("stream what is drawn now; of what is recorded there is only the whole", async () => {
    const model = ledgered(numbered(), ledger);
    const types = async () => (await partsOf(model, asking([1], { stream: true }))).map(({ type }) => type);
    expect(await types()).toContain("text-delta");
    expect(await types()).toEqual(["completion"]);
  });

  test("are recorded before anybody sees them; a ledger that cannot is a failure that says so", async () => {
    const inner = numbered();
    const full: Ledger = { ...ledger, record: () => Promise.reject(new Error("disk full")) };
    expect(await partsOf(ledgered(inner, full), asking([1]))).toMatchObject([
      { type: "failure", failure: { message: "disk full" }, cost: { calls: 1 } },
    ]);
    expect(await flights()).toBe(0);
  });

  test("that arrived before the model broke down are recorded, and no failures besides", async () => {
    const inner = numbered();
    const breaking: Model = {
      ...inner,
      async *generate(request) {
        yield* inner.generate({ ...request, seeds: request.seeds.slice(0, 1) });
        throw new Failed("unavailable", "gone");
      },
    };
    const slow: Ledger = {
      ...ledger,
      async record(entries) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        await ledger.record(entries);
      },
    };
    expect(await partsOf(ledgered(breaking, slow), asking([1, 2]))).toMatchObject([
      { type: "completion", index: 0 },
      { type: "failure", index: 1, failure: { message: "gone" } },
    ]);
  });

  test("keep an unknown log-probability unknown, and one that is not finite is unknown from the first", async () => {
    for (const [seed, logProb] of [Number.NaN, Number.NEGATIVE_INFINITY].entries()) {
      const model = ledgered(scripted({ replies: [{ text: "x", logProb }] }), ledger);
      for (let i = 0; i < 2; i++) expect((await completionsOf(model, asking([seed])))[0]?.logProb).toBeNaN();
    }
  });
});

describe("scores and distributions", () => {
  const tabular = () => randomTabular({ key: key(3), symbols: 5 });
  const prefix = { prompt: "Say:", text: "a" };

  test("come back to the bit, and are paid once", async () => {
    const inner = tabular();
    const [first, second] = [ledgered(inner, ledger), ledgered(inner, ledger)];
    for (const model of [first, second]) {
      expect(await model.nextTokens?.(prefix, { signal: never })).toEqual(
        await inner.nextTokens?.(prefix, { signal: never }),
      );
      expect(await model.scoreText?.(prefix, "b", { end: true, signal: never })).toEqual(
        await inner.scoreText?.(prefix, "b", { end: true, signal: never }),
      );
    }
    expect(first.paid.calls).toBe(2);
    expect(second.paid).toEqual(noCost);
    await second.scoreText?.(prefix, "b", { signal: never }); // without the end it is another question
    expect(second.paid.calls).toBe(1);
    const [{ n } = { n: 0 }] = await store.database.query(
      "select count(*) as n from calls where key like 'vocabulary.%'",
    );
    await first.nextTokens?.({ ...prefix, text: "aa" }, { signal: never });
    expect(n).toBe(1); // once a model
  });

  test("after several continuations are one question", async () => {
    const inner: Model = {
      ...tabular(),
      async nextTokensAfter(at, continuations, options) {
        const laws = continuations.map(async (tokens, i) => {
          const text = at.text + tokens.map((token) => "abcde"[token]).join("");
          const law = (await inner.nextTokens?.({ prompt: at.prompt, text }, options)) as NextTokens;
          return i === 0 ? law : { ...law, cost: noCost };
        });
        return Promise.all(laws);
      },
    };
    const [first, second] = [ledgered(inner, ledger), ledgered(inner, ledger)];
    const options = { signal: never };
    const plain = await inner.nextTokensAfter?.(prefix, [[], [1]], options);
    expect(await first.nextTokensAfter?.(prefix, [[], [1]], options)).toEqual(plain);
    expect(await second.nextTokensAfter?.(prefix, [[], [1]], options)).toEqual(plain);
    expect([first.paid, second.paid]).toEqual([plain?.[0]?.cost, noCost]);
    await second.nextTokensAfter?.(prefix, [[], [2]], options);
    expect(second.paid).toEqual(first.paid);
  });

  test("impossible tokens stay impossible", async () => {
    const inner: Model = {
      ...tabular(),
      nextTokens: async () => ({
        tokens: [7, 3],
        texts: ["x", "y"],
        logProbs: [-0, Number.NEGATIVE_INFINITY],
        endTokens: [3],
        cost: noCost,
      }),
    };
    const model = ledgered(inner, ledger);
    const fresh = await model.nextTokens?.(prefix, { signal: never });
    expect(await ledgered(inner, ledger).nextTokens?.(prefix, { signal: never })).toEqual(fresh);
  });

  test("of a large vocabulary are passed through", async () => {
    const tokens = Array.from({ length: 1025 }, (_, i) => i);
    let asked = 0;
    const inner: Model = {
      ...tabular(),
      async nextTokens() {
        asked++;
        return { tokens, texts: tokens.map(String), logProbs: tokens.map(() => -1), endTokens: [], cost: noCost };
      },
    };
    const model = ledgered(inner, ledger);
    await Promise.all([1, 2].map(() => model.nextTokens?.(prefix, { signal: never })));
    expect(asked).toBe(2);
    const [{ n } = { n: 1 }] = await store.database.query("select count(*) as n from calls");
    expect(n).toBe(0);
  });

  test("in flight are joined, failures too, and an aborted payer's question is asked again", async () => {
    const inner = tabular();
    let asked = 0;
    let fails = true;
    const slow: Model = {
      ...inner,
      async nextTokens(at, options) {
        asked++;
        await new Promise((resolve) => setTimeout(resolve, 10));
        options.signal.throwIfAborted();
        if (fails) throw new Failed("unavailable", "gone");
        return inner.nextTokens?.(at, options) as never;
      },
    };
    const model = ledgered(slow, ledger);
    const two = () => [1, 2].map(() => model.nextTokens?.(prefix, { signal: never }));
    for (const { status } of await Promise.allSettled(two())) expect(status).toBe("rejected");
    expect(asked).toBe(1);
    fails = false;
    const controller = new AbortController();
    const payer = model.nextTokens?.(prefix, { signal: controller.signal });
    const waiting = model.nextTokens?.(prefix, { signal: never });
    controller.abort(new Error("enough"));
    await expect(payer).rejects.toThrow("enough");
    expect((await waiting)?.tokens).toHaveLength(5);
    expect(asked).toBe(3);
    expect(await flights()).toBe(0);
  });
});

test("a wrapped model is a model of the same name and abilities", () => {
  const inner = numbered({ price: { dollarsPerPromptToken: 1, dollarsPerToken: 2 } });
  const model = ledgered(inner, ledger);
  expect([model.id, model.capabilities, model.price]).toEqual([inner.id, inner.capabilities, inner.price]);
  expect([model.scoreText, model.nextTokens, model.nextTokensAfter]).toEqual([undefined, undefined, undefined]);
});

test("what is being paid is in flight, with the worst that it may cost", async () => {
  const inner = numbered({ delayMs: 20, price: { dollarsPerPromptToken: 0.001, dollarsPerToken: 0.01 } });
  const done = completionsOf(ledgered(inner, ledger), asking([1, 2]));
  await new Promise((resolve) => setTimeout(resolve, 10));
  const [flight] = await store.database.query("select * from flights");
  // Two samples: "Say:" is 4 tokens, at most 10 more each.
  const worst = { worst_prompt_tokens: 8, worst_tokens: 20, worst_calls: 2, worst_nanodollars: 208e6 };
  expect(flight).toMatchObject({ model: "scripted", requests: 2, ...worst });
  expect(await ledger.inDoubt()).toEqual([]); // its owner lives
  await done;
  expect(await flights()).toBe(0);
});

test("a run over a ledger is the run without it, and the second time costs nothing", async () => {
  const inner = randomTabular({ key: key(1) });
  const search = bestOfN<TextState>({ n: 6 });
  const go = (model: Model) =>
    run(search, { id: "p", prompt: "Say:" }, { policy: text(model), scorer: lengths, seed: 2 });
  const plain = await go(inner);
  const [first, second] = [ledgered(inner, ledger), ledgered(inner, ledger)];
  for (const model of [first, second]) {
    const { text, spent } = await go(model);
    expect([text, { ...spent, seconds: 0 }]).toEqual([plain.text, { ...plain.spent, seconds: 0 }]);
  }
  expect(first.paid.tokens).toBe(plain.spent.tokens);
  expect(second.paid).toEqual(noCost);
});

const lengths: Scorer<TextState> = {
  name: "length",
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: state.text.length }),
};

async function flights(): Promise<number> {
  const [row] = await store.database.query("select count(*) as n from flights");
  return row?.["n"] as number;
}
