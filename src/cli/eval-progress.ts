/** Says on standard error how an evaluation goes: one line that changes on a terminal, a line now and then elsewhere. */
import type { EvaluateEvent } from "../eval/evaluate.ts";
import { type Progress, progressOf } from "../eval/progress.ts";
import { type CliContext, usesColor } from "./context.ts";
import { oneLine } from "./safe-text.ts";
import { type Span, span, writer } from "./terminal.ts";
import { failureText, plural, whole } from "./words.ts";

const liveEveryMs = 100;
const plainEveryMs = 5000;
const tickMs = 1000;

export interface ProgressView {
  event(event: EvaluateEvent): void;
  /** The line goes away; what it came to is left. */
  end(): Progress | undefined;
}

/** `clock` in milliseconds. */
export function progressView(
  { process }: CliContext,
  quiet: boolean,
  clock: () => number = () => performance.now(),
): ProgressView {
  const { stderr, env } = process;
  const isLive = stderr.isTTY === true && env.TERM !== "dumb";
  const write = writer(stderr, usesColor(stderr, env));
  const everyMs = isLive ? liveEveryMs : plainEveryMs;
  let progress: ReturnType<typeof progressOf> | undefined;
  let startedAt = 0;
  let shownAt = 0;
  let firstFailure: string | undefined;
  let ticking: NodeJS.Timeout | undefined;
  const clear = () => isLive && !quiet && stderr.write("\r\x1b[K");
  const say = (...line: Span[]) => {
    if (quiet) return;
    clear();
    write(...line);
  };
  const now = (): Progress | undefined => progress?.at(Math.max((clock() - startedAt) / 1000, 1e-3));
  const show = () => {
    const told = now();
    if (!told || quiet || clock() - shownAt < everyMs) return;
    shownAt = clock();
    if (isLive) stderr.write(`\r${progressText(told, (stderr.columns ?? 80) - 1)}\x1b[K`);
    else write(span(progressText(told)));
  };
  return {
    event(event) {
      switch (event.type) {
        case "begin": {
          const { record, done, total, inDoubt, notes } = event;
          startedAt = clock();
          shownAt = isLive ? 0 : startedAt;
          progress = progressOf(done, total);
          for (const note of notes) say(span(note, "faint"));
          const { problems, seeds, methods, budgets } = record;
          const size = `${plural(methods.length, "method")} × ${plural(budgets.length, "budget")} × ${plural(problems.length, "problem")} × ${plural(seeds, "seed")}`;
          say(span(record.name, "strong"), span(` · ${record.model} · ${size} = ${plural(total, "run")}`));
          if (done > 0) say(span(`Going on: ${whole(done)} of ${plural(total, "run")} are there.`));
          const doubtful = inDoubt.reduce((sum, { requests }) => sum + requests, 0);
          if (doubtful > 0)
            say(
              span(
                `An earlier process ended while ${plural(doubtful, "request")} ${doubtful === 1 ? "was" : "were"} in flight: at most so many were paid and lost, ${whole(inDoubt.reduce((sum, { worst }) => sum + worst.tokens, 0))} tokens at worst.`,
                "warn",
              ),
            );
          // Where a run takes minutes the line must not stand still, nor be missing until the first one ends.
          if (isLive) ticking = setInterval(show, tickMs).unref();
          return show();
        }
        case "run":
          progress?.add(event.run);
          if (event.run.failure && firstFailure === undefined) {
            firstFailure = failureText(event.run.failure);
            say(span(`First failure: ${firstFailure}`, "warn"));
          }
          return show();
        case "worker-died":
          return say(
            span(
              `A worker died (${oneLine(event.reason)}) at ${plural(event.groups, "group")} of runs; a fresh one takes over.`,
              "warn",
            ),
          );
      }
    },
    end() {
      clearInterval(ticking);
      clear();
      return now();
    },
  };
}

/**
 * `37% · 450 of 1,200 runs · 2 min left · 61 runs/s · 12,345 tokens paid, 34,567 out of the ledger · 24,310 tokens/s`, or as many parts of it,
 * from the first on, as there are `columns` for.
 */
export function progressText(progress: Progress, columns: number = Number.POSITIVE_INFINITY): string {
  const { done, total, charged, paid, failedRuns, runsPerSecond, tokensPerSecond, secondsLeft } = progress;
  const saved = charged.tokens - paid.tokens;
  const parts = [
    `${Math.floor((100 * done) / total)}%`,
    `${whole(done)} of ${plural(total, "run")}`,
    ...(secondsLeft === undefined || done === total ? [] : [`${durationText(secondsLeft)} left`]),
    ...(failedRuns > 0 ? [`${plural(failedRuns, "run")} with failures`] : []),
    ...(runsPerSecond > 0 ? [`${rateText(runsPerSecond)} runs/s`] : []),
    `${whole(paid.tokens)} tokens paid${saved > 0 ? `, ${whole(saved)} out of the ledger` : ""}`,
    ...(paid.nanodollars > 0 ? [dollars(paid.nanodollars / 1e9)] : []),
    ...(tokensPerSecond > 0 ? [`${whole(tokensPerSecond)} tokens/s`] : []),
  ];
  while (parts.length > 1 && parts.join(" · ").length > columns) parts.pop();
  return parts.join(" · ");
}

/** With as many digits as tell something. */
const rateText = (rate: number): string =>
  rate < 0.1 ? rate.toPrecision(1) : rate < 9.95 ? rate.toFixed(1) : whole(rate);

const dollars = (value: number): string => `$${value < 1 ? value.toPrecision(2) : value.toFixed(2)}`;

/** In the unit in which it is a small number. */
function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
