import { describe, expect, test } from "vitest";
import { play, posterior, randomChain, totalVariation } from "../../../test/helpers/chain.ts";
import { random, type Random } from "../../math/random.ts";
import type { Node } from "../../node.ts";
import type { Score, Scorer } from "../../scorer.ts";
import { particleFilter } from "../../search/particles/particle-filter.ts";
import { potential } from "../../search/particles/potential.ts";
import { check, constraint, type Automaton, read } from "./constraint.ts";
import { grammar, grammarLanguage } from "./grammar.ts";
import { regular, regularLanguage } from "./regular.ts";
import { wordLanguage, words } from "./words.ts";

/** All texts over an alphabet up to a length. */
const textsOver = (alphabet: string, longest: number): string[] => {
  let layer = [""];
  const all = [""];
  for (let i = 0; i < longest; i++)
    all.push(...(layer = layer.flatMap((text) => [...alphabet].map((one) => text + one))));
  return all;
};

/** That membership is as told, and that a text is a prefix exactly where some text of the language begins with it. */
function expectLanguage<Q>(
  language: Automaton<Q>,
  alphabet: string,
  longest: number,
  margin: number,
  isIn: (text: string) => boolean,
): void {
  const beginnings = new Set<string>();
  for (const text of textsOver(alphabet, longest + margin))
    if (isIn(text)) for (let i = 0; i <= text.length; i++) beginnings.add(text.slice(0, i));
  for (const text of textsOver(alphabet, longest))
    expect([text, check(language, text)]).toEqual([text, { prefix: beginnings.has(text), whole: isIn(text) }]);
}

describe("regular", () => {
  test("by hand", () => {
    const date = regularLanguage("\\d{4}-(0[1-9]|1[0-2])");
    expect(check(date, "2026-1")).toEqual({ prefix: true, whole: false });
    expect(check(date, "2026-12")).toEqual({ prefix: true, whole: true });
    expect(check(date, "2026-13")).toEqual({ prefix: false, whole: false });
    expect(check(date, "2026-123").prefix).toBe(false);
    expect(check(regularLanguage(""), "")).toEqual({ prefix: true, whole: true });
  });

  test.each([
    "a*b",
    "(a|b)*abb",
    "(?:ab)+|b?",
    "a{2}",
    "a{1,3}b",
    "a{2,}",
    "a{0}b",
    "(a*)*",
    "(a|)(b|)",
    "[^a]*",
    "a.b",
    "(a+?b)*?",
    "(a{0,2}){2}",
    "[a-b]c?",
    "[c\\-a]{1,2}",
    "(|a)+",
  ])("is what JavaScript says it is: %s", (pattern) => {
    const whole = new RegExp(`^(?:${pattern})$`, "u");
    expectLanguage(regularLanguage(pattern), "abc", 4, 3, (text) => whole.test(text));
  });

  const written = (stream: Random, depth: number): string => {
    const inner = (): string => written(stream, depth - 1);
    if (depth === 0) return stream.pick(["a", "b", "[ab]", "[^b]", "."]);
    return stream.pick([
      () => inner() + inner(),
      () => `(${inner()}|${inner()})`,
      () => `(?:${inner()})${stream.pick(["*", "+", "?", "{2}", "{0,1}", "{1,}"])}`,
    ])();
  };
  test("is what JavaScript says it is: 60 random ones", () => {
    const stream = random(8);
    for (let i = 0; i < 60; i++) {
      const pattern = written(stream, 2);
      const whole = new RegExp(`^(?:${pattern})$`, "u");
      const language = regularLanguage(pattern);
      for (const text of textsOver("ab\n", 5))
        expect([pattern, text, check(language, text).whole]).toEqual([pattern, text, whole.test(text)]);
    }
  });

  test("escapes and characters beyond the basic plane", () => {
    const language = regularLanguage("[\\u{1F600}-\\u{1F64F}]{2}\\x41\\u0042\\n\\(\\s\\W");
    expect(check(language, "😀🙏AB\n(\u2003!").whole).toBe(true);
    expect(check(language, "😀x").prefix).toBe(false);
    for (const [escape, text] of [
      ["\\d", "7"],
      ["\\D", "x"],
      ["\\w", "_"],
      ["\\S", "x"],
      ["\\t", "\t"],
      ["\\.", "."],
    ] as const)
      expect([escape, check(regularLanguage(escape), text).whole]).toEqual([escape, true]);
  });

  test.each([
    ["a(b", "')' after it"],
    ["a)b", "no '(' before"],
    ["*a", "nothing to repeat"],
    ["a**", "nothing to repeat"],
    ["(?=a)", "only (…) and (?:…)"],
    ["(a)\\1", "'\\1' is not supported"],
    ["\\bword", "'\\b' is not supported"],
    ["^a$", "'^' is implied"],
    ["a{3,1}", "from 3 to 1 is none"],
    ["a{x}", "a repetition is"],
    ["[z-a]", "ascending order"],
    ["[]", "matches nothing"],
    ["[a", "ends too early"],
    ["a\\", "ends too early"],
    ["\\u{110000}", "hexadecimal"],
    ["a]", "stands alone"],
    ["((a{99}){99}){99}", "more than 20000 states"],
  ])("refuses %s, and says why", (pattern, why) => {
    expect(() => regularLanguage(pattern)).toThrow(SyntaxError);
    expect(() => regularLanguage(pattern)).toThrow(why);
  });

  test("never backtracks: what takes others exponential time is read at once", () => {
    const language = regularLanguage("(a+)+b|(a|a)*c");
    expect(check(language, "a".repeat(100_000))).toEqual({ prefix: true, whole: false });
    expect(check(language, `${"a".repeat(100_000)}d`).prefix).toBe(false);
  });
});

