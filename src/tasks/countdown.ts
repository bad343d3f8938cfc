/**
 * Countdown: combine all the numbers with + - * / to reach the target.
 *
 *     11,2,5,8>29            the numbers > the target
 *     5*2=10;11,8,10         a step; the numbers that remain, the result last
 *     11+10=21;8,21
 *     21+8=29
 *
 * Every number is used once; results are positive integers, so that a difference is positive and a division exact.
 * Restating what remains makes a step depend on the line before it alone. The game is used for search with language
 * models by Gandhi et al. 2024 (Stream of Search, arXiv:2404.03683, §3) and Yao et al. 2023 (arXiv:2305.10601, §4.1).
 */
import type { Key } from "../key.ts";
import { random, type Random } from "../math/random.ts";
import type { Problem } from "../problem.ts";
import type { Task } from "../task.ts";
import { levelOf, sameItems, type Stepped, until, walk, whole, without } from "./steps.ts";

const name = "countdown";

interface Level {
  readonly count: number;
  readonly largest: number;
  readonly targets: readonly [from: number, to: number];
  readonly says: string;
}

const levels = {
  base: { count: 4, largest: 13, targets: [10, 60], says: "four numbers of 1..13, target 10..60" },
  easy: { count: 3, largest: 13, targets: [10, 60], says: "three numbers of 1..13, target 10..60" },
  shifted: { count: 4, largest: 13, targets: [61, 99], says: "as base, but target 61..99: never seen in training" },
  hard: {
    count: 4,
    largest: 20,
    targets: [10, 60],
    says: "four numbers of 1..20, target 10..60: numbers above 13 never given in training",
  },
} as const satisfies Record<string, Level>;

/** The generator keeps to results a person would write; the rules have no such bound. */
const largestMade = 200;

interface Question {
  readonly numbers: readonly number[];
  readonly target: number;
}

interface Move {
  readonly left: number;
  readonly sign: string;
  readonly right: number;
  readonly result: number;
  readonly rest: readonly number[];
}

/** Every move, the larger number first. */
export function movesOf(numbers: readonly number[]): Move[] {
  const moves: Move[] = [];
  for (let i = 0; i < numbers.length; i++)
    for (let j = i + 1; j < numbers.length; j++) moves.push(...movesOfPair(numbers, i, j));
  return moves;
}

function movesOfPair(numbers: readonly number[], i: number, j: number): Move[] {
  const [a, b] = [numbers[i] as number, numbers[j] as number];
  const [left, right] = a >= b ? [a, b] : [b, a];
  const others = numbers.filter((_, at) => at !== i && at !== j);
  const move = (sign: string, result: number): Move => ({ left, sign, right, result, rest: [...others, result] });
  const moves = [move("+", left + right), move("*", left * right)];
  if (left > right) moves.push(move("-", left - right));
  if (left % right === 0) moves.push(move("/", left / right));
  return moves;
}

/** The line of a move. */
export const lineOf = ({ left, sign, right, result, rest }: Move): string =>
  `${left}${sign}${right}=${result}${rest.length > 1 ? `;${rest.join(",")}` : ""}\n`;

/** A random move as the generator makes it: a random pair, then a random sign. Undefined where none was found. */
export function randomMove(numbers: readonly number[], { integer, pick }: Random): Move | undefined {
  for (let attempt = 0; attempt < 20; attempt++) {
    const i = integer(numbers.length);
    const j = (i + 1 + integer(numbers.length - 1)) % numbers.length;
    const moves = movesOfPair(numbers, Math.min(i, j), Math.max(i, j)).filter(({ result }) => result <= largestMade);
    if (moves.length > 0) return pick(moves);
  }
  return undefined;
}

/** A problem made forwards, by random moves, and the answer it was made with. */
export function makeSolved(
  stream: Random,
  level: string,
  split: "train" | "test",
): { question: Question; answer: string } {
  const { count, largest, targets } = levelOf<Level>(levels, name, level);
  return until(
    split,
    ({ question }) => canonicalQuestion(question),
    () => {
      const numbers = Array.from({ length: count }, () => 1 + stream.integer(largest));
      let left: readonly number[] = numbers;
      let answer = "";
      while (left.length > 1) {
        const move = randomMove(left, stream);
        if (move === undefined) return undefined;
        answer += lineOf(move);
        left = move.rest;
      }
      const target = left[0] as number;
      return target >= targets[0] && target <= targets[1] ? { question: { numbers, target }, answer } : undefined;
    },
  );
}

const canonicalQuestion = ({ numbers, target }: Question): string =>
  `${name} ${numbers.toSorted((a, b) => a - b).join(",")}>${target}`;
const promptOf = ({ numbers, target }: Question): string => `${numbers.join(",")}>${target}\n`;

function problemOf(question: Question): Problem {
  const prompt = promptOf(question);
  return {
    id: `${name} ${prompt.trimEnd()}`,
    prompt,
    task: name,
    data: { numbers: question.numbers, target: question.target },
  };
}

