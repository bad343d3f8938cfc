/**
 * Horn worlds: facts, rules, and a question that they prove, disprove or leave open.
 *
 *     a,b;a>c;b,c>-d;e>f?d    facts; rules, numbered from 1; the question. -d is the opposite of d
 *     1:a>c                   a rule all of whose premises are known: its conclusion is known from now on
 *     2:b,c>-d
 *     no                      yes: the question is known; no: its opposite is; unknown: nothing more follows
 *
 * A literal and its opposite are two names to the rules, and never do both follow. So forward chaining decides every
 * question: in linear time (Dowling & Gallier 1984, J. Logic Programming 1(3)), here in rounds, as these tell the depth. Every
 * answer has to be proved, also that nothing follows. The levels go by the depth of the proof: rules that rest upon one another.
 */
import { fold, type Key } from "../key.ts";
import { random, type Random } from "../math/random.ts";
import type { Problem } from "../problem.ts";
import type { Split, Task } from "../task.ts";
import { levelOf, longestStep, type Stepped, until, walk, whole } from "./steps.ts";

const name = "horn";

export interface HornRule {
  readonly premises: readonly string[];
  readonly conclusion: string;
}

export interface HornWorld {
  readonly facts: readonly string[];
  readonly rules: readonly HornRule[];
  readonly question: string;
}

export type HornVerdict = "yes" | "no" | "unknown";

interface Level {
  readonly depth: number;
  readonly says: string;
}

const ofDepth = (depth: number): Level => ({
  depth,
  says: depth === 1 ? "a proof is one rule" : `a proof is ${depth} rules on top of one another`,
});

const levels = {
  base: { depth: 3, says: "as depth-3" },
  "depth-1": ofDepth(1),
  "depth-2": ofDepth(2),
  "depth-3": ofDepth(3),
  "depth-4": ofDepth(4),
  "depth-5": ofDepth(5),
  "depth-6": ofDepth(6),
} as const satisfies Record<string, Level>;

export const opposite = (literal: string): string => (literal.startsWith("-") ? literal.slice(1) : `-${literal}`);

export const ruleText = ({ premises, conclusion }: HornRule): string => `${premises.join(",")}>${conclusion}`;

export interface Derivation {
  /** The place of the rule, counted from 0. */
  readonly rule: number;
  /** Rules on top of one another. */
  readonly depth: number;
}

/**
 * All that follows from the facts, by the shallowest derivation, in rounds, as breadth first search; a fact is no derivation.
 * `order` says in which order the rules are tried, and so which of several equally shallow derivations is taken.
 */
export function consequencesOf(
  { facts, rules }: Pick<HornWorld, "facts" | "rules">,
  order: readonly number[] = [...rules.keys()],
): Map<string, Derivation> {
  const known = new Set(facts);
  const derived = new Map<string, Derivation>();
  for (let depth = 1; ; depth++) {
    const round = new Map<string, Derivation>();
    for (const rule of order) {
      const { premises, conclusion } = rules[rule] as HornRule;
      if (known.has(conclusion) || round.has(conclusion) || !premises.every((one) => known.has(one))) continue;
      round.set(conclusion, { rule, depth });
    }
    if (round.size === 0) return derived;
    for (const [literal, derivation] of round) {
      known.add(literal);
      derived.set(literal, derivation);
    }
  }
}

/** What the facts and rules say about the question, exactly. */
export function verdictOf(world: HornWorld): HornVerdict {
  const derived = consequencesOf(world);
  const follows = (literal: string) => world.facts.includes(literal) || derived.has(literal);
  return follows(world.question) ? "yes" : follows(opposite(world.question)) ? "no" : "unknown";
}

const textOf = ({ facts, rules, question }: HornWorld): string =>
  `${[facts.join(","), ...rules.map(ruleText)].join(";")}?${question}`;

/** Less the order in which things are said; the same world under other letters is another problem. */
const canonicalQuestion = ({ facts, rules, question }: HornWorld): string => {
  const sorted = rules.map(({ premises, conclusion }) => ruleText({ premises: premises.toSorted(), conclusion }));
  return `${name} ${[facts.toSorted().join(","), ...sorted.sort()].join(";")}?${question}`;
};

function problemOf(world: HornWorld): Problem {
  const prompt = `${textOf(world)}\n`;
  const data = { ...world, rules: world.rules.map((rule) => ({ ...rule })) };
  return { id: `${name} ${prompt.trimEnd()}`, prompt, task: name, reference: verdictOf(world), data };
}

