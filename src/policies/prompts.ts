/**
 * Questions in words, for models that take instructions: what reasoning programs ask, and how their replies are read.
 *
 *     const search = selectionInference({ ...selectionInferencePrompts(model), statements, answer });
 *
 * Each has a name, a policy that asks it (`ask`) and a reader (`read`), which never throws and takes time linear in the
 * reply. Readers are strict where a misunderstanding would look like an answer: a reply that says both true and false says
 * nothing. The prompts are this library's own words, not those of the papers, which show worked examples for each data set.
 */
import { noCost } from "../budget.ts";
import { fingerprint } from "../key.ts";
import type { Model } from "../model.ts";
import type { Policy } from "../policy.ts";
import { promptText } from "../problem.ts";
import { ask, type AskOptions } from "./ask.ts";
import { replyStates } from "./reply-state.ts";
import { text, type TextState } from "./text.ts";

/** One kind of question, in the form that the programs of `search` take. */
export interface PromptModule<Input, Output> {
  readonly name: string;
  ask(input: Input): Policy<TextState>;
  read(reply: TextState, input: Input): PromptReading<Output>;
}

export type PromptReading<T> = { readonly value: T } | { readonly why: string };

export interface PromptOptions extends Omit<AskOptions, "name" | "done" | "read"> {
  /** What is asked, in words, where it is not the problem's prompt as it stands. */
  readonly question?: string;
  /** What an answer has to look like, in a sentence. */
  readonly form?: string;
}

/** A smaller question with its answer. */
interface Answered {
  readonly question: string;
  readonly answer: string;
}

interface StatedClaim {
  readonly statement: string;
  readonly holds: boolean;
}

/** A child that a program states itself: no model is asked, nothing is spent. */
export function say(text: string): Policy<TextState> {
  return {
    ...replyStates,
    name: `say ${JSON.stringify(text)}`,
    bound: () => noCost,
    async *extend(state, { seeds }) {
      const child: TextState = { prompt: state.prompt, text, length: state.length, finish: "end" };
      for (const index of seeds.keys())
        yield {
          type: "extension",
          index,
          extension: { state: child, done: true, logProb: 0, logProposal: 0, length: 0, cost: noCost },
        };
    },
  };
}

/** Reason first, then say the answer alone. Kojima et al. 2022, arXiv:2205.11916. */
export function chainOfThoughtPrompts(
  model: Model,
  options: PromptOptions = {},
): {
  readonly reason: PromptModule<undefined, string>;
  readonly answer: (reasoning: string | undefined) => Policy<TextState>;
} {
  const { module, finally: answer } = maker(model, options);
  return {
    reason: module(
      "reason",
      (_, question) => `${question}\n\nThink step by step, one step a line. Do not skip a step.`,
      readText,
    ),
    answer: (reasoning) => answer("answer", reasoning === undefined ? "" : `Reasoning:\n${reasoning}\n\n`),
  };
}

export function leastToMostPrompts(
  model: Model,
  options: PromptOptions = {},
): {
  readonly decompose: PromptModule<undefined, readonly string[]>;
  readonly solve: PromptModule<
    {
      readonly question: string;
      readonly earlier: readonly Answered[];
    },
    string
  >;
  readonly answer: (earlier: readonly Answered[]) => Policy<TextState>;
} {
  const { module, finally: answer } = maker(model, options);
  const told = (earlier: readonly Answered[]): string =>
    earlier.map(({ question, answer }) => `Q: ${question}\nA: ${answer}\n\n`).join("");
  return {
    decompose: module(
      "decompose",
      (_, question) =>
        `${question}\n\nWhich simpler questions have to be answered first? List them, the easiest first, one a line, numbered, without answering them.`,
      ({ text }) => {
        const questions = listed(text);
        return questions.length > 0 ? { value: questions } : { why: "it lists no questions" };
      },
    ),
    solve: module(
      "solve",
      ({ question, earlier }, whole) =>
        `${whole}\n\n${told(earlier)}Q: ${question}\nAnswer this last question, briefly.`,
      readText,
    ),
    answer: (earlier) => answer("answer", told(earlier)),
  };
}

