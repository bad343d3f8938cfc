/** The scorers that the command line knows by name. */
import { Failed } from "../errors.ts";
import type { TextState } from "../policies/text.ts";
import type { Scorer } from "../scorer.ts";
import { likelihood } from "../scorers/likelihood.ts";
import { pTrue } from "../scorers/p-true.ts";
import { rubric } from "../scorers/rubric.ts";
import { valueToken } from "../scorers/value-token.ts";
import { verifier } from "../scorers/verifier.ts";
import { type MethodContext, type MethodOption, needNextTokens, unsupported, withoutLogProbs } from "./method.ts";

const scorers = {
  verifier: "the checker: a task's re-executes every step, that of a file knows the reference",
  likelihood: "the model's log-probability of the whole answer; prefers short ones",
  "likelihood-per-token": "the same, per token; prefers long and repetitive ones",
  "value-token": "the model's own guess whether it is on the way to a right answer; flawed by nature",
  "p-true": "how surely the model says that the proposed answer is true; instruct models",
  rubric: "a grade with a critique, by the model itself; instruct models",
} as const;

export type ScorerName = keyof typeof scorers;

export const scorerOption = (doc: string, ...names: ScorerName[]): MethodOption => ({
  name: "scorer",
  type: "choice",
  choices: Object.fromEntries(names.map((name) => [name, scorers[name]])),
  doc,
});

/** @throws Failed `unsupported` where the model or the problem lacks what the scorer needs */
export function scorerNamed(name: ScorerName, method: string, { model, checker }: MethodContext): Scorer<TextState> {
  switch (name) {
    case "verifier":
      if (!checker)
        throw new Failed(
          "unsupported",
          `${method} by verifier needs a task with a checker, which free text has not: give --task, or --scorer likelihood-per-token`,
        );
      return verifier(checker);
    case "likelihood":
    case "likelihood-per-token":
      if (!model.capabilities.logProbs) throw withoutLogProbs(`${method} by ${name}`, model);
      return likelihood({ per: name === "likelihood" ? "sequence" : "token" });
    case "value-token":
      needNextTokens(model, `${method} by value-token`, "use --scorer verifier or likelihood, or a local model");
      return valueToken(model);
    case "p-true":
    case "rubric":
      if (!model.capabilities.messages)
        throw unsupported(
          `${method} by ${name}`,
          "answers to instructions",
          model,
          "use --scorer verifier or likelihood, or an instruct model",
        );
      return name === "rubric" ? rubric(model) : pTrue(model);
  }
}