describe("grammar", () => {
  const depth = (text: string): boolean => {
    let open = 0;
    for (const one of text) if ((open += one === "(" ? 1 : -1) < 0) return false;
    return open === 0;
  };
  test.each([
    ["right", 'root ::= "" | "(" root ")" root'],
    ["left", 'root ::= root "(" root ")" | ""'],
    ["repeated", 'root ::= ("(" root ")")*'],
    ["ambiguous", 'root ::= root root | "(" root ")" | ""'],
    ["hidden left recursion", 'root ::= nothing root "(" root ")" | ""\nnothing ::= "" | nothing'],
  ])("balanced brackets, %s", (_, rules) => expectLanguage(grammarLanguage(rules), "()", 7, 7, depth));

  test("as many a's as b's as c's is beyond it, as many a's as b's is not", () => {
    expectLanguage(grammarLanguage('root ::= "a" root "b" | ""'), "ab", 6, 6, (text) => {
      const half = text.length / 2;
      return text === "a".repeat(half) + "b".repeat(half);
    });
  });

  test("sums, with names, comments, classes, counts and several lines", () => {
    const language = grammarLanguage(`
      # what can be calculated
      root  ::= term (("+" | "-") term)*   # left to right
      term  ::= number | "(" root
                ")"
      number ::= [1-9] [0-9]{0,2} | "0"
    `);
    for (const text of ["0", "12+3", "(1-(20+305))-7"])
      expect([text, check(language, text).whole]).toEqual([text, true]);
    for (const text of ["", "1+", "(1", "12"]) expect([text, check(language, text).prefix]).toEqual([text, true]);
    for (const text of ["01", "1++", ")", "1234", "1)"])
      expect([text, check(language, text).prefix]).toEqual([text, false]);
  });

  test.each(["[a-b]{2}", "a*b", "(a|b)*abb", "(a{0,2}){2}", "a+b{1,}c?", "(a?b)*"])(
    "%s as regular expression and as grammar",
    (pattern) => {
      const quoted = pattern.replaceAll(/(?<!\[)(?<!-)([abc])(?!-)(?!\])/g, '"$1"');
      const whole = new RegExp(`^(?:${pattern})$`);
      expectLanguage(grammarLanguage(`root ::= ${quoted}`), "abc", 4, 3, (text) => whole.test(text));
    },
  );

  test.each([
    ['start ::= "a"', "no rule 'root'"],
    ["root ::= item", "rule 'item' is named but not there"],
    ['root ::= "a" root', "rule 'root' derives no text"],
    ['root ::= "a" | endless\nendless ::= "b" endless', "rule 'endless' derives no text"],
    ['root ::= "a"\nroot ::= "b"', "'root' is there twice"],
    ['root ::= ("a"', "')' after it"],
    ['root ::= "a" )', "no '(' before"],
    ['root ::= "a', "ends too early"],
    ["root ::= *", "neither a text"],
    ["root = 1", "'::='"],
    ["1", "begins with its name"],
    ['root ::= "a"{30000}', "repeat less"],
  ])("refuses %s, and says why", (rules, why) => {
    expect(() => grammarLanguage(rules)).toThrow(SyntaxError);
    expect(() => grammarLanguage(rules)).toThrow(why);
  });

  test("reads ten thousand characters of a list", () => {
    const language = grammarLanguage('root ::= item ("," item)*\nitem ::= [a-z]+');
    const text = "abc,".repeat(2500);
    expect(check(language, text)).toEqual({ prefix: true, whole: false });
    expect(check(language, `${text}d`).whole).toBe(true);
  });
});