export function selectionInferencePrompts(
  model: Model,
  options: PromptOptions = {},
): {
  readonly select: PromptModule<readonly string[], readonly number[]>;
  readonly infer: PromptModule<readonly string[], string>;
  readonly answer: (statements: readonly string[]) => Policy<TextState>;
} {
  const { module, finally: answer } = maker(model, options);
  return {
    select: module(
      "select",
      (statements, question) =>
        `${question}\n\nStatements:\n${numbered(statements)}\n\nWhich of these statements, taken together, allow the next step towards the answer: something new that is not stated yet? Reply with their numbers alone, as in "2, 5", or with "none" if nothing new follows.`,
      ({ text }, statements) => readPlaces(text, statements.length),
    ),
    infer: module(
      "infer",
      (selected: readonly string[]) =>
        `${selected.join("\n")}\n\nWhat one new statement follows from exactly these? Reply with that statement alone, in one sentence.`,
      readStatement,
    ),
    answer: (statements) => answer("answer", `Statements:\n${numbered(statements)}\n\n`),
  };
}

export function maieuticPrompts(
  model: Model,
  options: PromptOptions = {},
): {
  readonly explain: PromptModule<StatedClaim, string>;
  readonly judge: PromptModule<StatedClaim, number>;
  readonly relate: PromptModule<
    { readonly premise: StatedClaim; readonly hypothesis: StatedClaim },
    { readonly kind: "entails" | "contradicts" | "neutral" }
  >;
  readonly answer: (holds: boolean | undefined) => Policy<TextState>;
} {
  const { module, finally: answer, question: asked } = maker(model, options);
  return {
    explain: module(
      "explain",
      (claim) =>
        `${said(claim)}, because\n\nComplete this with one sentence that can be judged by itself. Reply with that sentence alone.`,
      ({ text }, claim) => readStatement({ text: text.replace(/^["\s.…]*because\s/i, "") }, claim),
    ),
    judge: module(
      "judge",
      (claim) => `${said(claim)}.\n\nIs that so? Reply with one word: true or false.`,
      ({ text }) => {
        const word = onlyWord(text, { true: 1, yes: 1, false: 0, no: 0 });
        return word === undefined ? { why: "it says neither true nor false" } : { value: word };
      },
    ),
    relate: module(
      "relate",
      ({ premise, hypothesis }) =>
        `Suppose: ${said(premise)}.\nClaim: ${said(hypothesis)}.\n\nDoes what is supposed entail the claim, contradict it, or neither? Reply with one word: entails, contradicts or neither.`,
      ({ text }) => {
        const kind = onlyWord(text, {
          entails: "entails" as const,
          entail: "entails" as const,
          contradicts: "contradicts" as const,
          contradict: "contradicts" as const,
          neither: "neutral" as const,
          neutral: "neutral" as const,
        });
        return kind === undefined ? { why: "it names no relation, or several" } : { value: { kind } };
      },
    ),
    answer(holds) {
      if (holds === undefined) return answer("answer", "", "Reply with one word.");
      const isQuestion = asked?.trimEnd().endsWith("?") ?? false;
      return say(isQuestion ? (holds ? "yes" : "no") : String(holds));
    },
  };
}

export function backwardChainingPrompts(
  model: Model,
  options: PromptOptions = {},
): {
  readonly checkFact: PromptModule<
    { readonly goal: string; readonly facts: readonly string[] },
    "proved" | "disproved" | "unknown"
  >;
  readonly selectRules: PromptModule<{ readonly goal: string; readonly rules: readonly string[] }, readonly number[]>;
  readonly decompose: PromptModule<{ readonly goal: string; readonly rule: string }, readonly string[]>;
  readonly agree: PromptModule<{ readonly goal: string; readonly rule: string }, boolean>;
  readonly answer: (verdict: "proved" | "disproved" | "unknown") => Policy<TextState>;
} {
  const { module } = maker(model, options);
  return {
    checkFact: module(
      "check fact",
      ({ goal, facts }) =>
        `Facts:\n${numbered(facts)}\n\nClaim: ${goal}\n\nDoes one of the facts by itself say that the claim is so (true), say that it is not so (false), or does none of them (unknown)? Reply with one word: true, false or unknown.`,
      ({ text }) => {
        const verdict = onlyWord(text, {
          true: "proved" as const,
          false: "disproved" as const,
          unknown: "unknown" as const,
        });
        return verdict === undefined ? { why: "it is none of true, false, unknown" } : { value: verdict };
      },
    ),
    selectRules: module(
      "select rules",
      ({ goal, rules }) =>
        `Rules:\n${numbered(rules)}\n\nClaim: ${goal}\n\nWhich rules conclude the claim or its opposite? Reply with their numbers alone, as in "2, 5", or with "none".`,
      ({ text }, { rules }) => readPlaces(text, rules.length),
    ),
    decompose: module(
      "decompose",
      ({ goal, rule }) =>
        `Rule: ${rule}\nClaim: ${goal}\n\nWhat has to be so for the rule to apply to the claim? List the conditions, one a line, numbered, each as a whole sentence.`,
      ({ text }) => {
        const conditions = listed(text).map(withoutPeriod);
        return conditions.length > 0 ? { value: conditions } : { why: "it lists no conditions" };
      },
    ),
    agree: module(
      "sign",
      ({ goal, rule }) =>
        `Rule: ${rule}\nClaim: ${goal}\n\nDoes the rule conclude the claim itself, or its opposite? Reply with one word: same or opposite.`,
      ({ text }) => {
        const same = onlyWord(text, { same: true, itself: true, opposite: false });
        return same === undefined ? { why: "it is neither same nor opposite" } : { value: same };
      },
    ),
    answer: (verdict) => say({ proved: "yes", disproved: "no", unknown: "unknown" }[verdict]),
  };
}

function maker(model: Model, { question, form, ...options }: PromptOptions) {
  const answerer = text(model, { ...options, step: "answer" }).name;
  return {
    question,
    /** A question that leads on. Its name holds what goes into the prompt, as its state does not. */
    module<Input, Output>(
      name: string,
      prompt: (input: Input, question: string) => string,
      read: (reply: { readonly text: string }, input: Input) => PromptReading<Output>,
    ): PromptModule<Input, Output> {
      return {
        name: `${name} #${fingerprint(JSON.stringify([question ?? null, form ?? null]))}: ${answerer}`,
        ask: (input) =>
          ask(model, (_, problem) => prompt(input, question ?? promptText(problem.prompt)), {
            ...options,
            name: `${name} #${fingerprint(JSON.stringify([input ?? null, question ?? null]))}`,
            done: false,
          }),
        read: (reply, input) => read(reply, input),
      };
    },
    /** The question itself, with what was found out before it. */
    finally(name: string, found: string, manner = "Reply with the answer alone."): Policy<TextState> {
      const asked = [...(form ? [form] : []), manner].join(" ");
      return ask(model, (_, problem) => `${question ?? promptText(problem.prompt)}\n\n${found}${asked}`, {
        ...options,
        name: `${name} #${fingerprint(JSON.stringify([found, asked, question ?? null]))}`,
      });
    },
  };
}

const numbered = (lines: readonly string[]): string => lines.map((line, i) => `${i + 1}. ${line}`).join("\n");

const said = ({ statement, holds }: StatedClaim): string => `"${statement}" is ${holds ? "true" : "false"}`;

const readText = ({ text }: { readonly text: string }): PromptReading<string> =>
  text === "" ? { why: "the reply is empty" } : { value: text };

/** The first line that says something. */
function readStatement({ text }: { readonly text: string }, _: unknown): PromptReading<string> {
  const line = text
    .split("\n")
    .map((one) => one.trim())
    .find((one) => /[\p{L}\p{N}]/u.test(one));
  if (line === undefined) return { why: "it states nothing" };
  return line.length > 1000 ? { why: "it is too long for a statement" } : { value: withoutPeriod(line) };
}

const withoutPeriod = (line: string): string => (line.endsWith(".") ? line.slice(0, -1) : line);

/** Numbers of a list that was counted from 1; the others are left out. */
function readPlaces(text: string, count: number): PromptReading<readonly number[]> {
  if (/^\W{0,3}none\b/i.test(text)) return { value: [] };
  const places = Array.from(text.matchAll(/\d+/g), ([digits]) => Number(digits) - 1);
  const usable = [...new Set(places.filter((place) => place >= 0 && place < count))];
  return usable.length > 0 ? { value: usable } : { why: "it names nothing of the list" };
}

/** The items of a list, less their numbers and bullets; lines that have neither are no items. */
function listed(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const item = /^(?:\(?\d{1,3}[.):]|[-*•])\s+(\S.*)$/.exec(line.trim())?.[1];
    return item === undefined || item.length > 1000 ? [] : [item];
  });
}

/** What the reply says, if its first word says it, or if it is said once and not denied. */
function onlyWord<T>(text: string, meanings: Readonly<Record<string, T>>): T | undefined {
  const words = text
    .slice(0, 1000)
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== "");
  const meaningOf = (word: string): T | undefined => (Object.hasOwn(meanings, word) ? meanings[word] : undefined);
  const [first = ""] = words;
  const found = [...new Set(words.map(meaningOf).filter((one) => one !== undefined))];
  if (meaningOf(first) !== undefined && found.length === 1) return found[0];
  return found.length === 1 && !words.includes("not") ? found[0] : undefined;
}
