/**
 * Training rows without end: problems, right answers, and questions about partial answers.
 *
 * Several examples share a row, each seeing only itself, so that few positions are wasted (Krell et al. 2021,
 * arXiv:2107.02027). A value question is the character `?` after a whole step, answered `y` or `n`: can what stands there
 * still become a right answer? It stands where the next step would begin and nothing after it sees it, so that one row
 * asks at every depth, and each question reads exactly as it will at inference.
 *
 * Batch number i is a function of the key and i alone: training can stop anywhere and resume.
 */
import { fold, type Key } from "../src/key.ts";
import { type Random, random } from "../src/math/random.ts";
import type { Problem } from "../src/problem.ts";
import type { Task } from "../src/task.ts";
import { countdown, lineOf, makeSolved, randomMove } from "../src/tasks/countdown.ts";
import { type Level, makeChain, productChain, randomStep } from "../src/tasks/product-chain.ts";
import { randomSwap, swap, swapSort } from "../src/tasks/swap-sort.ts";
import type { OwnAnswer, OwnAnswers } from "./own.ts";
import { batch as rows, begin, encode, end, positions, type Recipe, type Shape, vocabulary } from "./config.ts";
import { angles, type Batch } from "./model.ts";

/** One position of an example. */
interface Place {
  readonly token: number;
  /** Where it stands in its example, for the rotary angles. */
  readonly position: number;
  /** What the model is to say here, and how much that counts; absent where nothing is asked. */
  readonly target?: { readonly token: number; readonly weight: number };
  /** Seen by no other place: a value question. */
  readonly hidden?: boolean;
}

const [yes, no, asks] = encode("yn?") as [number, number, number];

/** What a batch asks for: it changes once in a training. */
interface Mood {
  readonly late: boolean;
  /** Value questions show forged steps. */
  readonly forging: boolean;
  /** Answers of the model itself, for value questions. */
  readonly own?: OwnAnswers;
}

/** A value question is one token beside some thirty of an answer; this makes up for it, in the second half more so. */
const valueWeight = ({ late }: Mood): number => (late ? 12 : 8);

interface Kind {
  /** Its share of the examples in the first half of a training, and in the second. */
  readonly share: readonly [early: number, late: number];
  readonly make: (stream: Random, key: Key, mood: Mood) => Place[];
}

/**
 * Countdown is the hardest and has the most. In the second half value questions have more: what can still be reached is
 * judged with the same arithmetic that the answers teach, so they come first.
 */
const kinds: readonly Kind[] = [
  { share: [40, 34], make: (stream) => countdownExample(stream, "base") },
  { share: [5, 3], make: (stream) => countdownExample(stream, "easy") },
  { share: [14, 13], make: (_, key) => chainExample({ count: 4, largest: 99, direct: false }, key) },
  { share: [2, 2], make: (_, key) => chainExample({ count: 3, largest: 99, direct: false }, key) },
  { share: [3, 2], make: (_, key) => chainExample({ count: 4, largest: 99, direct: true }, key) },
  { share: [1, 1], make: (_, key) => chainExample({ count: 3, largest: 99, direct: true }, key) },
  { share: [6, 4], make: (_, key) => swapExample("base", key) },
  { share: [2, 1], make: (_, key) => swapExample("easy", key) },
  {
    share: [19, 31],
    make: (stream, _, mood) => valueExample(countdown, () => countdownWalk(stream, "base"), stream, mood),
  },
  {
    share: [2, 2],
    make: (stream, _, mood) => valueExample(countdown, () => countdownWalk(stream, "easy"), stream, mood),
  },
  {
    share: [3, 4],
    make: (stream, key, mood) => valueExample(productChain, () => productWalk(stream, key), stream, mood),
  },
  { share: [3, 3], make: (stream, key, mood) => valueExample(swapSort, () => swapWalk(stream, key), stream, mood) },
];

/** Prompt and right answer: the loss is on the answer and its end. */
function answered(prompt: string, answer: string): Place[] {
  const given = [begin, ...encode(prompt)];
  const all = [...given, ...encode(answer), end];
  return all
    .slice(0, -1)
    .map((token, position) =>
      position < given.length - 1
        ? { token, position }
        : { token, position, target: { token: all[position + 1] as number, weight: 1 } },
    );
}

function countdownExample(stream: Random, level: string): Place[] {
  const { question, answer } = makeSolved(stream, level, "train");
  return answered(`${question.numbers.join(",")}>${question.target}\n`, answer);
}

function solvedExample(task: Task, problem: Problem, key: Key): Place[] {
  return answered(problem.prompt as string, task.solve(problem, fold(key, "solve")) as string);
}