describe("words", () => {
  test("only these", () => {
    const language = wordLanguage({ only: ["to", "be", "don't"] });
    expect(check(language, "To be, DON'T to!").whole).toBe(true);
    expect(check(language, "to b")).toEqual({ prefix: true, whole: false });
    expect(check(language, "to bee").prefix).toBe(false);
    expect(check(language, "t be").prefix).toBe(false);
    expect(check(language, " ,. ").whole).toBe(true);
  });

  test("never these, but longer ones that contain them", () => {
    const language = wordLanguage({ never: ["cat"] });
    expect(check(language, "a cat")).toEqual({ prefix: true, whole: false });
    expect(check(language, "a category").whole).toBe(true);
    expect(check(language, "a Cat.").prefix).toBe(false);
    expect(() => wordLanguage({ never: ["two words"] })).toThrow('Cannot list "two words"');
  });
});

describe("as scorers", () => {
  const request = { problem: { id: "p", prompt: "" }, text: String, seed: 1, signal: new AbortController().signal };
  const node = (state: string, done: boolean, parent?: Node<string>) =>
    ({ id: state, state, done, parent }) as Node<string>;
  const verdict = (scorer: Scorer<string>, of: Node<string>) =>
    (scorer.score(of, request) as Score & { correct: boolean }).correct;

  test("of a partial answer whether it can be completed, of a finished one whether it is complete", () => {
    const scorer = regular<string>("ab+");
    expect([scorer.name, scorer.kind, scorer.bound]).toEqual(["regular:ab+", "verdict", undefined]);
    expect([verdict(scorer, node("a", false)), verdict(scorer, node("a", true))]).toEqual([true, false]);
    expect(scorer.score(node("a", true), request)).toMatchObject({ evidence: "incomplete" });
    expect(scorer.score(node("b", false), request)).toMatchObject({
      evidence: "no text of the language begins like this",
    });
    expect(grammar('root ::= "a"').name).not.toBe(grammar('root ::= "b"').name);
  });

  test("a child is read on from its parent, even where the parent has failed, or was changed", () => {
    let steps = 0;
    const counted = regularLanguage("a*b");
    const scorer = constraint<string, number>("counted", {
      ...counted,
      next: (state, one) => (steps++, counted.next(state, one)),
    });
    let parent = node("", false);
    for (let i = 1; i <= 50; i++) expect(verdict(scorer, (parent = node("a".repeat(i), false, parent)))).toBe(true);
    expect(steps).toBe(50);
    const bad = node(`${parent.state}c`, false, parent);
    expect([verdict(scorer, bad), verdict(scorer, node(`${bad.state}b`, true, bad))]).toEqual([false, false]);
    expect(verdict(scorer, node("ab", true, parent))).toBe(true); // a stop text took the rest away
  });

  test("half a character is not judged before its other half is there", () => {
    const scorer = regular<string>("x😀");
    const first = node("x\uD83D", false);
    expect(verdict(scorer, first)).toBe(true);
    expect(verdict(scorer, node("x😀", true, first))).toBe(true);
    expect(verdict(scorer, node("x\uD83D\uDE01", true, first))).toBe(false);
  });

  // The final full stop of a chain's words is in their text, so it is in the languages too.
  test.each([
    ["regular", regular<string>("(ab?)*\\."), /^(ab?)*\.$/],
    ["grammar", grammar<string>('root ::= "a" root | "b"{0,2} "."'), /^a*b{0,2}\.$/],
    ["words", words<string>({ never: ["aa", "b"] }), /^(?!aa\.|b\.)/],
  ] as const)(
    "%s: Z is the probability of the language, its texts have their conditional law",
    (_, scorer, pattern) => {
      const chain = randomChain(12, "ab.", 3);
      const { law, logZ } = posterior(chain, (word) => (pattern.test(word) ? 0 : -Infinity));
      const particles = 400;
      const runs = Array.from({ length: 8 }, (_, seed) =>
        play(chain, particleFilter({ particles, potential: potential(scorer), threshold: 0.9 }), seed),
      );
      const found = new Map<string, number>();
      for (const { candidates, weights } of runs)
        for (const [i, { state }] of candidates.entries())
          found.set(state, (found.get(state) ?? 0) + (weights[i] as number) / runs.length);
      for (const [word, weight] of found) if (!pattern.test(word)) expect(weight).toBe(0);
      // 3,200 draws of 12 answers at most: ½ Σ √(p (1 - p) / 3200) < 0.03 even if all had 1/12.
      expect(totalVariation(found, law)).toBeLessThan(0.035);
      const z = runs.map((run) => Math.exp(run.logZ as number));
      const mean = z.reduce((sum, one) => sum + one) / z.length;
      const error = Math.sqrt(z.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (z.length - 1) / z.length);
      expect(Math.abs(mean - Math.exp(logZ))).toBeLessThan(4 * error);
    },
  );

  test("a state of the automaton can be read on by hand", () => {
    const language = regularLanguage("abc");
    const state = read(language, "ab") as number;
    expect(language.accepts(read(language, "c", state) as number)).toBe(true);
  });
});
