/**
 * Texts of a context-free grammar, as a constraint on partial answers.
 *
 *     root ::= item ("," item)*
 *     item ::= [a-z]+ | "(" root ")"     # a comment
 *
 * The notation is a part of GBNF (llama.cpp): rules `name ::= …`, "texts" with escapes, [classes], `.`, groups, `|`,
 * `* + ? {m} {m,} {m,n}`; a rule goes on until the next one begins. Texts are those of `root`.
 *
 * Recognised by Earley 1970 (CACM 13(2)), with rules that match nothing completed as they are predicted (Aycock & Horspool
 * 2002, The Computer Journal 45(6)). Every rule must derive some text, so what has been read can be completed exactly as
 * long as the set of items is not empty. Time: a constant for each character where the grammar is regular or left-recursive without
 * ambiguity, linear in the length for right recursion, quadratic where it is ambiguous. For what is regular use `regular`.
 */
import { fingerprint } from "../../key.ts";
import type { Scorer } from "../../scorer.ts";
import { anyButLineEnd, bracketed, type Characters, counts, escaped, has, single, Source } from "./characters.ts";
import { constraint, type Automaton } from "./constraint.ts";

/** @throws SyntaxError where the rules cannot be read, name what is not there, or derive nothing */
export function grammar<S>(rules: string): Scorer<S> {
  return constraint(`grammar#${fingerprint(rules)}`, grammarLanguage(rules));
}

/** Characters to read, or the number of a rule. */
type GrammarSymbol = Characters | number;
type Production = readonly GrammarSymbol[];

interface Item {
  readonly rule: number;
  readonly production: Production;
  readonly dot: number;
  /** Where it began. */
  readonly origin: Items;
}

/** What can be going on at one place of the text. */
export interface Items {
  readonly all: readonly Item[];
  /** By the rule that they wait for. */
  readonly waiting: ReadonlyMap<number, readonly Item[]>;
}

export function grammarLanguage(text: string): Automaton<Items> {
  const { rules, root } = parsed(text);
  const nullable = closure(rules, (production, known) =>
    production.every((one) => typeof one === "number" && known.has(one)),
  );

  function grow(seeds: readonly Item[], here: { all: Item[]; waiting: Map<number, Item[]> }): Items {
    const seen = new Map<Production, Map<number, Set<Items>>>();
    const add = (item: Item): void => {
      let dots = seen.get(item.production);
      if (!dots) seen.set(item.production, (dots = new Map()));
      let origins = dots.get(item.dot);
      if (!origins) dots.set(item.dot, (origins = new Set()));
      if (origins.has(item.origin)) return;
      origins.add(item.origin);
      here.all.push(item);
    };
    for (const seed of seeds) add(seed);
    for (let i = 0; i < here.all.length; i++) {
      const item = here.all[i] as Item;
      const next = item.production[item.dot];
      if (next === undefined) {
        for (const waiter of item.origin.waiting.get(item.rule) ?? []) add({ ...waiter, dot: waiter.dot + 1 });
      } else if (typeof next === "number") {
        const waiters = here.waiting.get(next);
        if (waiters) waiters.push(item);
        else {
          here.waiting.set(next, [item]);
          for (const production of rules[next] as Production[]) add({ rule: next, production, dot: 0, origin: here });
        }
        if (nullable.has(next)) add({ ...item, dot: item.dot + 1 });
      }
    }
    return here;
  }

  const empty = () => ({ all: [] as Item[], waiting: new Map<number, Item[]>() });
  const first = empty();
  const start = grow(
    (rules[root] as Production[]).map((production) => ({ rule: root, production, dot: 0, origin: first })),
    first,
  );
  return {
    start,
    next(items, codePoint) {
      const read = items.all.flatMap((item) => {
        const next = item.production[item.dot];
        return typeof next === "object" && has(next, codePoint) ? [{ ...item, dot: item.dot + 1 }] : [];
      });
      return read.length === 0 ? undefined : grow(read, empty());
    },
    accepts: (items) =>
      items.all.some(
        ({ rule, production, dot, origin }) => rule === root && dot === production.length && origin === start,
      ),
  };
}

/** The rules of which `holds` follows from what is known, until nothing more follows. */
function closure(
  rules: readonly (readonly Production[])[],
  holds: (production: Production, known: ReadonlySet<number>) => boolean,
): Set<number> {
  const known = new Set<number>();
  for (let before = -1; before < known.size; ) {
    before = known.size;
    for (const [rule, productions] of rules.entries())
      if (!known.has(rule) && productions.some((production) => holds(production, known))) known.add(rule);
  }
  return known;
}

