/**
 * Texts of certain words only, or without certain words, as a constraint on partial answers.
 *
 * A word is a run of letters, digits, marks and apostrophes; what stands between words is free. Capitals do not matter. A
 * word that is still being written counts as what it can become: with `only` it must be the beginning of a listed word, with
 * `never` it is judged when it ends. Texts without any word are of both kinds. Lexical constraints as potentials:
 * Lew et al. 2023, arXiv:2306.03081.
 */
import type { Scorer } from "../../scorer.ts";
import { constraint, type Automaton } from "./constraint.ts";

export type WordList = { readonly only: readonly string[] } | { readonly never: readonly string[] };

export function words<S>(list: WordList): Scorer<S> {
  return constraint(`words:${JSON.stringify(list)}`, wordLanguage(list));
}

const inWord = /^[\p{L}\p{M}\p{N}'’]$/u;

/** The state is the word being written, in small letters; "" between words. */
export function wordLanguage(list: WordList): Automaton<string> {
  const listed = new Set(("only" in list ? list.only : list.never).map((word) => word.toLowerCase()));
  for (const word of listed)
    if (word === "" || ![...word].every((character) => inWord.test(character)))
      throw new RangeError(
        `Cannot list ${JSON.stringify(word)} as a word: it must be letters, digits or apostrophes, at least one`,
      );
  const beginnings = new Set<string>();
  for (const word of listed) for (let i = 1; i <= word.length; i++) beginnings.add(word.slice(0, i));
  const mayEnd = (word: string): boolean => word === "" || "only" in list === listed.has(word);
  return {
    start: "",
    next(word, codePoint) {
      const character = String.fromCodePoint(codePoint);
      if (!inWord.test(character)) return mayEnd(word) ? "" : undefined;
      const longer = word + character.toLowerCase();
      return "never" in list || beginnings.has(longer) ? longer : undefined;
    },
    accepts: mayEnd,
  };
}