/** The world that a problem of this task asks about. @throws TypeError for any other problem */
export function worldOf(problem: Problem): HornWorld {
  const data = problem.data as Partial<HornWorld> | undefined;
  if (problem.task !== name || !Array.isArray(data?.facts) || !Array.isArray(data.rules) || !data.question)
    throw new TypeError(
      `Cannot read problem '${problem.id}' as one of ${name}: its data must hold 'facts', 'rules' and 'question'`,
    );
  return data as HornWorld;
}

/**
 * A chain of `depth` rules from a fact to the question, some of them with a second premise; two and a half times as many
 * rules that lead elsewhere; and one that concludes what the chain does, but from something that does not hold. Where nothing
 * is to follow, the first fact of the chain is missing.
 */
function draw(depth: number, stream: Random): HornWorld | undefined {
  const names = stream.shuffled([..."abcdefghijklmnopqrstuvwxyz"]);
  const take = (): string => {
    const letter = names.pop() as string;
    return stream.uniform() < 0.25 ? `-${letter}` : letter;
  };
  const chain = Array.from({ length: depth + 1 }, take);
  const [start, goal] = [chain[0] as string, chain[depth] as string];
  const others = [take(), take()];
  const verdict = stream.pick(["yes", "no", "unknown"]);
  const rules: HornRule[] = [];
  const add = (premises: readonly string[], conclusion: string): void =>
    void rules.push({ premises: stream.shuffled(premises), conclusion });

  for (let i = 0; i < depth; i++) {
    const second = stream.uniform() < 0.5 ? [stream.pick([...others, ...chain.slice(0, i)])] : [];
    add([...new Set([chain[i] as string, ...second])], chain[i + 1] as string);
  }
  add([take(), stream.pick(others)], stream.pick(chain.slice(1)));
  const sources = [...others, ...chain.slice(0, depth)];
  for (let i = 0; i < Math.ceil(2.5 * depth); i++) {
    const conclusion = take();
    add([stream.pick(sources)], conclusion);
    sources.push(conclusion);
  }
  const world = {
    facts: stream.shuffled(verdict === "unknown" ? others : [start, ...others]),
    rules: stream.shuffled(rules),
    question: verdict === "no" || (verdict === "unknown" && stream.uniform() < 0.5) ? opposite(goal) : goal,
  };
  const derived = consequencesOf(world);
  return verdict === "unknown"
    ? derived.size >= 2
      ? world
      : undefined
    : derived.get(goal)?.depth === depth
      ? world
      : undefined; // a second premise may have made the chain no shorter, never longer
}

/** A world whose question is decided at exactly this depth, or would be if the chain that leads to it began in a fact. */
export function makeHorn(key: Key, depth: number, split: Split = "test"): Problem {
  const stream = random(key);
  return problemOf(until(split, canonicalQuestion, () => draw(depth, stream)));
}

interface Walked {
  readonly world: HornWorld;
  readonly known: ReadonlySet<string>;
  readonly verdict?: HornVerdict;
}

const start = (world: HornWorld): Walked => ({ world, known: new Set(world.facts) });

function step({ world, known, verdict }: Walked, line: string): Stepped<Walked> {
  if (verdict) return { why: "the question is answered already" };
  const { rules, question } = world;
  switch (line) {
    case "yes":
    case "no": {
      const literal = line === "yes" ? question : opposite(question);
      return known.has(literal) ? { state: { world, known, verdict: line } } : { why: `${literal} is not known yet` };
    }
    case "unknown": {
      if (known.has(question) || known.has(opposite(question))) return { why: "the question is decided" };
      const next = rules.findIndex(
        (rule) => !known.has(rule.conclusion) && rule.premises.every((one) => known.has(one)),
      );
      return next < 0 ? { state: { world, known, verdict: line } } : { why: `rule ${next + 1} says more` };
    }
  }
  const parts = /^([1-9]\d{0,2}):(.+)$/.exec(line);
  if (parts === null) return { why: "a step reads n:premises>conclusion, the last one yes, no or unknown" };
  const rule = rules[Number(parts[1]) - 1];
  if (!rule) return { why: `there is no rule ${parts[1]}` };
  if (parts[2] !== ruleText(rule)) return { why: `rule ${parts[1]} is ${ruleText(rule)}` };
  const missing = rule.premises.find((one) => !known.has(one));
  if (missing !== undefined) return { why: `${missing} is not known` };
  if (known.has(rule.conclusion)) return { why: `${rule.conclusion} is known already` };
  return { state: { world, known: new Set(known).add(rule.conclusion) } };
}

