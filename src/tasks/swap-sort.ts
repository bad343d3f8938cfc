/**
 * Swap sort: bring letters into order by swapping two at a time, with no swap to spare.
 *
 *     3:bdac                 swaps allowed : the letters
 *     d-a;badc               two letters; the letters after the swap
 *     b-a;abdc
 *     d-c;abcd
 *
 * The fewest swaps that sort n letters are n minus the cycles of their permutation (Knuth, TAOCP 3, §5.2.2, exercise 2):
 * a swap within a cycle divides it, a swap across two joins them. So a wrong swap is seen at once by whoever can count
 * cycles, and never by its look. The letters stand at one distance from line to line.
 */
import type { Key } from "../key.ts";
import { random, type Random } from "../math/random.ts";
import type { Problem } from "../problem.ts";
import type { Task } from "../task.ts";
import { levelOf, type Stepped, until, walk, whole } from "./steps.ts";

const name = "swap-sort";

interface Level {
  readonly count: number;
  readonly says: string;
}

const levels = {
  base: { count: 6, says: "six of the letters a..j, at least three swaps" },
  easy: { count: 5, says: "five of the letters a..j, at least two swaps" },
  hard: { count: 7, says: "seven of the letters a..j, at least four swaps: never seen in training" },
} as const satisfies Record<string, Level>;

interface Question {
  readonly letters: string;
  readonly swaps: number;
}

/** The letters in order. */
const sorted = (letters: string): string => [...letters].sort().join("");

/** The fewest swaps that sort the letters. */
export function fewestSwaps(letters: string): number {
  return letters.length - cyclesOf(letters).length;
}

/** The cycles of the permutation that sorts, each as the places it runs through. */
function cyclesOf(letters: string): number[][] {
  const goal = sorted(letters);
  const seen = new Set<number>();
  const cycles: number[][] = [];
  for (let start = 0; start < letters.length; start++) {
    if (seen.has(start)) continue;
    const cycle: number[] = [];
    for (let at = start; !seen.has(at); at = goal.indexOf(letters.charAt(at))) {
      seen.add(at);
      cycle.push(at);
    }
    cycles.push(cycle);
  }
  return cycles;
}

/** The line that swaps two letters, and the letters after it. */
export function swap(letters: string, x: string, y: string): { line: string; letters: string } {
  const after = Array.from(letters, (letter) => (letter === x ? y : letter === y ? x : letter)).join("");
  return { line: `${x}-${y};${after}\n`, letters: after };
}

/** A random swap that divides a cycle, which is one that brings the letters closer; undefined where they are sorted. */
export function randomSwap(letters: string, stream: Random): { line: string; letters: string } | undefined {
  const cycles = cyclesOf(letters).filter((cycle) => cycle.length > 1);
  if (cycles.length === 0) return undefined;
  const [i, j] = stream.shuffled(stream.pick(cycles)) as [number, number];
  return swap(letters, letters.charAt(i), letters.charAt(j));
}

const canonicalQuestion = ({ letters }: Question): string => `${name} ${letters}`;

function problemOf({ letters, swaps }: Question): Problem {
  const prompt = `${swaps}:${letters}\n`;
  return { id: `${name} ${prompt.trimEnd()}`, prompt, task: name, data: { letters, swaps } };
}

function questionOf(problem: Problem): Question {
  const data = problem.data as Partial<Question> | undefined;
  if (problem.task !== name || typeof data?.letters !== "string" || typeof data.swaps !== "number")
    throw new TypeError(
      `Cannot read problem '${problem.id}' as one of ${name}: its data must hold 'letters' and 'swaps'`,
    );
  return data as Question;
}

function step({ letters, swaps }: Question, line: string): Stepped<Question> {
  if (swaps === 0) return { why: "no swap is left" };
  const parts = /^([a-z])-([a-z]);([a-z]{1,26})$/.exec(line) as [string, string, string, string] | null;
  if (parts === null)
    return { why: "a step reads x-y;letters: the two that are swapped, and all letters after the swap" };
  const [, x, y, after] = parts;
  if (x === y || !letters.includes(x) || !letters.includes(y))
    return { why: `${x} and ${y} are not two of the letters ${letters}` };
  const { letters: right } = swap(letters, x, y);
  return after === right
    ? { state: { letters: after, swaps: swaps - 1 } }
    : { why: `the letters are ${right} after this swap` };
}

export const swapSort: Task = {
  name,
  title: "Sort the letters by swapping two a line, within the number of swaps allowed: 3:bdac",
  levels: Object.fromEntries(Object.entries(levels).map(([level, { says }]) => [level, says])),
  make(key: Key, { level = "base", split = "test" } = {}) {
    const { count } = levelOf<Level>(levels, name, level);
    const { shuffled } = random(key);
    const question = until(split, canonicalQuestion, () => {
      const letters = shuffled([..."abcdefghij"])
        .slice(0, count)
        .join("");
      const swaps = fewestSwaps(letters);
      return swaps >= count - 3 ? { letters, swaps } : undefined;
    });
    return problemOf(question);
  },
  parse(prompt) {
    const parts = /^(\d{1,2}):([a-z]{2,26})\n?$/.exec(prompt) as [string, string, string] | null;
    if (parts === null || new Set(parts[2]).size < parts[2].length)
      throw new SyntaxError(
        `Cannot read ${JSON.stringify(prompt.slice(0, 60))} as a problem of ${name}: it must be a number of swaps, ':', and two or more letters of a..z, all different, as in 3:bdac`,
      );
    return problemOf({ letters: parts[2], swaps: Number(parts[1]) });
  },
  check(problem, answer) {
    const question = questionOf(problem);
    const { steps, state, valid } = walk(question, answer, step);
    if (!valid) return { correct: false, evidence: `line ${steps.length}: ${steps.at(-1)?.why}`, steps };
    const correct = state.letters === sorted(state.letters);
    return { correct, evidence: correct ? `sorted in ${steps.length} swaps` : `${state.letters} is not sorted`, steps };
  },
  /** The swaps in order, the two letters of each in order of the alphabet: what was done, not how it was written. */
  canonical(_problem, answer) {
    if (answer.length > 1000 || answer === "") return undefined;
    const lines = answer
      .trimEnd()
      .split("\n")
      .map((line) => /^([a-z])-([a-z]);[a-z]{1,26}$/.exec(line));
    return lines.includes(null) ? undefined : lines.map((parts) => [parts?.[1], parts?.[2]].sort().join("-")).join(" ");
  },
  solve(problem, key) {
    const question = questionOf(problem);
    if (fewestSwaps(question.letters) > question.swaps) return undefined;
    const stream = random(key);
    let answer = "";
    for (let next = randomSwap(question.letters, stream); next !== undefined; next = randomSwap(next.letters, stream))
      answer += next.line;
    return answer;
  },
  solvable(problem, steps) {
    if (!whole(steps)) return false;
    const { state, valid } = walk(questionOf(problem), steps, step);
    return valid && fewestSwaps(state.letters) <= state.swaps;
  },
};
