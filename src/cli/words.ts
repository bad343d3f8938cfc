/** How numbers, scores and endings are said. */
import type { Budget, Limit, Spent } from "../budget.ts";
import { type Failure, unreachable } from "../errors.ts";
import type { Stopped } from "../event.ts";
import type { Score } from "../scorer.ts";
import { apiKeyVariable } from "./context.ts";
import { oneLine } from "./safe-text.ts";

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 12,345 */
export const whole = (value: number): string => grouped.format(value);

/** With a true minus sign, so that columns of numbers line up. */
export const fixed = (value: number, digits: number): string => value.toFixed(digits).replace("-", "−");

export const plural = (count: number, noun: string, nouns: string = `${noun}s`): string =>
  `${whole(count)} ${count === 1 ? noun : nouns}`;

export const percent = (share: number): string => `${Math.round(100 * share)}%`;

export const seconds = (value: number): string =>
  value < 9.95 ? `${value.toFixed(1)} s` : `${whole(Math.round(value))} s`;

/** What a verifier found, or the number with its scale. */
export function scoreText(score: Score): string {
  switch (score.kind) {
    case "verdict":
      return score.evidence === undefined ? (score.correct ? "right" : "wrong") : oneLine(score.evidence);
    case "probability":
      if (score.value === 0 && score.evidence !== undefined) return oneLine(score.evidence);
      return `value ${fixed(score.value, 2)}`;
    case "reward":
      return `reward ${fixed(score.value, 2)}`;
    case "log-likelihood":
      return `score ${fixed(score.value, 2)}`;
    default:
      return unreachable(score);
  }
}

/** camelCase to --kebab-case. */
export const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** As one word of a command that may be typed again. */
export const shellQuoted = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

export const limitNames: Readonly<Record<Limit, string>> = {
  tokens: "tokens",
  promptTokens: "prompt tokens",
  calls: "calls",
  seconds: "seconds",
  dollars: "dollars",
};

/** What was used of a limit. */
export function usedOf(limit: Limit, spent: Spent): number {
  return limit === "dollars" ? spent.nanodollars / 1e9 : spent[limit];
}

/** The limit of which the largest share is used. */
export function tightest(
  budget: Budget,
  spent: Spent,
): { limit: Limit; used: number; most: number; share: number } | undefined {
  return (Object.keys(limitNames) as Limit[])
    .flatMap((limit) => {
      const most = budget[limit];
      if (most === undefined) return [];
      const used = usedOf(limit, spent);
      return [{ limit, used, most, share: most === 0 ? 1 : Math.min(1, used / most) }];
    })
    .reduce<ReturnType<typeof tightest>>((best, one) => (best && best.share >= one.share ? best : one), undefined);
}

/** What went wrong; and what to do about it here, where the command line knows more than the model does. */
export function failureText({ code, message }: Failure): string {
  const hint = code === "unauthorized" ? `; the key is read from the environment variable ${apiKeyVariable}` : "";
  return `${oneLine(message)}${hint}`;
}

/** Why a run ended, as the end of a sentence. */
export function stoppedText(stopped: Stopped): string {
  switch (stopped.why) {
    case "answered":
      return "the search came to its end";
    case "budget-spent":
      return `the budget of ${limitNames[stopped.limit]} is spent`;
    case "aborted":
      return "interrupted";
    case "all-failed":
      return `no sample succeeded: ${stopped.failures.map(failureText).join("; ")}`;
    case "no-answer":
      return "the search found no answer";
    default:
      return unreachable(stopped);
  }
}
