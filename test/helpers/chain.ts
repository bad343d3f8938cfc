/**
 * Words drawn letter by letter, small enough to enumerate, and a loop without promises to run a search on them: for tests
 * that need thousands of runs. A finished word ends in ".".
 */
import { noCost } from "../../src/budget.ts";
import { driver } from "../../src/driver.ts";
import { fold, key } from "../../src/key.ts";
import { random } from "../../src/math/random.ts";
import type { Score, Scorer } from "../../src/scorer.ts";
import type { Outcome, Search } from "../../src/search.ts";

export interface Chain {
  /** The last one ends a word. */
  readonly letters: string;
  readonly maxLength: number;
  /** [letters] probabilities of the next one. */
  readonly law: (word: string) => readonly number[];
  /** [letters] the law that is drawn from, where it is another. */
  readonly proposal?: (word: string) => readonly number[];
}

/** A word of `maxLength` letters always ends. */
export function randomChain(seed: number, letters = "ab.", maxLength = 2): Chain {
  const law = (word: string): number[] => {
    const end = letters.length - 1;
    if (word.length >= maxLength) return Array.from(letters, (_, i) => (i === end ? 1 : 0));
    const stream = random(fold(key(seed), word));
    const weights = Array.from(letters, () => 0.3 + stream.uniform());
    const total = weights.reduce((sum, weight) => sum + weight);
    return weights.map((weight) => weight / total);
  };
  return { letters, maxLength, law };
}

/** Every finished word with its probability. */
export function wordsOf({ letters, law }: Chain, word = "", probability = 1): [string, number][] {
  return Array.from(letters).flatMap((letter, i): [string, number][] => {
    const p = probability * (law(word)[i] as number);
    if (p === 0) return [];
    return i === letters.length - 1 ? [[word + letter, p]] : wordsOf({ letters, law } as Chain, word + letter, p);
  });
}

/** The law of words in proportion to p × exp(logWeight), and the log of the sum. */
export function posterior(
  chain: Chain,
  logWeight: (word: string) => number,
): { law: Map<string, number>; logZ: number } {
  const words = wordsOf(chain).map(([word, p]) => [word, p * Math.exp(logWeight(word))] as const);
  const total = words.reduce((sum, [, weight]) => sum + weight, 0);
  return { law: new Map(words.map(([word, weight]) => [word, weight / total])), logZ: Math.log(total) };
}

/** Runs a search to its end. Scorers must answer at once. `fails` says of a seed whether its reply is a failure. */
export function play<O extends Outcome<string>>(
  chain: Chain,
  search: Search<string, O>,
  seed: number,
  fails: (seed: number) => boolean = () => false,
): O {
  const problem = { id: "word", prompt: "" };
  const { letters, law, proposal = law } = chain;
  const d = driver(search, { state: "", problem, key: key(seed) });
  const { signal } = new AbortController();
  const failure = { type: "failure", failure: { code: "unavailable", message: "injected" } } as const;
  for (let work = d.ask(); work.length > 0; work = d.ask())
    for (const item of work) {
      if (fails(item.seed)) d.tell(item.id, failure);
      else if (item.type === "score") {
        const scorer = item.scorer as Scorer<string>;
        const given = scorer.score(item.node, { problem, text: String, seed: item.seed, signal });
        d.tell(item.id, { type: "score", score: given as Score });
      } else {
        const word = item.node.state;
        const p = law(word);
        const q = proposal(word);
        const ranked = item.draw === "top" ? [...p.keys()].filter((i) => (p[i] as number) > 0) : [];
        ranked.sort((i, j) => (p[j] as number) - (p[i] as number) || i - j);
        const i = item.draw === "top" ? ranked[item.index] : random(item.seed).weighted(q);
        if (i === undefined) d.tell(item.id, { type: "absent" });
        else
          d.tell(item.id, {
            type: "extension",
            extension: {
              state: word + letters[i],
              done: i === letters.length - 1,
              logProb: Math.log(p[i] as number),
              logProposal: Math.log(q[i] as number),
              length: 1,
              cost: noCost,
            },
          });
      }
    }
  if (d.result && "outcome" in d.result) return d.result.outcome;
  throw d.result?.error;
}

/** ½ Σ |a - b|. */
export function totalVariation(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  const words = new Set([...a.keys(), ...b.keys()]);
  return [...words].reduce((sum, word) => sum + Math.abs((a.get(word) ?? 0) - (b.get(word) ?? 0)), 0) / 2;
}