const chainExample = (level: Level, key: Key): Place[] =>
  solvedExample(productChain, makeChain(key, level, "train"), key);
const swapExample = (level: string, key: Key): Place[] =>
  solvedExample(swapSort, swapSort.make(key, { level, split: "train" }), key);

/** A problem of a task and its random valid steps, one after another. */
interface Walk<S> {
  readonly task: Task;
  readonly prompt: string;
  readonly start: S;
  readonly next: (state: S) => { readonly line: string; readonly state: S } | undefined;
  /** The step with a wrong outcome that the rest of its line agrees with. */
  readonly forge: (line: string) => string;
}

function countdownWalk(stream: Random, level: string): Walk<readonly number[]> {
  const { question } = makeSolved(stream, level, "train");
  return {
    task: countdown,
    prompt: `${question.numbers.join(",")}>${question.target}\n`,
    start: question.numbers,
    next(numbers) {
      const move = numbers.length > 1 ? randomMove(numbers, stream) : undefined;
      return move && { line: lineOf(move), state: move.rest };
    },
    forge: (line) =>
      withResult(line, line.includes(";") || stream.integer(8) === 0 ? slip(line, stream) : question.target),
  };
}

function productWalk(stream: Random, key: Key): Walk<readonly number[]> {
  const prompt = makeChain(key, { count: 4, largest: 99, direct: false }, "train").prompt as string;
  return {
    task: productChain,
    prompt,
    start: prompt.trim().split("*").map(Number),
    next(factors) {
      if (factors.length === 1) return undefined;
      const { line, rest } = randomStep(factors, stream);
      return { line, state: rest };
    },
    forge: (line) => withResult(line, slip(line, stream) % 100),
  };
}

const resultOf = (line: string): string => (/=(\d+)/.exec(line) as unknown as [string, string])[1];

// The result stands behind `=` and, where numbers remain, last among them.
function withResult(line: string, result: number): string {
  const old = resultOf(line);
  const [equation, rest] = line.trimEnd().split(";") as [string, string?];
  return `${equation.slice(0, -old.length)}${result}${rest === undefined ? "" : `;${rest.slice(0, -old.length)}${result}`}\n`;
}

// A result that is wrong as results are: a little off, or by tens.
function slip(line: string, stream: Random): number {
  return Math.abs(Number(resultOf(line)) + stream.pick([-1, 1]) * stream.pick([1, 2, 3, 4, 6, 10, 20]));
}

// Half of the swaps bring the letters closer, half are any two letters.
function swapWalk(stream: Random, key: Key): Walk<string> {
  const prompt = swapSort.make(key, { level: stream.pick(["easy", "base", "base"]), split: "train" }).prompt as string;
  return {
    task: swapSort,
    prompt,
    start: prompt.trim().slice(2),
    next(letters) {
      const closer = stream.integer(2) === 0 ? randomSwap(letters, stream) : undefined;
      const [x, y] = stream.shuffled([...letters]) as [string, string];
      const { line, letters: state } = closer ?? swap(letters, x, y);
      return { line, state };
    },
    // The letters in order, or after one more swap than was told.
    forge(line) {
      const [told, letters] = line.trimEnd().split(";") as [string, string];
      if (stream.integer(3) === 0) return `${told};${[...letters].sort().join("")}\n`;
      const [x, y] = stream.shuffled([...letters]) as [string, string];
      return `${told};${swap(letters, x, y).letters}\n`;
    },
  };
}

/** How often a candidate step is spoilt in one character: wrong arithmetic, wrong numbers, wrong remains. */
const spoilt = 0.12;
/** How often one is forged: the last step mostly, since a model bends its last result to the target. */
const forged = (isLast: boolean): number => (isLast ? 0.6 : 0.25);
/** Swaps could go on for ever. */
const longestWalk = 90;
/** How many candidates are drawn for the label that is wanted. */
const candidates = 12;

/** Of value questions, how many are about the model's own answers, where there are any. */
const ownShare = 2 / 3;
/** Of these, how many are about right ones; of all that it writes they are fewer. */
const ownRightShare = 0.35;

/** A partial answer with a question after each step. */
function valueExample<S>(task: Task, walk: () => Walk<S>, stream: Random, mood: Mood): Place[] {
  const own = mood.own?.[task.name];
  const isOwn = own !== undefined && stream.uniform() < ownShare;
  const { prompt, lines, alive } = isOwn ? pickOwn(own, stream) : randomSteps(walk(), stream, mood);
  const places: Place[] = [begin, ...encode(prompt)].map((token, position) => ({ token, position }));
  let length = places.length;
  for (const [n, line] of lines.entries()) {
    for (const token of encode(line)) places.push({ token, position: length++ });
    const target = { token: alive[n] ? yes : no, weight: valueWeight(mood) };
    places.push({ token: asks, position: length, target, hidden: true });
  }
  return places.length <= positions ? places : places.slice(0, positions);
}

