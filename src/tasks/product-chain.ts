/**
 * Product chain: the product of some numbers mod 100, two factors at a time, in any order.
 *
 *     24*88*4*74             the factors
 *     74*24=76;88*4*76       any two, their product mod 100; the factors that remain, the product last
 *     76*4=4;88*4
 *     4*88=52
 *
 * One result, many ways to it, so that mistakes of different samples disagree: the task of voting (Wang et al. 2022,
 * arXiv:2203.11171, §2). With `=` after the factors the result alone is asked for, without steps: `52`.
 */
import type { Key } from "../key.ts";
import { random, type Random } from "../math/random.ts";
import type { Problem } from "../problem.ts";
import type { Split, Task } from "../task.ts";
import { levelOf, sameItems, type Stepped, until, walk, whole, without } from "./steps.ts";

const name = "product-chain";

export interface Level {
  readonly count: number;
  /** Factors are 2 up to this. */
  readonly largest: number;
  readonly direct: boolean;
}

const levels = {
  base: { count: 4, largest: 99, direct: false, says: "four factors of 2..99, step by step" },
  easy: { count: 3, largest: 99, direct: false, says: "three factors of 2..99, step by step" },
  direct: { count: 4, largest: 99, direct: true, says: "as base, but answered at once, without steps" },
  "easy-direct": { count: 3, largest: 99, direct: true, says: "as easy, but answered at once, without steps" },
  small: { count: 4, largest: 20, direct: false, says: "four factors of 2..20, step by step" },
  hard: { count: 5, largest: 99, direct: false, says: "five factors of 2..99, step by step: never seen in training" },
} as const satisfies Record<string, Level & { says: string }>;

interface Question {
  readonly factors: readonly number[];
  readonly direct: boolean;
}

const times = (a: number, b: number): number => (a * b) % 100;

/** The line that multiplies the factors at `i` and `j`, and the factors after it. */
export function multiply(factors: readonly number[], i: number, j: number): { line: string; rest: readonly number[] } {
  const [a, b] = [factors[i] as number, factors[j] as number];
  const rest = [...factors.filter((_, at) => at !== i && at !== j), times(a, b)];
  return { line: `${a}*${b}=${times(a, b)}${rest.length > 1 ? `;${rest.join("*")}` : ""}\n`, rest };
}

/** A step with a random pair of factors. */
export function randomStep(factors: readonly number[], { integer }: Random): { line: string; rest: readonly number[] } {
  const i = integer(factors.length);
  return multiply(factors, i, (i + 1 + integer(factors.length - 1)) % factors.length);
}

const canonicalQuestion = ({ factors }: Question): string => `${name} ${factors.toSorted((a, b) => a - b).join("*")}`;

function problemOf({ factors, direct }: Question): Problem {
  const prompt = `${factors.join("*")}${direct ? "=" : ""}\n`;
  return {
    id: `${name} ${prompt.trimEnd()}`,
    prompt,
    task: name,
    reference: String(factors.reduce(times)),
    data: { factors, direct },
  };
}

/** A problem of any such level. */
export function makeChain(key: Key, { count, largest, direct }: Level, split: Split): Problem {
  const { integer } = random(key);
  const draw = (): Question => ({ factors: Array.from({ length: count }, () => 2 + integer(largest - 1)), direct });
  return problemOf(until(split, canonicalQuestion, draw));
}

function questionOf(problem: Problem): Question {
  const data = problem.data as Partial<Question> | undefined;
  if (problem.task !== name || !Array.isArray(data?.factors) || typeof data.direct !== "boolean")
    throw new TypeError(
      `Cannot read problem '${problem.id}' as one of ${name}: its data must hold 'factors' and 'direct'`,
    );
  return data as Question;
}

const number = "(?:0|[1-9]\\d?)";
const form = new RegExp(`^(${number})\\*(${number})=(${number})(?:;(${number}(?:\\*${number}){1,6}))?$`);

function step(factors: readonly number[], line: string): Stepped<readonly number[]> {
  if (factors.length === 1) return { why: "all factors are used: there is nothing left to multiply" };
  const parts = form.exec(line);
  if (parts === null)
    return { why: "a step reads a*b=c;rest, where c is the product mod 100 and rest the factors that remain" };
  const [a, b, result] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const rest = without(factors, [a, b]);
  if (rest === undefined) return { why: `${a} and ${b} are not both among ${factors.join("*")}` };
  if (times(a, b) !== result) return { why: `${a}*${b} is ${times(a, b)} mod 100, not ${result}` };
  rest.push(result);
  const listed = parts[4]?.split("*").map(Number) ?? [];
  if (!sameItems(listed, rest.length > 1 ? rest : []))
    return { why: `what remains is ${rest.length > 1 ? rest.join("*") : "the product alone, which is not listed"}` };
  return { state: rest.length > 1 ? listed : rest };
}

// The direct form has one step: the result.
function directStep(factors: readonly number[], line: string): Stepped<readonly number[]> {
  if (factors.length === 1) return { why: "the result is stated already" };
  const product = factors.reduce(times);
  return line === String(product) ? { state: [product] } : { why: `the product is ${product} mod 100` };
}

const execute = ({ factors, direct }: Question, answer: string): ReturnType<typeof walk<readonly number[]>> =>
  walk(factors, answer, direct ? directStep : step);

export const productChain: Task = {
  name,
  title: "The product of the factors mod 100, two factors a line, in any order: 24*88*4*74",
  levels: Object.fromEntries(Object.entries(levels).map(([level, { says }]) => [level, says])),
  make(key, { level = "base", split = "test" } = {}) {
    return makeChain(key, levelOf<Level>(levels, name, level), split);
  },
  parse(prompt) {
    const parts = /^([1-9]\d?(?:\*[1-9]\d?){1,7})(=?)\n?$/.exec(prompt);
    if (parts === null)
      throw new SyntaxError(
        `Cannot read ${JSON.stringify(prompt.slice(0, 60))} as a problem of ${name}: it must be two to eight factors of 1..99, as in 24*88*4*74, with = behind them to ask for the result alone`,
      );
    return problemOf({ factors: (parts[1] as string).split("*").map(Number), direct: parts[2] === "=" });
  },
  check(problem, answer) {
    const { steps, state, valid } = execute(questionOf(problem), answer);
    if (!valid) return { correct: false, evidence: `line ${steps.length}: ${steps.at(-1)?.why}`, steps };
    if (state.length > 1) return { correct: false, evidence: `${state.join("*")} are not multiplied yet`, steps };
    return { correct: true, evidence: `every step holds: the product is ${state[0]} mod 100`, steps };
  },
  /** The number that the last line states; whether it was reached by valid steps is not asked. */
  canonical(_problem, answer) {
    const end = answer.endsWith("\n") ? answer.length - 1 : answer.length;
    const last = answer.slice(answer.lastIndexOf("\n", end - 1) + 1, end);
    if (last.length > 20) return undefined;
    return /^(?:\d{1,2}\*\d{1,2}=)?(0|[1-9]\d?)$/.exec(last)?.[1];
  },
  solve(problem, key) {
    const { factors, direct } = questionOf(problem);
    if (direct) return `${factors.reduce(times)}\n`;
    const stream = random(key);
    let answer = "";
    for (let left = factors; left.length > 1; ) {
      const { line, rest } = randomStep(left, stream);
      answer += line;
      left = rest;
    }
    return answer;
  },
  /** Valid steps never lead astray here: the product stays what it is. */
  solvable(problem, steps) {
    return whole(steps) && execute(questionOf(problem), steps).valid;
  },
};
