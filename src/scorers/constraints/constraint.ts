/**
 * A language as a scorer: of a partial answer it says whether it can still be completed to a text of the language, of a
 * finished one whether it is such a text. As the potential of a particle method it is 1 or 0, and never wrong about a prefix.
 *
 * The answer's text is read character by character. A child goes on from where its parent was left, so that a whole answer
 * is read once, however many steps it has.
 */
import type { Node } from "../../node.ts";
import type { Scorer } from "../../scorer.ts";

/** An automaton over characters (code points). States never change. */
export interface Automaton<Q> {
  readonly start: Q;
  /** After one more character; undefined where no text of the language begins like this. */
  readonly next: (state: Q, codePoint: number) => Q | undefined;
  /** Whether what was read is a text of the language. */
  readonly accepts: (state: Q) => boolean;
}

/** Reads on from a state; undefined where no text of the language begins like this. */
export function read<Q>(language: Automaton<Q>, text: string, from: Q = language.start): Q | undefined {
  let state: Q | undefined = from;
  for (const character of text) {
    state = language.next(state, character.codePointAt(0) as number);
    if (state === undefined) return undefined;
  }
  return state;
}

/** Whether a text can be completed, and whether it is complete. */
export function check<Q>(language: Automaton<Q>, text: string): { readonly prefix: boolean; readonly whole: boolean } {
  const state = read(language, text);
  return { prefix: state !== undefined, whole: state !== undefined && language.accepts(state) };
}

/** `name` must tell languages apart. */
export function constraint<S, Q>(name: string, language: Automaton<Q>): Scorer<S> {
  const known = new WeakMap<Node<S>, { readonly text: string; readonly state: Q | undefined }>();

  function stateAt(node: Node<S>, textOf: (state: S) => string): Q | undefined {
    const before = node.parent && known.get(node.parent);
    const given = textOf(node.state);
    // Half a character at the end is not judged until its other half is there.
    const text = !node.done && endsInHalf(given) ? given.slice(0, -1) : given;
    const goesOn = before !== undefined && text.startsWith(before.text);
    const state = !goesOn
      ? read(language, text)
      : before.state === undefined
        ? undefined
        : read(language, text.slice(before.text.length), before.state);
    known.set(node, { text, state });
    return state;
  }

  return {
    name,
    kind: "verdict",
    score(node, { text }) {
      const state = stateAt(node, text);
      const correct = state !== undefined && (!node.done || language.accepts(state));
      const evidence = correct ? "" : state === undefined ? "no text of the language begins like this" : "incomplete";
      return { kind: "verdict", correct, ...(evidence && { evidence }) };
    },
  };
}

const endsInHalf = (text: string): boolean => /[\uD800-\uDBFF]$/.test(text);