function pickOwn(own: readonly OwnAnswer[], stream: Random): OwnAnswer {
  const right = stream.uniform() < ownRightShare;
  for (let draw = 0; ; draw++) {
    const answer = stream.pick(own);
    if (answer.alive.at(-1) === right || draw === 50) return answer; // a model may have no right ones
  }
}

/**
 * Random steps. As long as the partial answer is alive the next label is drawn first, half yes and half no, and a step
 * that fits is looked for. After a `no` half of the walks go on for one more step.
 */
function randomSteps<S>({ task, prompt, start, next, forge }: Walk<S>, stream: Random, mood: Mood): OwnAnswer {
  const problem = task.parse(prompt);
  const lines: string[] = [];
  const labels: boolean[] = [];
  let [state, steps, alive] = [start, "", true];
  for (;;) {
    const wanted = alive && stream.integer(2) === 0;
    let chosen: { line: string; state: S; valid: boolean; label: boolean } | undefined;
    for (let draw = 0; draw < candidates; draw++) {
      const step = next(state);
      if (step === undefined) break;
      const chance = stream.uniform();
      const isForged = mood.forging && chance < spoilt + forged(next(step.state) === undefined);
      const line = chance < spoilt ? spoil(step.line, stream) : isForged ? forge(step.line) : step.line;
      const label = alive && task.solvable(problem, steps + line);
      chosen = { line, state: step.state, valid: line === step.line, label };
      if (label === wanted) break;
    }
    if (chosen === undefined) break;
    lines.push(chosen.line);
    labels.push(chosen.label);
    steps += chosen.line;
    const over = !alive || (!chosen.label && (!chosen.valid || stream.integer(2) === 0));
    if (over || prompt.length + steps.length >= longestWalk) break;
    alive = chosen.label;
    state = chosen.state;
  }
  return { prompt, lines, alive: labels };
}

// One digit or letter of the line becomes another.
function spoil(line: string, stream: Random): string {
  const at = stream.pick(Array.from(line, (c, i) => (/[0-9a-z]/.test(c) ? i : -1)).filter((i) => i >= 0));
  const old = line.charAt(at);
  const others = [...(/\d/.test(old) ? "0123456789" : "abcdefghij")].filter((c) => c !== old);
  return line.slice(0, at) + stream.pick(others) + line.slice(at + 1);
}

/** Examples that fit nowhere before the batch is called full. */
const misfits = 8;

/** Batch number `index` of a recipe; `own` from the batch on that its recipe names. */
export function makeBatch(key: Key, index: number, recipe: Recipe, own?: OwnAnswers): Batch {
  const place = fold(key, index);
  const stream = random(place);
  const mood: Mood = { late: index >= recipe.lateFrom, forging: index >= recipe.forgedFrom, ...(own && { own }) };
  const weights = kinds.map(({ share: [early, late] }) => (mood.late ? late : early));
  const filled: Place[][][] = Array.from({ length: rows }, () => []);
  const used = new Array<number>(rows).fill(0);
  for (let number = 0, failed = 0; failed < misfits; number++) {
    const kind = kinds[stream.weighted(weights)] as Kind;
    const example = kind.make(stream, fold(place, number), mood);
    const row = used.findIndex((length) => length + example.length <= positions);
    if (row < 0) failed++;
    else {
      (filled[row] as Place[][]).push(example);
      (used[row] as number) += example.length;
    }
  }
  return arrays(filled, recipe);
}

function arrays(filled: readonly (readonly Place[][])[], shape: Shape): Batch {
  const tokens = new Int32Array(rows * positions);
  const at = new Int32Array(rows * positions);
  const bias = new Float32Array(rows * positions * positions).fill(-1e9);
  const targets = new Float32Array(rows * positions * vocabulary.length);
  let total = 0;
  for (const [row, examples] of filled.entries()) {
    let start = 0;
    for (const example of examples) {
      for (const [i, { token, position, target }] of example.entries()) {
        const here = row * positions + start + i;
        tokens[here] = token;
        at[here] = position;
        if (target !== undefined) {
          targets[here * vocabulary.length + target.token] = target.weight;
          total += target.weight;
        }
        for (let j = 0; j <= i; j++) if (j === i || example[j]?.hidden !== true) bias[here * positions + start + j] = 0;
      }
      start += example.length;
    }
  }
  for (let i = 0; i < targets.length; i++) if (targets[i] !== 0) targets[i] = (targets[i] as number) / total;
  return { tokens, ...angles(at, shape), bias, targets };
}
