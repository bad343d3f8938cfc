/**
 * Model-written programs as answers: the program is taken out of the answer and run against tests in a sandbox.
 *
 * The verdict is made outside (see `sandbox/unit-tests.ts`); its evidence is the first failing input, or the error, without the
 * expected value, so that a revision cannot copy the tests. It errs on one side: what is refused is wrong (or slower, larger or
 * stranger than allowed), what passes agrees with the tests, and short tests pass wrong programs. Costs no model call; one or two
 * processes a program, of 0.04 s (bubblewrap), 0.5 s (pyodide) or 0.1 s (quickjs) before it does anything.
 * Unit tests as verifier of samples: Chen et al. 2021, arXiv:2107.03374; of many samples: Li et al. 2022, arXiv:2203.07814.
 */
import { availableParallelism } from "node:os";
import type { Problem } from "../problem.ts";
import type { Scorer } from "../scorer.ts";
import { openSandbox } from "./sandbox/open-sandbox.ts";
import type { Language, Limits, Sandbox } from "./sandbox/sandbox.ts";
import { type Suite, unitTests } from "./sandbox/unit-tests.ts";

export interface CodeOptions {
  readonly language: Language;
  /** @default the problem's `data` */
  readonly suite?: Suite;
  /** @default the strongest there is, opened at the first score */
  readonly sandbox?: Sandbox;
  readonly limits?: Partial<Limits>;
  /** Programs tested at a time. @default the number of processors */
  readonly concurrency?: number;
  /** The program that an answer means. @default `extractProgram` */
  readonly program?: (answer: string, problem: Problem) => string;
}

export function code<S>(options: CodeOptions): Scorer<S> {
  const judge = programJudge(options);
  return {
    name: `code:${options.language}`,
    kind: "verdict",
    async score({ state }, { problem, text, signal }) {
      return { kind: "verdict", ...(await judge(problem, text(state), signal)) };
    },
  };
}

/** The same for a problem and an answer; its calls share one sandbox and one queue. */
export function programJudge({
  language,
  suite,
  sandbox,
  limits,
  concurrency = availableParallelism(),
  program = (answer) => extractProgram(answer, language),
}: CodeOptions): (
  problem: Problem,
  answer: string,
  signal?: AbortSignal,
) => Promise<{ correct: boolean; evidence: string }> {
  if (!(Number.isInteger(concurrency) && concurrency >= 1))
    throw new RangeError(
      `Cannot test programs as 'concurrency' must be a positive integer: current value is ${concurrency}`,
    );
  let opened: Promise<Sandbox> | undefined;
  let free = concurrency;
  const queue: (() => void)[] = [];
  return async (problem, answer, signal) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      opened ??= Promise.resolve(sandbox ?? openSandbox({ language }));
      const { correct, evidence } = await unitTests(program(answer, problem), suite ?? suiteOf(problem), {
        sandbox: await opened,
        language,
        ...(signal && { signal }),
        ...(limits && { limits }),
      });
      return { correct, evidence };
    } finally {
      const next = queue.shift();
      if (next) next();
      else free++;
    }
  };
}

function suiteOf({ id, data }: Problem): Suite {
  const suite = (data ?? {}) as Partial<{ function: unknown; cases: unknown; tests: unknown }>;
  if (typeof suite.function === "string" && (Array.isArray(suite.cases) || typeof suite.tests === "string"))
    return suite as Suite;
  throw new TypeError(
    `Cannot test the answer to '${id}' as its data must hold 'function' and either 'cases' or 'tests': current value is ${JSON.stringify(data)?.slice(0, 100)}`,
  );
}

const tags: Readonly<Record<Language, readonly string[]>> = {
  python: ["python", "py", "python3"],
  javascript: ["javascript", "js"],
};

/**
 * The last fenced block of the language; else the last fenced block; else the whole text. A fence that is not closed goes to the
 * end. One pass over the lines.
 */
export function extractProgram(answer: string, language: Language): string {
  let open: { readonly fence: string; readonly tag: string; readonly lines: string[] } | undefined;
  let last: { readonly ofLanguage: boolean; readonly program: string } | undefined;
  const close = () => {
    if (!open) return;
    const ofLanguage = tags[language].includes(open.tag);
    if (ofLanguage || !last?.ofLanguage) last = { ofLanguage, program: open.lines.join("\n") };
    open = undefined;
  };
  for (const line of answer.split("\n")) {
    const bare = line.trim();
    const fence = bare.startsWith("```") ? "```" : bare.startsWith("~~~") ? "~~~" : undefined;
    if (open && fence === open.fence && bare === fence) close();
    else if (open) open.lines.push(line);
    else if (fence) open = { fence, tag: bare.slice(3).trim().toLowerCase(), lines: [] };
  }
  close();
  return last?.program ?? answer;
}
