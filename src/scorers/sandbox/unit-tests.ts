/**
 * Runs a program against tests. The verdict is made where the program cannot be, of values that it never sees.
 *
 * - *Cases*: the program's interpreter is given one list of arguments at a time and answers with a result; the host compares.
 * - *Tests as a program* (HumanEval's form, Chen et al. 2021, arXiv:2107.03374): `check(candidate)` with its asserts runs in a
 *   second sandbox, where `candidate` sends the arguments to the program's sandbox and rebuilds the result from plain data.
 *
 * So nothing that a program does to its own interpreter helps it: equality that is always true stays inside, there are no
 * expected values on its stack, a printed verdict is output, and leaving early is no answer. It can only say results, each
 * under the number of its question, which is drawn at random.
 *
 * Arguments and results are copies: tests that look at what a function did to its arguments do not see it. Passing tests
 * is not being right: a short list of cases accepts whatever agrees on it.
 */
import { randomUUID } from "node:crypto";
import { Failed } from "../../errors.ts";
import type { Json } from "../../problem.ts";
import { guests } from "./guests.ts";
import { isExpected, showPlain, toPlain } from "./plain.ts";
import type { Ending, Execution, Language, Limits, Sandbox } from "./sandbox.ts";

export interface Case {
  readonly args: readonly Json[];
  readonly expected: Json;
}

export type Suite = {
  /** The function that is called. */
  readonly function: string;
} & (
  | {
      readonly cases: readonly Case[];
      /** For numbers, absolute below 1 and relative above. @default 0 */
      readonly tolerance?: number;
    }
  | {
      /** Asserts that call the function by its name, or a function `check(candidate)`. */
      readonly tests: string;
      /** Runs before the tests: helpers that they use. */
      readonly setup?: string;
    }
);

export interface TestOptions {
  readonly sandbox: Sandbox;
  readonly language: Language;
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
}

export interface TestReport {
  readonly correct: boolean;
  /** The first failing input and what came of it; never an expected value, as evidence is shown to the model. */
  readonly evidence: string;
  /** Calls that the program answered. */
  readonly calls: number;
}

/** @throws Failed where the sandbox cannot run, the caller wants no more, or the tests themselves do not work. */
export async function unitTests(
  program: string,
  suite: Suite,
  { sandbox, language, limits, signal }: TestOptions,
): Promise<TestReport> {
  if (!/^[A-Za-z_]\w*$/.test(suite.function))
    throw new RangeError(`Cannot test as 'function' must be a plain name: current value is '${suite.function}'`);
  if ("cases" in suite && suite.cases.length === 0)
    throw new RangeError("Cannot test as 'cases' must not be empty: every program would pass");
  const stop = new AbortController();
  const shared = {
    sandbox,
    language,
    limits,
    signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
  };
  const candidate = converse(guests[language].serve, shared);
  const log: Log = { calls: 0 };
  const ask = (request: object) => askCandidate(candidate, suite.function, request, log);
  const examiner = "tests" in suite ? converse(guests[language].examine, shared) : undefined;
  try {
    await load(candidate, program, suite.function);
    if ("cases" in suite) await examineCases(suite, ask, log);
    else await examineByTests(examiner as Conversation, suite, ask, log);
    return { correct: true, evidence: `passes in ${log.calls} call${log.calls === 1 ? "" : "s"}`, calls: log.calls };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { correct: false, evidence: error.message, calls: log.calls };
  } finally {
    stop.abort();
    await Promise.allSettled([candidate.ended, examiner?.ended]);
  }
}

/** The program is wrong, and why. */
class Wrong extends Error {}

interface Log {
  calls: number;
  /** The last answered call with its result. */
  last?: string;
}

type Ask = (request: object) => Promise<{ value: unknown } | { error: { type: string; message: string } }>;

interface Conversation {
  /** What the guest says next, after it was answered with `message` (nothing, the first time). */
  next(message?: object): Promise<Record<string, unknown>>;
  readonly ended: Promise<Execution>;
}

function converse(
  code: string,
  { sandbox, ...rest }: Omit<TestOptions, "limits"> & { limits: Partial<Limits> | undefined },
): Conversation {
  const { limits, ...request } = rest;
  let answer: ((text: string) => void) | undefined;
  let said = Promise.withResolvers<string>();
  const ended = sandbox.run({
    ...request,
    ...(limits ? { limits } : {}),
    code,
    exchange(text) {
      const reply = Promise.withResolvers<string>();
      answer = reply.resolve;
      said.resolve(text);
      return reply.promise;
    },
  });
  const over = ended.then((execution): never => {
    throw new Ended(execution);
  });
  over.catch(() => {}); // seen by `next`
  return {
    ended,
    async next(message) {
      if (message) {
        said = Promise.withResolvers<string>();
        answer?.(JSON.stringify(message));
      }
      const text = await Promise.race([said.promise, over]);
      try {
        const heard: unknown = JSON.parse(text);
        if (typeof heard === "object" && heard !== null) return heard as Record<string, unknown>;
      } catch {
        // not what the guest was written to say
      }
      throw new Wrong("The program spoke out of turn");
    },
  };
}

