import { expect, test } from "vitest";
import { noCost } from "../budget.ts";
import { fold, key, seedOf } from "../key.ts";
import type { Model } from "../model.ts";
import { scripted } from "../models/scripted.ts";
import { randomTabular, tabular } from "../models/tabular.ts";
import type { Draw, Extension, Policy, PolicyPart } from "../policy.ts";
import type { Problem } from "../problem.ts";
import { text, type TextState, type TextStep } from "./text.ts";

const problem: Problem = { id: "one", prompt: "?" };
const { signal } = new AbortController();
const model = randomTabular({ key: key(5), symbols: "a\n.", maxLength: 4 });
const exact = new Map(model.enumerate().map(({ text, logProb }) => [text, logProb]));

async function extend(
  policy: Policy<TextState>,
  state: TextState,
  {
    seeds = [1],
    draw = "sample" as Draw,
    ranks = seeds.map((_, i) => i),
  }: { seeds?: number[]; draw?: Draw; ranks?: number[] } = {},
): Promise<PolicyPart<TextState>[]> {
  const parts: PolicyPart<TextState>[] = [];
  for await (const part of policy.extend(state, { problem, draw, seeds, ranks, signal })) parts.push(part);
  return parts;
}

const extensions = (parts: PolicyPart<TextState>[]): Extension<TextState>[] =>
  parts.flatMap((part) => (part.type === "extension" ? [part.extension] : []));

/** Grows one answer to its end, step by step. */
async function rollout(policy: Policy<TextState>, seed: number): Promise<Extension<TextState>[]> {
  const path: Extension<TextState>[] = [];
  for (let state = policy.root(problem), done = false; !done; ) {
    const [step] = extensions(await extend(policy, state, { seeds: [seedOf(fold(key(seed), path.length))] }));
    path.push(step as Extension<TextState>);
    ({ state, done } = step as Extension<TextState>);
  }
  return path;
}

test.each<TextStep>(["token", "line", "sentence", "paragraph", "answer", (t) => (t.length >= 2 ? 2 : undefined)])(
  "steps by %s concatenate to whole answers of the same law",
  async (step) => {
    const policy = text(model, { step });
    const count = 400;
    const counts = new Map<string, number>();
    for (let seed = 0; seed < count; seed++) {
      const path = await rollout(policy, seed);
      const { state } = path.at(-1) as Extension<TextState>;
      counts.set(state.text, (counts.get(state.text) ?? 0) + 1);
      const total = path.reduce((sum, { logProb }) => sum + logProb, 0);
      expect(total).toBeCloseTo(exact.get(state.text) as number, 10);
      expect(state.length).toBe(state.text.length + 1);
      expect(state.tokens).toEqual([...state.text].map((c) => "a\n.".indexOf(c)));
      expect(state.finish).toBe("end");
    }
    for (const [answer, logProb] of exact) {
      const p = Math.exp(logProb);
      expect(Math.abs((counts.get(answer) ?? 0) / count - p)).toBeLessThan(
        5 * Math.sqrt((p * (1 - p)) / count) + 1 / count,
      );
    }
  },
);

test("the most probable tokens: sorted, distinct, exact; the end is a child", async () => {
  const policy = text(model, { step: "token", temperature: 0.3, topK: 1 });
  const children = extensions(await extend(policy, policy.root(problem), { draw: "top", seeds: [1, 2, 3, 4, 5] }));
  expect(children).toHaveLength(3); // as many as there are tokens
  const next = await model.nextTokens({ prompt: "?", text: "" }, { signal });
  expect(children.map(({ logProb }) => logProb)).toEqual(next.logProbs);
  expect(children.map(({ state }) => state.text)).toEqual(next.texts);
  expect(children.map(({ done }) => done)).toEqual(next.tokens.map((token) => token === 2));
  expect(children.map(({ cost }) => [cost.calls, cost.tokens])).toEqual([
    [1, 1],
    [0, 0],
    [0, 0],
  ]); // all three come out of one reading
  const [second] = extensions(await extend(policy, policy.root(problem), { draw: "top", seeds: [9], ranks: [1] }));
  expect(second?.state).toEqual(children[1]?.state);
});