/** The line that applies the rule at this place, counted from 0. */
export const lineOf = ({ rules }: HornWorld, rule: number): string =>
  `${rule + 1}:${ruleText(rules[rule] as HornRule)}\n`;

const literal = /^-?[a-z]$/;

export const horn: Task = {
  name,
  title: "Do the facts and rules prove the question? A rule a line, then yes, no or unknown: a,b;a>c;b,c>-d?d",
  levels: Object.fromEntries(Object.entries(levels).map(([level, { says }]) => [level, says])),
  make(key: Key, { level = "base", split = "test" } = {}) {
    return makeHorn(key, levelOf<Level>(levels, name, level).depth, split);
  },
  parse(prompt) {
    const refuse = (why: string): SyntaxError =>
      new SyntaxError(`Cannot read ${JSON.stringify(prompt.slice(0, 60))} as a problem of ${name}: ${why}`);
    const stated = prompt.endsWith("\n") ? prompt.slice(0, -1) : prompt;
    const [theory = "", question = "", ...more] = stated.length > 2000 ? [] : stated.split("?");
    const [facts = [], ...rules] = theory.split(";").map((part) => part.split(/[,>]/));
    const texts = theory.split(";").slice(1);
    const world: HornWorld = {
      facts,
      rules: rules.map((rule) => ({ premises: rule.slice(0, -1), conclusion: rule.at(-1) as string })),
      question,
    };
    const wellFormed =
      more.length === 0 &&
      rules.length > 0 &&
      rules.every((rule) => rule.length > 1) &&
      texts.every((text, i) => text === ruleText(world.rules[i] as HornRule)) &&
      [...facts, ...rules.flat(), question].every((one) => literal.test(one)) &&
      !theory.slice(0, theory.indexOf(";")).includes(">");
    if (!wellFormed)
      throw refuse(
        "it must be facts, rules and a question, as in a,b;a>c;b,c>-d?d: letters of a..z, with - before it for its opposite",
      );
    if (new Set(facts).size < facts.length || new Set(texts).size < texts.length)
      throw refuse("no fact and no rule may be there twice");
    const long = world.rules.findIndex((_, rule) => lineOf(world, rule).length - 1 > longestStep);
    if (long >= 0) throw refuse(`rule ${long + 1} with its number has more than ${longestStep} characters`);
    const all = new Set([...facts, ...consequencesOf(world).keys()]);
    const torn = [...all].find((one) => all.has(opposite(one)));
    if (torn !== undefined) throw refuse(`both ${torn} and ${opposite(torn)} follow`);
    return problemOf(world);
  },
  check(problem, answer) {
    const { steps, state, valid } = walk(start(worldOf(problem)), answer, step);
    if (!valid) return { correct: false, evidence: `line ${steps.length}: ${steps.at(-1)?.why}`, steps };
    if (!state.verdict) return { correct: false, evidence: "the question is not answered", steps };
    return { correct: true, evidence: `every step holds: ${state.verdict}`, steps };
  },
  /** What the last line says; whether it is proved is not asked. */
  canonical(_problem, answer) {
    const end = answer.endsWith("\n") ? answer.length - 1 : answer.length;
    const last = answer.slice(answer.lastIndexOf("\n", end - 1) + 1, end);
    return last === "yes" || last === "no" || last === "unknown" ? last : undefined;
  },
  /** Among equally shallow derivations the key chooses. */
  solve(problem, key) {
    const world = worldOf(problem);
    const derived = consequencesOf(world, random(fold(key, "order")).shuffled([...world.rules.keys()]));
    const verdict = verdictOf(world);
    const goals =
      verdict === "unknown" ? [...derived.keys()] : [verdict === "yes" ? world.question : opposite(world.question)];
    const lines = new Set<string>();
    const prove = (goal: string): void => {
      const derivation = derived.get(goal);
      if (!derivation) return; // a fact
      for (const premise of (world.rules[derivation.rule] as HornRule).premises) prove(premise);
      lines.add(lineOf(world, derivation.rule));
    };
    for (const goal of goals) prove(goal);
    return `${[...lines].join("")}${verdict}\n`;
  },
  /** True steps never lead astray: what is known stays known. */
  solvable(problem, steps) {
    return whole(steps) && walk(start(worldOf(problem)), steps, step).valid;
  },
};
