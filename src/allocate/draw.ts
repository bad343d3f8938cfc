/** What the searches of this family share: answers drawn to their end, a round at a time, and one wording for bad options. */
import type { Node } from "../node.ts";
import type { Policy } from "../policy.ts";
import type { Program } from "../search.ts";
import { all, BudgetSpent, extend } from "../search.ts";

/** Far more steps than answers have: a policy that never ends one would never let the search end. */
const mostSteps = 100_000;

/** Draws steps until the answer is done; undefined where one failed, or after 100,000 of them. */
export function* complete<S>(root: Node<S>, policy: Policy<S> | undefined): Program<S, Node<S> | undefined> {
  let node = root;
  for (let step = 0; !node.done; step++) {
    if (step === mostSteps) return undefined;
    const [next] = yield* extend(node, { policy });
    if (!next) return undefined;
    node = next;
  }
  return node;
}

/**
 * `count` answers side by side, each handed to `use` as soon as it is there. What comes back is in order of place, without those
 * that failed; `spent` is set where the budget did not reach for all.
 */
export function* drawRound<S, T>(
  root: Node<S>,
  count: number,
  policy: Policy<S> | undefined,
  use: (answer: Node<S>) => Program<S, T>,
): Program<S, { readonly drawn: readonly T[]; readonly spent: BudgetSpent | undefined }> {
  const drawn = new Map<number, T>();
  let spent: BudgetSpent | undefined;
  yield* all(
    Array.from({ length: count }, function* (_, place): Program<S, void> {
      try {
        const answer = yield* complete(root, policy);
        if (answer) drawn.set(place, yield* use(answer));
      } catch (error) {
        if (!(error instanceof BudgetSpent)) throw error;
        spent ??= error;
      }
    }),
  );
  return { drawn: [...drawn].sort(([a], [b]) => a - b).map(([, one]) => one), spent };
}

/** @throws RangeError */
export function checkWhole(what: string, name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= 100_000) return;
  throw new RangeError(
    `Cannot use ${what} as '${name}' must be a whole number in [${least}, 100000]: current value is ${value}`,
  );
}

/** `open`: the ends do not belong to it. @throws RangeError */
export function checkBetween(
  what: string,
  name: string,
  value: number,
  [low, high]: readonly [number, number],
  { open = false }: { readonly open?: boolean } = {},
): void {
  if (open ? value > low && value < high : value >= low && value <= high && Number.isFinite(value)) return;
  throw new RangeError(
    `Cannot use ${what} as '${name}' must be in ${open ? "(" : "["}${low}, ${high}${open ? ")" : "]"}: current value is ${value}`,
  );
}

/** As many labels as numbers, at least one, all numbers finite. @throws RangeError */
export function checkPairs(what: string, name: string, values: readonly number[], labels: readonly unknown[]): void {
  if (values.length === 0 || values.length !== labels.length)
    throw new RangeError(
      `Cannot use ${what} as '${name}' must not be empty and have as many entries as there are labels: ${values.length} and ${labels.length}`,
    );
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new RangeError(`Cannot use ${what} as '${name}' must be finite numbers: number ${wrong} is ${values[wrong]}`);
}