test("all tokens that end an answer are one child, in the place of their sum", async () => {
  const two: Model = {
    ...model,
    nextTokens: async () => ({
      tokens: [0, 2, 1, 3],
      texts: ["a", "", "b", ""],
      logProbs: [0.4, 0.3, 0.2, 0.1].map(Math.log),
      endTokens: [2, 3],
      cost: noCost,
    }),
  };
  const policy = text(two, { step: "token" });
  const children = extensions(await extend(policy, policy.root(problem), { draw: "top", seeds: [1, 2, 3, 4] }));
  expect(children.map(({ state }) => state.text)).toEqual(["a", "", "b"]); // 0.4; 0.3 + 0.1; 0.2
  expect(children.map(({ logProb }) => Math.exp(logProb))).toEqual([0.4, 0.4, 0.2].map((p) => expect.closeTo(p, 12)));
});

test("the most probable whole step is greedy, and there is no second one", async () => {
  const coin = tabular({ alphabet: "ht.", conditional: () => [0.6, 0.3, 0.1], maxLength: 3 });
  const policy = text(coin, { temperature: 2 });
  const parts = await extend(policy, policy.root(problem), { draw: "top", seeds: [1, 2] });
  expect(extensions(parts)).toMatchObject([{ state: { text: "hhh" }, logProposal: 0, done: true }]);
  expect(parts).toContainEqual({
    type: "failure",
    index: 1,
    failure: { code: "unsupported", message: expect.stringContaining('step: "token"') },
  });
});

test("an answer cut at its limit is done and says so; a step cut at its limit goes on", async () => {
  const long = scripted({ replies: ({ text }) => "abcdefgh\n".slice(text.length) });
  const answer = text(long, { maxTokens: 4 });
  expect(extensions(await extend(answer, answer.root(problem)))).toMatchObject([
    { done: true, state: { text: "abcd", finish: "length" }, length: 4 },
  ]);
  const path = await rollout(text(long, { step: "line", maxTokens: 3, maxAnswerTokens: 8 }), 1);
  expect(path.map(({ state, done, length }) => [state.text, state.finish, done, length])).toEqual([
    ["abc", undefined, false, 3],
    ["abcdef", undefined, false, 3],
    ["abcdefgh", "length", true, 2],
  ]);
});

test("a stop text ends an answer, also where it straddles two steps", async () => {
  const script = scripted({ replies: ({ text }) => "one\nEND two\n".slice(text.length) });
  const path = await rollout(text(script, { step: "line", stop: ["\nEND"] }), 1);
  expect(path.map(({ state, done }) => [state.text, done])).toEqual([
    ["one\n", false],
    ["one", true],
  ]);
  expect(path[1]?.state.finish).toBe("stop");
  const byToken = await rollout(text(script, { step: "token", stop: ["\nEND"] }), 1);
  expect(byToken.map(({ state }) => state.text)).toEqual(["o", "on", "one", "one\n", "one\nE", "one\nEN", "one"]);
});

test("packs what a step adds, never the prompt", async () => {
  const script = scripted({ replies: ({ text }) => "one\nEND".slice(text.length) });
  for (const policy of [text(model, { step: "line" }), text(script, { step: "line", stop: ["\nEND"] })]) {
    let parent = policy.root(problem);
    for (const { state } of await rollout(policy, 3)) {
      const packed = JSON.stringify(policy.pack?.(state, parent));
      expect(packed).not.toContain("?");
      expect(policy.unpack?.(JSON.parse(packed), parent)).toEqual(state);
      parent = state;
    }
  }
});

