/** Runs a search and shows it while it goes on; Ctrl-C ends it with its best so far. */
import type { Budget } from "../budget.ts";
import { Failed } from "../errors.ts";
import type { RunStart } from "../event.ts";
import type { Policy } from "../policy.ts";
import type { Json, Problem } from "../problem.ts";
import { type Result, run } from "../run.ts";
import type { Scorer } from "../scorer.ts";
import type { Outcome, Search } from "../search.ts";
import { type CliContext, usesColor } from "./context.ts";
import { liveView, plainView, type View, type ViewOptions } from "./live.ts";
import { UsageError } from "./report.ts";
import type { JournalFile } from "./settings.ts";
import { span, writer } from "./terminal.ts";

export interface WatchOptions<S, O extends Outcome<S>>
  extends Pick<ViewOptions<S>, "title" | "question" | "whole" | "saying"> {
  readonly search: Search<S, O>;
  readonly problem: Problem;
  readonly policy: Policy<S>;
  readonly scorer: Scorer<S> | undefined;
  readonly seed: number;
  readonly budget: Budget;
  /** Kept in the journal: what it takes to start the same run again. */
  readonly meta: Json;
  readonly journal?: JournalFile | undefined;
  /** Said before the run. */
  readonly notes: readonly string[];
  readonly quiet: boolean;
  /** Called before the last picture is drawn. */
  readonly onEnd?: (result: Result<S, O>) => void;
}

export async function watch<S, O extends Outcome<S>>(
  context: CliContext,
  {
    search,
    problem,
    policy,
    scorer,
    seed,
    budget,
    meta,
    journal: file,
    notes,
    quiet,
    onEnd,
    ...shown
  }: WatchOptions<S, O>,
): Promise<Result<S, O>> {
  const { stderr, env } = context.process;
  const color = usesColor(stderr, env);
  const say = writer(stderr, color);
  const journal = file?.open();
  const stopping = new AbortController();
  const forget = context.onInterrupt(() => stopping.abort());
  try {
    if (!quiet) for (const note of notes) say(span(note));
    const running = run(search, problem, {
      policy,
      scorer,
      seed,
      budget,
      signal: stopping.signal,
      meta,
      ...(journal && { journal }),
    });
    const options = { output: stderr, color, run: running, policy, budget, ...shown };
    const isLive = stderr.isTTY && env.TERM !== "dumb";
    const view: View | undefined = quiet ? undefined : isLive ? liveView(options) : plainView(options);
    try {
      for await (const event of running) view?.event(event);
      onEnd?.(await running);
    } finally {
      view?.end();
    }
    return await running;
  } finally {
    forget();
    journal?.close?.();
  }
}

/** What a run would be, as its journal says it. */
interface Asking {
  readonly search: { readonly name: string; readonly options: Json };
  readonly policy: { readonly name: string };
  readonly scorer: { readonly name: string } | undefined;
}

/** @throws UsageError where this program would ask other questions than those that the journal answers */
export function checkSameRun(start: RunStart, { search, policy, scorer }: Asking, path: string | undefined): void {
  const now = {
    search: { name: search.name, options: search.options },
    policy: policy.name,
    scorer: scorer?.name ?? null,
  };
  for (const what of ["search", "policy", "scorer"] as const)
    if (JSON.stringify(start[what]) !== JSON.stringify(now[what]))
      throw new UsageError(
        `Cannot resume ${path} as it is of another run: its ${what} is ${JSON.stringify(start[what])}, not ${JSON.stringify(now[what])}`,
      );
}

/** What is made of settings, where settings that cannot be used are a mistake in what was typed. */
export function madeOrUsage<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const isMistake =
      error instanceof RangeError ||
      error instanceof SyntaxError ||
      (error instanceof Failed && error.code === "unsupported");
    throw isMistake ? new UsageError(error.message, { cause: error }) : error;
  }
}
