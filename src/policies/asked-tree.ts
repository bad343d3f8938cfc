/**
 * Asking for search in the prompt: the model writes a tree of tries and a pick in a stated notation; the reply is read back
 * into that tree, and whatever can be checked is checked.
 *
 *     Try 1:                 a try, one step a line
 *     4 * 5 = 20
 *     20 + 10 = 30
 *     Result: 30
 *     Try 1.1:               goes on from the steps of try 1
 *     Pick: 1
 *     Answer: 30
 *
 * The reader forgives white space, bullets, bold type, missing numbers and missing parts; of nonsense it reads an empty tree. It
 * reads every line once. A model that writes such a tree has not searched for sure: the pick may not follow from the tree, and the
 * tree may be wrong. `checkTree` says both.
 */
import { noCost } from "../budget.ts";
import { checkEquation, evaluate, type Fraction, fractionText, sameFraction } from "../math/arithmetic.ts";
import type { Model } from "../model.ts";
import type { Node } from "../node.ts";
import type { Policy } from "../policy.ts";
import type { Problem } from "../problem.ts";
import type { Scorer } from "../scorer.ts";
import type { Checker, Task } from "../task.ts";
import { ask, type AskOptions } from "./ask.ts";
import { replyStates } from "./reply-state.ts";
import { named, withAdded } from "./revision.ts";
import type { TextState } from "./text.ts";

export interface AskedTry {
  /** Its number, as in `1` or `1.2`; by order where none is written. */
  readonly name: string;
  /** The place in `tries` of the one that it goes on from. */
  readonly parent: number | undefined;
  /** Its own, without those of its parent. */
  readonly steps: readonly string[];
  readonly result: string | undefined;
}

export interface AskedTree {
  /** In order of the reply. */
  readonly tries: readonly AskedTry[];
  /** What stands behind `Pick:`. */
  readonly pick: string | undefined;
  /** What stands behind `Answer:`, later lines included. */
  readonly answer: string | undefined;
}

/** A try from its first step on: the steps that it goes on from, then its own. */
export interface WholeTry {
  readonly name: string;
  readonly steps: readonly string[];
  readonly result: string | undefined;
}

export interface TryVerdict {
  readonly verdict: "right" | "wrong" | "unparsed";
  /** What is wrong, or cannot be read. */
  readonly why?: string;
}

export interface TreeReport {
  readonly tries: readonly (WholeTry & TryVerdict)[];
  /** The place in `tries` of the picked one; undefined where none was picked, or one that is not there. */
  readonly pick: number | undefined;
  /** Whether a try of the tree was picked, and the answer given is its result. That it is right is not asked. */
  readonly pickFollows: boolean;
}

/** Tries beyond these are not read. */
const mostTries = 16;