test("a child never costs more than its bound", async () => {
  const paid = { ...model, price: { dollarsPerToken: 3.3e-9, dollarsPerPromptToken: 1.7e-9 } };
  for (const step of ["token", "line", "answer"] as const) {
    const policy = text(paid, { step, maxAnswerTokens: 6 });
    const root = policy.root(problem);
    const bound = policy.bound(root, problem);
    for (const draw of ["sample", "top"] as const)
      for (const { cost } of extensions(await extend(policy, root, { draw, seeds: [1], ranks: [0] })))
        for (const unit of ["tokens", "promptTokens", "calls", "nanodollars"] as const)
          expect(cost[unit]).toBeLessThanOrEqual(bound[unit]);
  }
  expect(text(paid, { maxTokens: 10 }).bound({ prompt: "1234", text: "ab", length: 9 }, problem)).toEqual({
    tokens: 1, // 10 - 9
    promptTokens: 6,
    cachedTokens: 0,
    calls: 1,
    nanodollars: 14, // 3.3 + 6 * 1.7 = 13.5, rounded up
  });
});

test("deltas come through with the index of their entry", async () => {
  const policy = text(scripted({ replies: ["ab", "c"] }));
  const parts = await extend(policy, policy.root(problem), { seeds: [1, 2] });
  const written = parts.reduce<string[]>((texts, part) => {
    if (part.type === "text-delta") texts[part.index] = (texts[part.index] ?? "") + part.delta;
    return texts;
  }, []);
  expect(written).toEqual(["ab", "c"]);
});

test("failures come through, and what cannot be done is refused with its alternative", async () => {
  const policy = text(scripted({ replies: [{ failure: "overflow" }] }));
  expect(await extend(policy, policy.root(problem))).toMatchObject([
    { type: "failure", failure: { code: "overflow" } },
  ]);
  const whole = scripted({ replies: [""], capabilities: { continues: false, messages: false } });
  expect(() => text(whole, { step: "line" })).toThrow(/step "answer"/);
  const talk = text(whole);
  await expect(extend(talk, talk.root({ id: "t", prompt: [{ role: "user", content: "hi" }] }))).rejects.toThrow(
    /no conversations/,
  );
  const top = text(scripted({ replies: [""] }), { step: "token" });
  await expect(extend(top, top.root(problem), { draw: "top" })).rejects.toThrow(/next-token/);
  expect(() => text(model, { maxTokens: 0 })).toThrow(/positive integer/);
  await expect(extend(policy, { prompt: "", text: "", length: 1, finish: "end" })).rejects.toThrow(/finished/);
});

test("an empty answer is an answer", async () => {
  const policy = text(scripted({ replies: [""] }));
  expect(extensions(await extend(policy, policy.root(problem)))).toMatchObject([
    { done: true, state: { text: "", finish: "end" } },
  ]);
});

test("a policy's name tells its step from one of the same source, to a ledger too", async () => {
  const upTo = (length: number) => (written: string) => (written.length < length ? undefined : length);
  const untilNames: (string | undefined)[] = [];
  const watched: Model = {
    ...model,
    generate(request) {
      untilNames.push(request.untilName);
      return model.generate(request);
    },
  };
  for (const policy of [
    text(watched, { step: upTo(1), name: "by one" }),
    text(watched, { step: upTo(2), name: "by two" }),
    text(watched, { step: "line", name: "lines" }),
  ])
    await extend(policy, policy.root(problem));
  expect(untilNames).toEqual(["by one", "by two", "line"]);
});

test("names tell settings apart", () => {
  const names = [
    text(model),
    text(model, { temperature: 0.5 }),
    text(model, { step: "line" }),
    text(model, { step: "line", maxTokens: 5 }),
    text(model, { step: (t) => t.length }),
    text(model, { step: (t) => t.length + 1 }),
    text(model, { stop: ["x"] }),
    text(scripted({ replies: [""] })),
  ].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names[1]).toBe("text(tabular, answer, 1024 tokens, temperature 0.5)");
});
