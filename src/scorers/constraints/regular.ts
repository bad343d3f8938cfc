/**
 * Texts that match a regular expression from beginning to end, as a constraint on partial answers.
 *
 * The expression becomes a finite automaton (Thompson 1968, CACM 11(6)) whose deterministic form is built as it is visited:
 * reading takes constant time a character once its states are known, and nothing ever backtracks. The language is that of
 * JavaScript's regular expressions under the flag `u` for what is supported: characters, `.`, escapes (`\d \w \s` and their
 * opposites, `\n \t \r \f \v \0`, `\xHH`, `\uHHHH`, `\u{H}`), classes, groups, `|`, `* + ? {m} {m,} {m,n}` (lazy ones are the
 * same language). Anchors are implied; what is beyond regular (backreferences, looking around, `\b`) is a SyntaxError.
 */
import type { Scorer } from "../../scorer.ts";
import { anyButLineEnd, bracketed, type Characters, counts, escaped, has, single, Source } from "./characters.ts";
import { constraint, type Automaton } from "./constraint.ts";

/** @throws SyntaxError for what is not supported */
export function regular<S>(pattern: string): Scorer<S> {
  return constraint(`regular:${pattern}`, regularLanguage(pattern));
}

type Tree =
  | { readonly type: "characters"; readonly set: Characters }
  | { readonly type: "sequence" | "choice"; readonly parts: readonly Tree[] }
  | { readonly type: "repeat"; readonly part: Tree; readonly least: number; readonly most: number };

/** A place of the automaton: what it reads, or where it goes for nothing. */
interface Place {
  set: Characters | undefined;
  readonly to: number[];
}

/** More places than this are a mistake, as in ((a{99}){99}){99}. */
const mostPlaces = 20_000;

/** States are numbers; 0 is where it starts. */
export function regularLanguage(pattern: string): Automaton<number> {
  const source = new Source(pattern, "regular expression");
  const tree = choice(source);
  if (!source.done) throw source.error("a ')' has no '(' before it");

  const places: Place[] = [];
  const place = (set?: Characters, ...to: number[]): number => {
    if (places.length >= mostPlaces)
      throw new SyntaxError(`Cannot use the regular expression as it has more than ${mostPlaces} states: repeat less`);
    return places.push({ set, to }) - 1;
  };
  /** Built from the end: where the tree begins if it is to go on at `then`. */
  const build = (part: Tree, then: number): number => {
    switch (part.type) {
      case "characters":
        return place(part.set, then);
      case "sequence":
        return part.parts.reduceRight((after, one) => build(one, after), then);
      case "choice":
        return place(undefined, ...part.parts.map((one) => build(one, then)));
      case "repeat": {
        let after = then;
        if (part.most === Infinity) {
          after = place(undefined, then);
          (places[after] as Place).to.push(build(part.part, after));
        } else for (let i = part.least; i < part.most; i++) after = place(undefined, then, build(part.part, after));
        for (let i = 0; i < part.least; i++) after = build(part.part, after);
        return after;
      }
    }
  };
  const end = place();
  const first = build(tree, end);

  const states: { readonly places: readonly number[]; readonly next: Map<number, number | undefined> }[] = [];
  const known = new Map<string, number>();
  /** The state that stands for these places and all that are reached from them for nothing. */
  const stateOf = (from: readonly number[]): number | undefined => {
    const closed = new Set<number>();
    const open = [...from];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (closed.has(at)) continue;
      closed.add(at);
      const { set, to } = places[at] as Place;
      if (!set) open.push(...to);
    }
    const reading = [...closed].filter((at) => at === end || places[at]?.set).sort((a, b) => a - b);
    if (reading.length === 0) return undefined;
    const name = reading.join();
    const found = known.get(name);
    if (found !== undefined) return found;
    known.set(name, states.length);
    return states.push({ places: reading, next: new Map() }) - 1;
  };
  const start = stateOf([first]) as number;

  return {
    start,
    next(state, codePoint) {
      const { places: here, next } = states[state] as (typeof states)[number];
      if (next.has(codePoint)) return next.get(codePoint);
      const to = here.flatMap((at) => {
        const { set, to } = places[at] as Place;
        return set && has(set, codePoint) ? to : [];
      });
      const after = stateOf(to);
      next.set(codePoint, after);
      return after;
    },
    accepts: (state) => (states[state] as (typeof states)[number]).places.includes(end),
  };
}

function choice(source: Source): Tree {
  const parts = [sequence(source)];
  while (source.skip("|")) parts.push(sequence(source));
  return parts.length === 1 ? (parts[0] as Tree) : { type: "choice", parts };
}

function sequence(source: Source): Tree {
  const parts: Tree[] = [];
  for (let next = source.peek(); next !== undefined && next !== "|" && next !== ")"; next = source.peek())
    parts.push(repeated(source, atom(source)));
  return { type: "sequence", parts };
}

function repeated(source: Source, part: Tree): Tree {
  let times: { least: number; most: number } | undefined;
  if (source.skip("*")) times = { least: 0, most: Infinity };
  else if (source.skip("+")) times = { least: 1, most: Infinity };
  else if (source.skip("?")) times = { least: 0, most: 1 };
  else if (source.skip("{")) times = counts(source);
  if (!times) return part;
  source.skip("?"); // lazy: the same texts
  if (/^[*+?{]$/.test(source.peek() ?? "")) throw source.error("there is nothing to repeat");
  return { type: "repeat", part, ...times };
}

function atom(source: Source): Tree {
  const character = source.take();
  switch (character) {
    case "(": {
      if (source.skip("?") && !source.skip(":")) throw source.error("of groups only (…) and (?:…) are supported");
      const inner = choice(source);
      if (!source.skip(")")) throw source.error("a '(' has no ')' after it");
      return inner;
    }
    case "[":
      return { type: "characters", set: bracketed(source) };
    case "\\":
      return { type: "characters", set: escaped(source) };
    case ".":
      return { type: "characters", set: anyButLineEnd };
    case "^":
    case "$":
      throw source.error(
        `'${character}' is implied, as the whole text must match: write \\${character} for the character`,
      );
    case "*":
    case "+":
    case "?":
    case "{":
      throw source.error("there is nothing to repeat");
    case "]":
    case "}":
      throw source.error(`'${character}' stands alone: write \\${character} for the character`);
    default:
      return { type: "characters", set: single(character.codePointAt(0) as number) };
  }
}
