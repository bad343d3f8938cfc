/**
 * The judge of problems out of files: says of each kind of `Check` whether an answer is right, and what votes are counted
 * for. One more kind is one entry here.
 *
 * It looks at what an answer states, never at how it was reached, so its verdicts have no steps; its evidence does not tell the
 * reference. Programs are run in a sandbox (see `code`): 0.04 to 0.5 s a process. All else takes time linear in the answer,
 * save patterns: they are those of the file, and a bad one can be slow.
 */
import { type Check, checkOf } from "../../check.ts";
import type { Problem } from "../../problem.ts";
import type { Checker, Verdict } from "../../task.ts";
import { programJudge } from "../code.ts";
import { canonicalMath, isSameMath } from "../math-equal.ts";
import type { Limits, Sandbox } from "../sandbox/sandbox.ts";
import { choiceIn } from "./choice.ts";
import { expressionIn, faultOf } from "./expression.ts";
import { gridIn } from "./grid.ts";
import { numberIn } from "./number.ts";
import { programIn } from "./program.ts";
import { normalised, ownPart, plain, statement } from "./statement.ts";

export interface CheckerOptions {
  /** For programs. @default the strongest there is, opened when the first program is judged */
  readonly sandbox?: Sandbox;
  readonly limits?: Partial<Limits>;
  /** Programs tested at a time. @default the number of processors */
  readonly concurrency?: number;
}

type Kind = Check["kind"];
type CheckOf<K extends Kind> = Extract<Check, { readonly kind: K }>;

/** How a kind reads an answer and judges it. */
interface Judge<K extends Kind> {
  /** What is asked for, as in "No … was found". */
  readonly wanted: string;
  /** Undefined where the answer states no result. */
  canonical(answer: string, check: CheckOf<K>): string | undefined;
  /** Whether the problem must have a reference. */
  readonly compares: boolean;
  /** True where the answer is right, else false, or why not where there is more to say; `found` is its canonical form. */
  judge(found: string, of: { check: CheckOf<K>; reference: string; answer: string }): boolean | string;
}

type Judged = Exclude<Kind, "program">;

const stated = (answer: string): string | undefined => statement(ownPart(answer));

const judges: { readonly [K in Judged]: Judge<K> } = {
  exact: {
    wanted: "answer",
    compares: true,
    canonical: stated,
    judge: (found, { reference, answer }) => found === plain(reference) || normalised(answer) === normalised(reference),
  },
  number: {
    wanted: "number",
    compares: true,
    canonical: numberIn,
    judge: (found, { reference, answer }) => found === numberIn(reference) || isSameMath(ownPart(answer), reference),
  },
  math: {
    wanted: "final answer",
    compares: true,
    canonical: (answer) => canonicalMath(ownPart(answer)),
    judge: (_, { reference, answer }) => isSameMath(ownPart(answer), `\\boxed{${reference}}`),
  },
  choice: {
    wanted: "letter",
    compares: true,
    canonical: (answer, { letters }) => choiceIn(answer, letters),
    judge: (found, { reference }) => found === reference,
  },
  contains: {
    wanted: "answer",
    compares: true,
    canonical: stated,
    judge: (_, { reference, answer }) => hasWords(ownPart(answer), reference),
  },
  regex: {
    wanted: "answer",
    compares: false,
    canonical: stated,
    judge: (_, { check, answer }) => new RegExp(check.pattern, "mu").test(ownPart(answer)),
  },
  grid: {
    wanted: "grid",
    compares: true,
    canonical: gridIn,
    judge: (found, { reference }) => {
      const sizeOf = (grid: string) => grid.replace(/\d/g, "");
      if (sizeOf(found) !== sizeOf(reference)) return "The grid has not the right size";
      return found === reference || "Some cells are wrong";
    },
  },
  expression: {
    wanted: "expression",
    compares: false,
    canonical: expressionIn,
    judge: (found, { check }) => faultOf(found, check) ?? true,
  },
};

/** Without regard to case and runs of spaces; no word or number goes on before or after it: 5 is not in `1.5` and `-5`. */
function hasWords(answer: string, words: string): boolean {
  const [text, wanted] = [normalised(answer).toLowerCase(), normalised(words).toLowerCase()];
  const isNumeric = /^\d/.test(wanted);
  const goesOn = (before: string, after: string): boolean =>
    inWord.test(before.slice(-1)) ||
    inWord.test(after.slice(0, 1)) ||
    (isNumeric && /(?:\d[.,]|(?:^|[^\p{L}\p{N}])[-−.])$/u.test(before)) ||
    (/\d$/.test(wanted) && /^[.,]\d/.test(after));
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    if (!goesOn(text.slice(Math.max(0, at - 2), at), text.slice(end, end + 2))) return true;
  }
  return false;
}

/** Scripts that set no spaces between words have no ends of words to look for. */
const inWord =
  /[[\p{L}\p{N}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]]/v;

/**
 * Of a set of problems; its name is that of their format. `check` throws a TypeError for a problem that says not how it is
 * judged, or lacks the reference; `canonical` of such a problem is what the answer states.
 */
export function checkerOf({ format }: { readonly format: string }, options: CheckerOptions = {}): Checker {
  const judgeProgram = programJudge({
    ...options,
    language: "python",
    program: (answer, problem) => programIn(answer, checkOf(problem) as CheckOf<"program">),
  });
  return {
    name: format,
    check(problem, answer) {
      const check = checkOf(problem);
      if (check === undefined)
        throw new TypeError(`Cannot judge the answer to '${problem.id}' as it is not known which answers are right`);
      if (check.kind !== "program") return verdict(judgeOf(check, problem), check, problem, answer);
      return judgeProgram(problem, answer).then((found) => ({ ...found, steps: [] }));
    },
    canonical(problem, answer) {
      const check = checkOf(problem);
      if (check === undefined) return stated(answer);
      if (check.kind === "program") return programIn(answer, check).trimEnd() || undefined;
      return judgeOf(check, problem).canonical(answer, check);
    },
  };
}

function judgeOf({ kind }: CheckOf<Judged>, { id }: Problem): Judge<Judged> {
  if (Object.hasOwn(judges, kind)) return judges[kind] as Judge<Judged>;
  throw new TypeError(
    `Cannot judge the answer to '${id}' as its kind must be one of ${Object.keys(judges).join(", ")}, program: current value is ${JSON.stringify(kind)}`,
  );
}

function verdict(judge: Judge<Judged>, check: CheckOf<Judged>, problem: Problem, answer: string): Verdict {
  const { reference } = problem;
  if (judge.compares && (reference === undefined || reference.trim() === ""))
    throw new TypeError(`Cannot judge the answer to '${problem.id}' by ${check.kind} as it has no reference`);
  const found = judge.canonical(answer, check);
  if (found === undefined) return { correct: false, evidence: `No ${judge.wanted} was found`, steps: [] };
  const judged = judge.judge(found, { check, reference: reference ?? "", answer });
  const correct = judged === true;
  if (typeof judged === "string") return { correct, evidence: judged, steps: [] };
  const shown = found.length > 100 ? `${found.slice(0, 100)}…` : found;
  return { correct, evidence: `The answer '${shown}' is ${correct ? "right" : "wrong"}`, steps: [] };
}
