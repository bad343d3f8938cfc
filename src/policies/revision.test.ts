import { expect, test } from "vitest";
import { chiSquareP } from "../../test/helpers/chi-square.ts";
import { scripted } from "../models/scripted.ts";
import type { Node } from "../node.ts";
import type { Problem, Prompt } from "../problem.ts";
import { run } from "../run.ts";
import { memoryJournal } from "../runs/memory.ts";
import type { Score } from "../scorer.ts";
import { extend, type Search } from "../search.ts";
import { productChain } from "../tasks/product-chain.ts";
import type { ask } from "./ask.ts";
import { harderByPrompt, moreByPrompt, retryByPrompt } from "./growing-prompts.ts";
import { critiqueByPrompt, reviseByPrompt, reviseByRewind, validLines } from "./revision.ts";
import { text, type TextState } from "./text.ts";

const problem: Problem = { id: "sum", prompt: "17+25=" };
const refused: Score = { kind: "verdict", correct: false, evidence: "7+5 is 12." };
const answered = (text: string): TextState => ({
  prompt: problem.prompt,
  text,
  length: text.length + 1,
  finish: "end",
});
const nodeOf = (text: string) => ({ state: answered(text) }) as Node<TextState>;

/** What a model was asked by a policy that goes on from an answer. */
async function askedBy(
  policy: (model: ReturnType<typeof scripted>) => ReturnType<typeof ask>,
  of = problem,
): Promise<Prompt> {
  const model = scripted({ replies: ["42"] });
  const search: Search<TextState> = {
    name: "one",
    options: {},
    *run(root) {
      const [answer] = yield* extend(root, { policy: policy(model) });
      return { answer, candidates: [] };
    },
  };
  await run(search, of, { policy: { ...text(model), root: ({ prompt }) => ({ ...answered("32"), prompt }) } });
  return model.calls[0]?.prompt ?? "";
}

test("a revision is asked for with question, answer and feedback", async () => {
  expect(await askedBy((model) => reviseByPrompt(model)(nodeOf("32"), refused))).toBe(
    "17+25=\n\nAn earlier answer:\n32\n\nThis answer is not right.\n7+5 is 12.\nGive a better answer, in the same form, and nothing else.",
  );
  expect(await askedBy((model) => reviseByPrompt(model)(nodeOf("32"), undefined, [nodeOf("Carry the one.")]))).toMatch(
    /32\n\nCarry the one.\nGive/,
  );
  expect(await askedBy((model) => reviseByPrompt(model)(nodeOf("32"), { kind: "probability", value: 0.3 }))).toMatch(
    "This answer is scored 0.3.",
  );
  expect(await askedBy((model) => critiqueByPrompt(model)(nodeOf("32"), undefined))).toMatch(
    /32\n\nCriticise this answer/,
  );
});

test("a conversation goes on in turns", async () => {
  const turns = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "17+25=" },
  ] as const;
  const asked = await askedBy((model) => reviseByPrompt(model)(nodeOf("32"), refused), { id: "chat", prompt: turns });
  expect((asked as typeof turns).map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  const retried = await askedBy((model) => retryByPrompt(model)([nodeOf("Carry.")]), { id: "chat", prompt: turns });
  expect(retried).toEqual([
    turns[0],
    { role: "user", content: "17+25=\n\nLessons from earlier attempts that failed:\n- Carry." },
  ]);
});

test("a template of one's own", async () => {
  const template = ({ answer, score }: { answer: string; score: Score | undefined }) => `${answer}? ${score?.evidence}`;
  expect(await askedBy((model) => reviseByPrompt(model, { template })(nodeOf("32"), refused))).toBe("32? 7+5 is 12.");
});

test("policies that ask something else have another name", () => {
  const model = scripted({ replies: [""] });
  const revise = reviseByPrompt(model);
  expect(revise(nodeOf("a"), refused).name).toBe(revise(nodeOf("b"), refused).name); // the answer is in the state
  expect(revise(nodeOf("a"), refused).name).not.toBe(revise(nodeOf("a"), undefined).name);
  expect(retryByPrompt(model)([nodeOf("x")]).name).not.toBe(retryByPrompt(model)([nodeOf("y")]).name);
});

test("asking harder fills the question's own place, or adds a sentence", async () => {
  const picture = { id: "picture", prompt: "Describe a {very}beautiful waterfall." };
  const asked = (strength: number, of: Problem) =>
    askedBy((model) => harderByPrompt(model, { wish: "beautiful" })(strength), of);
  expect(await asked(0, picture)).toBe("Describe a beautiful waterfall.");
  expect(await asked(2, picture)).toBe("Describe a very very beautiful waterfall.");
  expect(await asked(0, problem)).toBe("17+25=");
  expect(await asked(1, problem)).toBe("17+25=\n\nMake it very beautiful.");
});