class Ended extends Error {
  readonly execution: Execution;
  constructor(execution: Execution) {
    super("It ended");
    this.execution = execution;
  }
}

const endings: Readonly<Record<Ending, string>> = {
  exit: "ended the program without an answer",
  timeout: "took too long",
  memory: "took too much memory",
  output: "printed too much",
  refused: "spoke out of turn",
  aborted: "was ended",
};

/** What a program's end means: wrong, but for an end that it did not cause. */
function wrongEnd(error: unknown, subject: string): unknown {
  if (!(error instanceof Ended)) return error;
  const { ending, exit, stderr } = error.execution;
  if (ending === "aborted") return new Failed("aborted", "The tests were stopped");
  const words = stderr.trimEnd().split("\n").at(-1)?.slice(0, 200);
  return new Wrong(`${subject} ${endings[ending]}${exit ? ` (exit ${exit}${words ? `: ${words}` : ""})` : ""}`);
}

const errorText = (error: unknown): string => {
  const { type, message } = (error ?? {}) as { type?: unknown; message?: unknown };
  return `${String(type).slice(0, 100)}: ${String(message).slice(0, 300)}`;
};

async function load(candidate: Conversation, program: string, name: string): Promise<void> {
  await candidate.next().catch((error: unknown) => {
    if (!(error instanceof Ended)) throw error;
    const { ending, stderr } = error.execution; // nothing of the program ran yet: the sandbox is at fault, or out of time
    const code = ending === "aborted" || ending === "timeout" ? ending : "unavailable";
    throw new Failed(code, `The sandbox did not start (${ending}) ${stderr.slice(-300)}`.trim());
  });
  try {
    const { state, error } = await candidate.next({ program, function: name });
    if (state === "broken") throw new Wrong(`The program does not load: ${errorText(error)}`);
    if (state !== "loaded") throw new Wrong("The program spoke out of turn");
  } catch (error) {
    throw wrongEnd(error, "While it was loaded, the program");
  }
}

async function askCandidate(
  candidate: Conversation,
  name: string,
  { args, named = ["d", []] }: { args?: unknown; named?: unknown },
  log: Log,
): ReturnType<Ask> {
  const call = `${name}(${showPlain(args, 200).slice(1, -1)})`;
  const id = randomUUID();
  let reply: Record<string, unknown>;
  try {
    reply = await candidate.next({ id, args, named });
  } catch (error) {
    throw wrongEnd(error, call);
  }
  if (reply.id !== id) throw new Wrong(`${call} spoke out of turn`);
  log.calls++;
  if ("refused" in reply) throw new Wrong(`${call} ${String(reply.refused).slice(0, 200)}`);
  if ("error" in reply) {
    log.last = `${call} raised ${errorText(reply.error)}`;
    const { type, message } = (reply.error ?? {}) as { type?: unknown; message?: unknown };
    return { error: { type: String(type), message: String(message) } };
  }
  log.last = `${call} is ${showPlain(reply.value)}`;
  return { value: reply.value };
}

async function examineCases(
  { cases, tolerance }: { cases: readonly Case[]; tolerance?: number },
  ask: Ask,
  log: Log,
): Promise<void> {
  for (const { args, expected } of cases) {
    const reply = await ask({ args: ["l", args.map(toPlain)] });
    if ("error" in reply) throw new Wrong(log.last);
    if (!isExpected(reply.value, expected, tolerance)) throw new Wrong(`${log.last}, which is wrong`);
  }
}

async function examineByTests(
  examiner: Conversation,
  suite: Suite & { tests: string; setup?: string },
  ask: Ask,
  log: Log,
): Promise<void> {
  const { setup = "", tests, function: name } = suite;
  try {
    await examiner.next();
    for (let said = await examiner.next({ setup, tests, function: name }); ; ) {
      if ("failed" in said || "passed" in said) {
        if (log.calls === 0)
          throw new Failed("error", `The tests do not work: ${String(said.failed ?? "they call nothing")}`);
        if ("passed" in said) return;
        throw new Wrong(
          `${log.last}, then the tests raised ${String(said.failed)}${said.line ? ` in line ${String(said.line)}` : ""}`,
        );
      }
      said = await examiner.next(await ask(said));
    }
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    if (log.calls > 0 && error.execution.ending !== "aborted")
      throw new Wrong(`${log.last}, and the tests could not go on with it (${error.execution.ending})`);
    throw new Failed("error", `The tests ended without a verdict: ${error.execution.stderr.slice(-300)}`);
  }
}
