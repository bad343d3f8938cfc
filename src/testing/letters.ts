/**
 * A world small enough to know by heart, and hard on whoever runs in it: words of four letters, each letter drawn from
 * {a: 0.4, b: 0.3, c: 0.2, d: 0.1}. Its policy can answer late, in any order and in any batches; fail, hang, say nothing;
 * its scorer can give NaN, throw or hang. What it answers depends on the seed alone, never on the weather.
 */
import { cost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import { random } from "../math/random.ts";
import type { Extension, Policy, PolicyPart } from "../policy.ts";
import type { Problem } from "../problem.ts";
import type { Scorer } from "../scorer.ts";

export const wordLength = 4;
const letters = ["a", "b", "c", "d"] as const;
const probabilities = [0.4, 0.3, 0.2, 0.1] as const;

export const lettersProblem: Problem = { id: "letters", prompt: "A word of four letters:" };

export type Fault = "fail" | "hang" | "empty" | "nan";

export interface Weather {
  /** Delays and orders replies by this seed; absent: in order, at once. */
  readonly disorder?: number;
  /** Samples asked for in one call. @default 1 */
  readonly batch?: number;
  /** The fault that befalls a request with this seed. */
  readonly fault?: (seed: number) => Fault | undefined;
  /** Is told of every sample that is asked for. */
  readonly onAsk?: (state: string, seed: number, rank: number) => void;
}

export function lettersPolicy({ disorder, batch = 1, fault = () => undefined, onAsk }: Weather = {}): Policy<string> {
  const chance = disorder === undefined ? undefined : random(disorder);
  return {
    name: "letters",
    batch,
    root: () => "",
    text: (state) => state,
    bound: (state) => cost({ tokens: 2, promptTokens: state.length, calls: 1 }),
    async *extend(state, { draw, seeds, ranks, signal }): AsyncGenerator<PolicyPart<string>> {
      const entries = seeds.map((seed, index) => ({ seed, rank: ranks[index] as number, index }));
      for (const { seed, rank } of entries) onAsk?.(state, seed, rank);
      for (const { seed, rank, index } of chance ? chance.shuffled(entries) : entries) {
        if (chance)
          for (let wait = chance.integer(4); wait > 0; wait--) await new Promise((resolve) => setImmediate(resolve));
        switch (fault(seed)) {
          case "hang":
            await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
            throw signal.reason;
          case "fail": {
            const failure = { code: "unavailable" as const, message: "A fault was injected" };
            yield { type: "failure", index, failure, cost: cost({ calls: 1 }) };
            break;
          }
          case "empty":
            yield { type: "extension", index, extension: word(state, "", true) };
            break;
          default:
            if (draw === "top" && rank >= letters.length) break; // there are no more than four steps
            yield { type: "text-delta", index, delta: letterOf(draw === "top" ? rank : drawn(seed)) };
            yield {
              type: "extension",
              index,
              extension: draw === "top" ? ranked(state, rank) : word(state, letterOf(drawn(seed))),
            };
        }
      }
    },
  };
}

const letterOf = (rank: number): string => letters[rank] as string;
const drawn = (seed: number): number => random(seed).weighted(probabilities);

function word(state: string, letter: string, done = state.length + 1 >= wordLength): Extension<string> {
  const logProb =
    letter === "" ? 0 : Math.log(probabilities[letters.indexOf(letter as (typeof letters)[number])] as number);
  // Some steps cost less than their bound, so that budgets have something to settle.
  const paid = cost({ tokens: letter === "a" ? 1 : 2, promptTokens: state.length, calls: 1 });
  return { state: state + letter, done, logProb, logProposal: logProb, length: letter.length, cost: paid };
}

// The most probable letters all come out of one reading, which the first of them pays.
const ranked = (state: string, rank: number): Extension<string> => {
  const step = word(state, letterOf(rank));
  return rank === 0 ? step : { ...step, cost: noCost };
};

/** Counts the b's, less a little for every a; equal words have equal scores. */
export function lettersScorer(weather: Pick<Weather, "fault"> = {}): Scorer<string> {
  const valueOf = (word: string) =>
    [...word].reduce((sum, letter) => sum + (letter === "b" ? 1 : letter === "a" ? -0.25 : 0), 0);
  return faultyScorer("b-count", valueOf, weather);
}

/** A reward that costs one call, and what may befall it: NaN, an error, silence. */
export function faultyScorer<S>(
  name: string,
  valueOf: (state: S) => number,
  { fault = () => undefined }: Pick<Weather, "fault"> = {},
): Scorer<S> {
  return {
    name,
    kind: "reward",
    bound: () => cost({ calls: 1 }),
    score({ state }, { seed, signal }) {
      const value = valueOf(state);
      switch (fault(seed)) {
        case "fail":
          throw new Failed("unavailable", "A fault was injected");
        case "hang":
          return new Promise((_, reject) =>
            signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
          );
        case "nan":
          return { score: { kind: "reward", value: Number.NaN }, cost: cost({ calls: 1 }) };
        default:
          return { score: { kind: "reward", value }, cost: cost({ calls: 1 }) };
      }
    },
  };
}