test("making it more shows the last output", async () => {
  const asked = (strength: number) => askedBy((model) => moreByPrompt(model, { wish: "beautiful" })(strength));
  expect(await asked(0)).toBe("17+25=");
  expect(await asked(2)).toMatch(/An earlier answer:\n32\n\nMake it more beautiful/);
});

/** Continues with as many x as the seed says; every line but "bad" is valid. */
const continuing = () => scripted({ replies: ["new\nend\n"], capabilities: { messages: false } });
const valid = (answer: string) => {
  const bad = answer.split("\n").findIndex((line) => line === "bad" || line === "");
  return bad < 0 ? answer.split("\n").length : bad;
};

/** The beginnings that were kept of an answer, by draws. */
async function rewound(
  answer: string,
  { back, count = 1, draw = "sample" }: { back: number; count?: number; draw?: "sample" | "top" },
) {
  const model = continuing();
  const policy = reviseByRewind(model, { valid, back, maxTokens: 100 })();
  const search: Search<TextState> = {
    name: "rewind",
    options: {},
    *run(root) {
      const candidates = yield* extend(root, { policy, count, draw });
      return { answer: candidates[0], candidates };
    },
  };
  const journal = memoryJournal();
  const options = { policy: { ...text(model), root: () => answered(answer) }, journal };
  const { outcome } = await run(search, problem, options);
  const again = await run(search, problem, options);
  expect(again.outcome?.candidates.map(({ state }) => state)).toEqual(outcome?.candidates.map(({ state }) => state));
  return { kept: model.calls.map((call) => call.text), states: outcome?.candidates.map(({ state }) => state) ?? [] };
}

test("the lines before the first refused one are kept, the rest is drawn anew", async () => {
  const { kept, states } = await rewound("one\ntwo\nbad\nfour\n", { back: 0 });
  expect(kept).toEqual(["one\ntwo\n"]);
  expect(states).toMatchObject([{ text: "one\ntwo\nnew\nend\n", finish: "end", length: 8 + 9 }]);
});

test("where every line holds, the last is taken back; so is an only line, and of nothing nothing is kept", async () => {
  expect((await rewound("one\ntwo\n", { back: 0 })).kept).toEqual(["one\n"]);
  expect((await rewound("one\ntwo", { back: 0 })).kept).toEqual(["one\n"]);
  expect((await rewound("one", { back: 0 })).kept).toEqual([""]);
  expect((await rewound("", { back: 0 })).kept).toEqual([""]);
  expect((await rewound("bad\none\n", { back: 0 })).kept).toEqual([""]);
});

test("each further line is taken back with probability back", async () => {
  const { kept } = await rewound("1\n2\n3\nbad\n", { back: 0.5, count: 400 });
  const lines = [3, 2, 1, 0].map((count) => kept.filter((text) => text.split("\n").length - 1 === count).length);
  expect(chiSquareP(lines, [1 / 2, 1 / 4, 1 / 8, 1 / 8])).toBeGreaterThan(1e-4);
  expect((await rewound("1\n2\nbad\n", { back: 1 })).kept).toEqual([""]);
  expect((await rewound("1\n2\nbad\n", { back: 0.5, draw: "top" })).kept).toEqual(["1\n2\n"]); // without chance
});

test("a task's checker says how many lines hold, and is asked for nothing else", () => {
  const chain = productChain.parse("24*88*4*74");
  const lines = validLines(productChain);
  expect(lines("74*24=76;88*4*76\n76*4=4;88*4\n4*88=52\n", chain)).toBe(3);
  expect(lines("74*24=76;88*4*76\n76*4=5;88*5\n5*88=40\n", chain)).toBe(1);
  expect(lines("no\n", chain)).toBe(0);
});

test("the worst case covers every place it may rewind to", () => {
  const policy = reviseByRewind(continuing(), { valid, maxTokens: 30 })();
  expect(policy.bound(answered("one\ntwo\nbad\n"), problem)).toMatchObject({
    tokens: 30,
    promptTokens: "17+25=one\ntwo\n".length,
    calls: 1,
  });
});

test.each([-0.1, 1.1, Number.NaN])("refuses back = %d", (back) => {
  expect(() => reviseByRewind(continuing(), { valid, back })).toThrow("'back'");
});
