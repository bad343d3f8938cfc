/** Simulated models for programs that reason: each reply is computed, with mistakes at a known rate; a call costs 1. */
import { cost } from "../../src/budget.ts";
import { random, type Random } from "../../src/math/random.ts";
import type { Policy } from "../../src/policy.ts";
import type { ReasoningModule } from "../../src/search/programs/module.ts";
import { consequencesOf, type HornRule, type HornWorld, opposite, ruleText } from "../../src/tasks/horn.ts";

/** Its states are the replies alone. */
export function simulated(
  name: string,
  reply: (stream: Random) => string,
  { done = false, calls = 1 }: { readonly done?: boolean; readonly calls?: number } = {},
): Policy<string> {
  return {
    name,
    root: () => "",
    text: (state) => state,
    bound: () => cost({ calls }),
    async *extend(_, { seeds }) {
      for (const [index, seed] of seeds.entries())
        yield {
          type: "extension",
          index,
          extension: {
            state: reply(random(seed)),
            done,
            logProb: 0,
            logProposal: 0,
            length: 1,
            cost: cost({ calls }),
          },
        };
    },
  };
}

/** The model says what `think` returns, as JSON; the reader believes it. */
export function exactly<Input, Output>(
  name: string,
  think: (input: Input, stream: Random) => Output,
): ReasoningModule<string, Input, Output> {
  return {
    name,
    ask: (input) => simulated(name, (stream) => JSON.stringify(think(input, stream))),
    read: (reply) => ({ value: JSON.parse(reply) as Output }),
  };
}

/** An answer that is stated without a call. */
export const stated = (text: string): Policy<string> => simulated("stated", () => text, { done: true, calls: 0 });

export const statementsOf = ({ facts, rules }: HornWorld): string[] => [...facts, ...rules.map(ruleText)];

/** Rules whose premises are among the statements and whose conclusion is not, in order of the world. */
export const applicable = ({ rules }: HornWorld, known: readonly string[]): number[] =>
  [...rules.keys()].filter((i) => {
    const { premises, conclusion } = rules[i] as HornRule;
    return !known.includes(conclusion) && premises.every((one) => known.includes(one));
  });

/** The places of a rule and its premises among the statements. */
export const placesOf = ({ facts, rules }: HornWorld, rule: number, known: readonly string[]): number[] => [
  facts.length + rule,
  ...(rules[rule] as HornRule).premises.map((one) => known.indexOf(one)),
];

/** The rules of a proof of the question or of its opposite, premises first; none where nothing follows. */
export function proofOf(world: HornWorld): number[] {
  const derived = consequencesOf(world);
  const rules: number[] = [];
  const prove = (literal: string): void => {
    const derivation = derived.get(literal);
    if (!derivation || rules.includes(derivation.rule)) return;
    for (const premise of (world.rules[derivation.rule] as HornRule).premises) prove(premise);
    rules.push(derivation.rule);
  };
  prove(derived.has(world.question) ? world.question : opposite(world.question));
  return rules;
}
