/** What is compared: methods of the table in the compact form of `methods/compact.ts`, and methods that an evaluation brings. */
import type { Budget } from "../budget.ts";
import { methodOf, type SetMethod } from "../methods/compact.ts";
import type { MethodContext } from "../methods.ts";
import type { Model } from "../model.ts";
import type { TextState } from "../policies/text.ts";
import type { Policy } from "../policy.ts";
import type { Scorer } from "../scorer.ts";
import type { Search } from "../search.ts";

/** What `run` needs of a method that is no entry of the table. */
export interface MadeContender {
  readonly search: Search<TextState>;
  readonly policy: Policy<TextState>;
  readonly scorer?: Scorer<TextState> | undefined;
}

export type Contender =
  | SetMethod
  | { readonly label: string; readonly make: (context: MethodContext) => MadeContender };

/** Of answers of a method that draws until the budget ends it: more is never asked for. */
const mostDrawn = 1000;

/**
 * The baselines that are always compared with: one sample, and a majority and a best of as many as the budget affords. One
 * whose method is listed already is not added.
 */
export function missingBaselines(
  contenders: readonly Contender[],
  budgets: readonly Budget[],
  { price }: Pick<Model, "price">,
): Contender[] {
  const isFree = (price?.dollarsPerToken ?? 0) === 0;
  const isLimited = budgets.every(({ tokens, calls, dollars, seconds }) =>
    [tokens, calls, isFree ? undefined : dollars, seconds].some((limit) => limit !== undefined),
  );
  const n = isLimited ? mostDrawn : 16;
  const listed = new Set(contenders.map((one) => ("method" in one ? one.method.name : undefined)));
  return [["sample", { n: 1 }] as const, ["majority", { n }] as const, ["best-of-n", { n }] as const].flatMap(
    ([name, settings]) => (listed.has(name) ? [] : [methodOf(name, settings)]),
  );
}