// No two of their parts can share white space without end, and `.` takes in every character: each line is read once.
const head = /^(?:try|branch|attempt)\b\s{0,9}#?\s{0,9}(\d{1,6}(?:\.\d{1,6}){0,19})?\s{0,9}(?:$|[:.)–—-]\s*(.*)$)/is;
const ending = /^(result|pick|(?:final\s{1,9})?answer)\s{0,9}[:=]\s*(.*)$/is;
const decoration = /^(?:[-*•>#]+\s+|\(?\d{1,3}[.)]\s+)/;

/** Never throws; of nonsense there is an empty tree. */
export function readTree(reply: string): AskedTree {
  const tries: (AskedTry & { steps: string[]; result: string | undefined })[] = [];
  const places = new Map<string, number>();
  let pick: string | undefined;
  let answer: string[] | undefined;
  for (const raw of reply.split("\n")) {
    const line = raw.replaceAll("**", "").trim().replace(decoration, "").trim();
    if (line === "") continue;
    const [opens, number, rest] = head.exec(line) ?? [];
    if (opens !== undefined) {
      if (tries.length === mostTries) break;
      const name = number ?? `${tries.length + 1}`;
      tries.push({ name, parent: parentOf(name, places), steps: rest ? [rest] : [], result: undefined });
      if (!places.has(name)) places.set(name, tries.length - 1); // of two of one name the first is meant
      answer = undefined;
      continue;
    }
    const [, key, value = ""] = ending.exec(line) ?? [];
    const open = tries.at(-1);
    if (key === undefined) {
      if (answer) answer.push(line);
      else if (pick === undefined) open?.steps.push(line); // words before the first try, and after the pick, are no steps
    } else if (/^r/i.test(key)) {
      if (open) open.result = value || undefined;
    } else if (/^p/i.test(key)) pick = value || undefined;
    else answer = value ? [value] : [];
  }
  return { tries, pick, answer: answer?.join("\n") || undefined };
}

/** The nearest try that a dotted number goes on from. */
function parentOf(name: string, places: ReadonlyMap<string, number>): number | undefined {
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
    const place = places.get(name.slice(0, dot));
    if (place !== undefined) return place;
  }
  return undefined;
}

/** The tries that came to an end: those with a result, and those that no other goes on from. */
export function wholeTries({ tries }: AskedTree): WholeTry[] {
  const continued = new Set(tries.map(({ parent }) => parent));
  const stepsOf = (at: number | undefined): readonly string[] => {
    const one = at === undefined ? undefined : tries[at];
    return one ? [...stepsOf(one.parent), ...one.steps] : [];
  };
  return tries.flatMap(({ name, result }, at) =>
    result !== undefined || !continued.has(at) ? [{ name, steps: stepsOf(at), result }] : [],
  );
}

/** Every try, checked; and whether the pick follows from them. */
export function checkTree(tree: AskedTree, check: (one: WholeTry) => TryVerdict): TreeReport {
  const tries = wholeTries(tree);
  const picked = pickedOf(tree, tries);
  const pick = picked < 0 ? undefined : picked;
  const chosen = pick === undefined ? undefined : tries[pick];
  return {
    tries: tries.map((one) => ({ ...one, ...check(one) })),
    pick,
    pickFollows: chosen !== undefined && (tree.answer === undefined || isResult(tree.answer, chosen)),
  };
}

/** The place of the picked try: by its number; where no number is given, by the answer; -1 where there is none. */
function pickedOf({ pick, answer }: AskedTree, tries: readonly WholeTry[]): number {
  const number = /\d+(?:\.\d+)*/.exec(pick ?? "")?.[0];
  const byNumber = tries.findIndex(({ name }) => name === number);
  const stated = pick === undefined || byNumber >= 0 ? answer : pick;
  return byNumber >= 0 || stated === undefined ? byNumber : tries.findIndex((one) => isResult(stated, one));
}

/** What a try comes to: its stated result, else what its last step says behind the last sign of equality. */
function resultOf({ result, steps }: WholeTry): string | undefined {
  return result ?? steps.at(-1)?.split("=").at(-1)?.split(";")[0]?.trim();
}

function isResult(stated: string, one: WholeTry): boolean {
  const result = resultOf(one);
  if (result === undefined) return false;
  const [a, b] = [evaluate(plain(stated)), evaluate(plain(result))];
  if ("value" in a && "value" in b) return sameFraction(a.value, b.value);
  return stated.trim() === result || stated.trim() === one.steps.join("\n");
}

/**
 * Whether every equation of a try holds, its result is what they come to, and that is what the question comes to, where it is
 * arithmetic. A step may hold several equations, and words around them, which are passed over.
 */
export function checkArithmetic(question?: string): (one: WholeTry) => TryVerdict {
  const asked = question === undefined ? undefined : evaluate(askedIn(question));
  return ({ steps, result }) => {
    let value: Fraction | undefined;
    for (const equation of steps.flatMap(equationsIn)) {
      if (!equation.holds) return { verdict: "wrong", why: equation.why as string };
      value = equation.value;
    }
    if (result !== undefined) {
      const stated = evaluate(plain(result));
      if ("why" in stated) return { verdict: "unparsed", why: stated.why };
      if (value && !sameFraction(value, stated.value))
        return { verdict: "wrong", why: `its steps come to ${fractionText(value)}, not ${fractionText(stated.value)}` };
      value = stated.value;
    }
    if (!value) return { verdict: "unparsed", why: "it has no equation and no result" };
    if (!asked || "why" in asked || sameFraction(asked.value, value)) return { verdict: "right" };
    return { verdict: "wrong", why: `the answer is ${fractionText(asked.value)}, not ${fractionText(value)}` };
  };
}

/** `4 x 5 + 10` of `What is 4 x 5 + 10?` and `4 x 5 + 10 = ?` */
function askedIn(question: string): string {
  const words = question.trim().replace(/^(?:what is|what's|calculate|compute|evaluate)\b\s*:?/i, "");
  const open = words.endsWith("?") || words.endsWith(".") ? words.slice(0, -1).trimEnd() : words;
  return plain(open.endsWith("=") ? open.slice(0, -1) : open);
}

/** The equations of a step: its parts between commas, or what is arithmetic among the words of a part. */
function equationsIn(step: string): Equation[] {
  return plain(step)
    .split(/[,;]/)
    .flatMap((part) => {
      const whole = checkEquation(part);
      if (whole) return [whole];
      const runs = part.match(/[-\d\s.()+−–*×·xX/÷=]+/g) ?? [];
      return runs.flatMap((run) => checkEquation(withoutEnds(run)) ?? []);
    });
}

type Equation = NonNullable<ReturnType<typeof checkEquation>>;

/** Without what stands before the first and behind the last number or bracket: the x of "six", the point of a sentence. */
function withoutEnds(run: string): string {
  const from = run.search(/[-\d(+−–]/);
  let to = run.length;
  while (to > 0 && !/[\d)]/.test(run[to - 1] as string)) to--;
  return run.slice(Math.max(from, 0), to);
}

/** Numbers as arithmetic has them: without commas at the thousands, or signs of money. */
const plain = (written: string): string => written.replace(/[$€£]/g, "").replace(/(\d),(?=\d{3}(?!\d))/g, "$1");

/** A task's own checker: the steps are the answer, one a line. */
export function checkByTask(task: Task, problem: Problem): (one: WholeTry) => TryVerdict {
  return ({ steps }) => {
    if (steps.length === 0) return { verdict: "unparsed", why: "it has no steps" };
    const { correct, evidence } = task.check(problem, `${steps.join("\n")}\n`);
    return correct ? { verdict: "right" } : { verdict: "wrong", why: evidence };
  };
}

/** The result of a try by a checker that looks at nothing else, as of a problem out of a file. */
export function checkResult(checker: Checker, problem: Problem): (one: WholeTry) => Promise<TryVerdict> {
  return async ({ result }) => {
    if (result === undefined) return { verdict: "unparsed", why: "it has no result" };
    const { correct, evidence } = await checker.check(problem, result);
    return correct ? { verdict: "right" } : { verdict: "wrong", why: evidence };
  };
}

/** Asks for tries and a pick; the reply is no answer yet. */
export function askForTries(
  model: Model,
  { tries = 3, ...options }: Omit<AskOptions, "name" | "done"> & { readonly tries?: number } = {},
): Policy<TextState> {
  const wanted = `Before you answer, search: try ${tries} different ways to solve it, even if the first one seems right. Write each try as

Try 1:
one step a line
Result: what it comes to

A try that goes on from the steps of try 1 is called 1.1, the next one 1.2. Then compare the tries and end with

Pick: the number of the best try
Answer: its result`;
  return ask(model, (_, { prompt }) => withAdded(prompt, wanted), {
    ...options,
    name: named("ask for search", tries),
    done: false,
  });
}

/** An answer that was read out of a reply. */
export interface TriedState extends TextState {
  readonly tried: WholeTry;
}

/**
 * The tries of a reply as its children, by rank, and behind them the answer given where it is none of theirs; a reply
 * without any is the answer itself. Costs nothing. `asText`: what a try's text is.
 */
export function readTries({
  asText = (one) => resultOf(one) ?? "",
}: {
  readonly asText?: (one: WholeTry) => string;
} = {}): Policy<TextState> {
  return {
    ...replyStates,
    name: `read tries: ${named("text", String(asText))}`,
    bound: () => noCost,
    async *extend({ prompt, text, length }, { ranks }) {
      const { tries } = readings(text);
      for (const [index, rank] of ranks.entries()) {
        const tried = tries[rank];
        if (!tried) continue;
        const state: TriedState = { prompt, text: asText(tried), length, finish: "end", tried };
        yield {
          type: "extension",
          index,
          extension: { state, done: true, logProb: 0, logProposal: 0, length: 0, cost: noCost },
        };
      }
    },
  };
}

/** Which of the children that `readTries` made of a reply is its pick. */
export function pickTry(reply: Node<TextState>, tries: readonly Node<TextState>[]): Node<TextState> | undefined {
  return tries[readings(reply.state.text).picked];
}

/** A verdict on each try that was read. */
export function tryScorer(name: string, check: (one: WholeTry) => TryVerdict | Promise<TryVerdict>): Scorer<TextState> {
  return {
    name: `tries:${name}`,
    kind: "verdict",
    async score({ state }) {
      const { tried = { name: "answer", steps: [], result: state.text } } = state as Partial<TriedState>;
      const { verdict, why } = await check(tried);
      return { kind: "verdict", correct: verdict === "right", evidence: why ?? verdict };
    },
  };
}

function readings(reply: string): { readonly tries: readonly WholeTry[]; readonly picked: number } {
  const tree = readTree(reply);
  const tries = wholeTries(tree);
  const picked = pickedOf(tree, tries);
  const follows = picked >= 0 && (tree.answer === undefined || isResult(tree.answer, tries[picked] as WholeTry));
  if (follows) return { tries, picked };
  const answer = tree.answer ?? (tries.length === 0 ? reply.trim() : undefined);
  if (answer === undefined) return { tries, picked: 0 };
  return { tries: [...tries, { name: "answer", steps: [], result: answer }], picked: tries.length };
}