function questionOf(problem: Problem): Question {
  const data = problem.data as Partial<Question> | undefined;
  if (problem.task !== name || !Array.isArray(data?.numbers) || typeof data.target !== "number")
    throw new TypeError(
      `Cannot read problem '${problem.id}' as one of ${name}: its data must hold 'numbers' and 'target'`,
    );
  return data as Question;
}

const number = "[1-9]\\d{0,11}"; // 12 digits hold any product of five numbers below 100, exactly
const form = new RegExp(`^(${number})([-+*/])(${number})=(${number})(?:;(${number}(?:,${number}){1,3}))?$`);

/** What a + b, a - b, a * b or a / b is. */
const calculate = (sign: string, a: number, b: number): number =>
  sign === "+" ? a + b : sign === "-" ? a - b : sign === "*" ? a * b : a / b;

function step(numbers: readonly number[], line: string): Stepped<readonly number[]> {
  if (numbers.length === 1) return { why: "all numbers are used: there is nothing left to combine" };
  const parts = form.exec(line);
  if (parts === null) return { why: "a step reads a+b=c;rest, where rest lists what remains" };
  const [left, right, result] = [Number(parts[1]), Number(parts[3]), Number(parts[4])];
  const rest = without(numbers, [left, right]);
  if (rest === undefined) return { why: `${left} and ${right} are not both among ${numbers.join(",")}` };
  const value = calculate(parts[2] as string, left, right);
  if (value !== result) return { why: `${left}${parts[2]}${right} is ${value}, not ${result}` };
  rest.push(result);
  const listed = parts[5]?.split(",").map(Number) ?? [];
  if (!sameItems(listed, rest.length > 1 ? rest : []))
    return { why: `what remains is ${rest.length > 1 ? rest.join(",") : "the result alone, which is not listed"}` };
  return { state: rest.length > 1 ? listed : rest };
}

// Depth first over all moves. Five numbers have fewer than 2e6 move sequences.
function reaches(numbers: readonly number[], target: number): boolean {
  if (numbers.length === 1) return numbers[0] === target;
  return movesOf(numbers).some(({ rest }) => reaches(rest, target));
}

function search(numbers: readonly number[], target: number, stream: Random): string | undefined {
  if (numbers.length === 1) return numbers[0] === target ? "" : undefined;
  for (const move of stream.shuffled(movesOf(numbers))) {
    const later = search(move.rest, target, stream);
    if (later !== undefined) return lineOf(move) + later;
  }
  return undefined;
}

export const countdown: Task = {
  name,
  title: "Combine all the numbers with + - * / to reach the target, one combination a line: 11,2,5,8>29",
  levels: Object.fromEntries(Object.entries(levels).map(([level, { says }]) => [level, says])),
  make(key: Key, { level = "base", split = "test" } = {}) {
    return problemOf(makeSolved(random(key), level, split).question);
  },
  parse(prompt) {
    const parts = /^([1-9]\d?(?:,[1-9]\d?){1,4})>([1-9]\d{0,2})\n?$/.exec(prompt);
    if (parts === null)
      throw new SyntaxError(
        `Cannot read ${JSON.stringify(prompt.slice(0, 60))} as a problem of ${name}: it must be two to five numbers of 1..99, '>', and a target of 1..999, as in 11,2,5,8>29`,
      );
    return problemOf({ numbers: (parts[1] as string).split(",").map(Number), target: Number(parts[2]) });
  },
  check(problem, answer) {
    const { numbers, target } = questionOf(problem);
    const { steps, state, valid } = walk(numbers, answer, step);
    if (!valid) return { correct: false, evidence: `line ${steps.length}: ${steps.at(-1)?.why}`, steps };
    if (state.length > 1) return { correct: false, evidence: `${state.join(",")} are not combined yet`, steps };
    const correct = state[0] === target;
    return { correct, evidence: correct ? `reaches ${target}` : `reaches ${state[0]}, not ${target}`, steps };
  },
  /** The equations, in order of text: two answers that differ in the order of independent steps are one. */
  canonical(_problem, answer) {
    if (answer.length > 1000) return undefined;
    const lines = answer
      .trimEnd()
      .split("\n")
      .map((line) => form.exec(line));
    if (lines.some((parts) => parts === null) || lines.at(-1)?.[5] !== undefined) return undefined;
    return lines
      .map((parts) => parts?.[0].split(";")[0])
      .sort()
      .join(" ");
  },
  solve(problem, key) {
    const { numbers, target } = questionOf(problem);
    return search(numbers, target, random(key));
  },
  solvable(problem, steps) {
    const { numbers, target } = questionOf(problem);
    if (!whole(steps)) return false;
    const { state, valid } = walk(numbers, steps, step);
    return valid && reaches(state, target);
  },
};
