/** Searches over tabular models, whose every text and probability is known. */
import type { TabularModel } from "../../src/models/tabular.ts";
import type { TextOptions, TextState } from "../../src/policies/text.ts";
import { text } from "../../src/policies/text.ts";
import type { Result, RunOptions } from "../../src/run.ts";
import { run } from "../../src/run.ts";
import type { Outcome, Search } from "../../src/search.ts";

const problem = { id: "tabular", prompt: "" };

/** `step` is "token" by default, so that a search sees every one of them. */
export async function solve<O extends Outcome<TextState>>(
  model: TabularModel,
  search: Search<TextState, O>,
  { step = "token", ...options }: Partial<RunOptions<TextState>> & Pick<TextOptions, "step"> = {},
): Promise<Result<TextState, O>> {
  return await run(search, problem, { policy: text(model, { step, maxAnswerTokens: 100 }), ...options });
}

/** log p of each text of a model, in nats. */
export const lawOf = (model: TabularModel): Map<string, number> =>
  new Map(model.enumerate("").map((one) => [one.text, one.logProb]));