const nameStart = /^[A-Za-z_]$/;
const nameRest = /^[\w-]$/;
const mostSymbols = 20_000;

function parsed(text: string): { rules: Production[][]; root: number } {
  const source = new Source(text, "grammar");
  const numbers = new Map<string, number>();
  const rules: Production[][] = [];
  const defined = new Set<string>();
  let symbols = 0;

  const fresh = (...productions: Production[]): number => rules.push(productions) - 1;
  const named = (name: string): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const number = fresh();
    numbers.set(name, number);
    return number;
  };
  const blank = (): void => {
    for (;;) {
      if (/^\s$/.test(source.peek() ?? "")) source.take();
      else if (source.skip("#")) while (!source.done && source.take() !== "\n");
      else return;
    }
  };
  const name = (): string => {
    let read = "";
    if (!nameStart.test(source.peek() ?? "")) throw source.error("a rule begins with its name");
    while (nameRest.test(source.peek() ?? "")) read += source.take();
    return read;
  };
  /** Whether a rule begins here. */
  const beginsRule = (): boolean => {
    const at = source.at;
    if (!nameStart.test(source.peek() ?? "")) return false;
    name();
    blank();
    const found = source.skip("::=");
    source.at = at;
    return found;
  };

  function choice(): Production[] {
    const productions = [sequence()];
    for (blank(); source.skip("|"); blank()) productions.push(sequence());
    return productions;
  }

  function sequence(): Production {
    const production: GrammarSymbol[] = [];
    for (;;) {
      blank();
      const next = source.peek();
      if (next === undefined || next === "|" || next === ")" || beginsRule()) return production;
      production.push(...repeated(atom()));
    }
  }

  function atom(): GrammarSymbol[] {
    if (source.skip('"')) {
      const characters: GrammarSymbol[] = [];
      while (!source.skip('"'))
        characters.push(source.skip("\\") ? escaped(source) : single(source.take().codePointAt(0) as number));
      return characters;
    }
    if (source.skip("[")) return [bracketed(source)];
    if (source.skip(".")) return [anyButLineEnd];
    if (source.skip("(")) {
      const productions = choice();
      if (!source.skip(")")) throw source.error("a '(' has no ')' after it");
      return [fresh(...productions)];
    }
    if (nameStart.test(source.peek() ?? "")) return [named(name())];
    throw source.error(`'${source.peek()}' is neither a text in quotes, a class, a group nor a name`);
  }

  function repeated(part: GrammarSymbol[]): GrammarSymbol[] {
    let [least, most] = [1, 1];
    if (source.skip("*")) [least, most] = [0, Infinity];
    else if (source.skip("+")) [least, most] = [1, Infinity];
    else if (source.skip("?")) [least, most] = [0, 1];
    else if (source.skip("{")) ({ least, most } = counts(source));
    else return part;
    const one = part.length === 1 ? (part[0] as GrammarSymbol) : fresh(part);
    symbols += Number.isFinite(most) ? most : least;
    if (symbols > mostSymbols) throw source.error(`it has more than ${mostSymbols} symbols: repeat less`);
    const all: GrammarSymbol[] = Array.from({ length: least }, () => one);
    if (most === Infinity) {
      const many = fresh([]);
      (rules[many] as Production[]).push([many, one]); // left-recursive: constant time a character
      return [...all, many];
    }
    const perhaps = fresh([], [one]);
    return [...all, ...Array.from({ length: most - least }, () => perhaps)];
  }

  for (blank(); !source.done; blank()) {
    const rule = name();
    blank();
    if (!source.skip("::=")) throw source.error("a rule is a name, '::=', and what it stands for");
    if (defined.has(rule)) throw source.error(`the rule '${rule}' is there twice`);
    defined.add(rule);
    const number = named(rule);
    (rules[number] as Production[]).push(...choice());
    blank();
    if (source.peek() === ")") throw source.error("a ')' has no '(' before it");
  }
  const root = numbers.get("root");
  for (const one of numbers.keys())
    if (!defined.has(one)) throw new SyntaxError(`Cannot use the grammar as its rule '${one}' is named but not there`);
  if (root === undefined) throw new SyntaxError("Cannot use the grammar as it has no rule 'root', where texts begin");
  const productive = closure(rules, (production, known) =>
    production.every((one) => typeof one !== "number" || known.has(one)),
  );
  for (const [one, number] of numbers)
    if (!productive.has(number)) throw new SyntaxError(`Cannot use the grammar as its rule '${one}' derives no text`);
  return { rules, root };
}
