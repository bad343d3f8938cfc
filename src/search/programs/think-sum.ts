/**
 * ThinkSum: ask a model many small questions about pairs of things, side by side, and do the reasoning over the set outside
 * it, exactly.
 *
 * Ozturkler et al. 2022, arXiv:2210.01293. Think: how likely is each item, given each choice? Sum: the likelihoods of a choice
 * are combined in log space: `product`, as if the items were independent given the choice; or `mixture`, their mean, as if
 * one of the items, each as likely, were what matters. The weights of the choices are normalised to probabilities, and the
 * most probable one is the answer.
 *
 * `oddOneOut` is the product over pairs: an item is the odd one in proportion to the likelihood of all pairs without it.
 * (The paper's own prompts and aggregation differ from task to task; this one follows from the definition.)
 *
 * A prompt that lists the items depends on their order; this does not, to the last bit: sums go by size, ties by the text of
 * the choice. Pairs that could not be scored are left out, and those that were count for them. Cost: one score a pair, all at
 * once, and the answer.
 */
import { logSumExp, softmax } from "../../math/log-space.ts";
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Problem } from "../../problem.ts";
import type { Score, Scorer } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { all, score } from "../../search.ts";
import { conclude } from "./module.ts";

/** Scores how likely `item` is given `given`: a probability, a log-likelihood or a verdict. It is given the root. */
export type Associate<S> = (item: string, given: string) => Scorer<S>;

export interface ThinkSumOptions<S> {
  readonly choices: (problem: Problem) => readonly string[];
  readonly items: (problem: Problem) => readonly string[];
  readonly associate: Associate<S>;
  /** @default "product" */
  readonly sum?: "product" | "mixture";
  /** States a choice as a finished answer. */
  readonly answer: (choice: string) => Policy<S> | undefined;
}

export type OddOneOutOptions<S> = Pick<ThinkSumOptions<S>, "items" | "associate" | "answer">;

export interface WeighedChoice {
  readonly choice: string;
  /** These sum to 1. */
  readonly probability: number;
}

export interface ThinkSumOutcome<S> extends Outcome<S> {
  /** Best first; without the choices of which nothing could be scored. */
  readonly choices: readonly WeighedChoice[];
}

export function thinkSum<S>({
  choices,
  items,
  associate,
  sum = "product",
  answer,
}: ThinkSumOptions<S>): Search<S, ThinkSumOutcome<S>> {
  const combine = sum === "product" ? product : mean;
  return {
    name: "think-sum",
    options: { sum },
    *run(root, { problem }) {
      const things = items(problem);
      const asked = choices(problem).map((choice) => ({ choice, logs: [] as (number | undefined)[] }));
      yield* think(
        root,
        asked.flatMap(({ choice, logs }) => things.map((item, i) => ({ scorer: associate(item, choice), logs, i }))),
      );
      const weighed = asked.map(({ choice, logs }) => ({ choice, logWeight: combine(logs, things.length) }));
      return yield* concluded(root, weighed, answer);
    },
  };
}

/** The item that the others have least to do with. */
export function oddOneOut<S>({ items, associate, answer }: OddOneOutOptions<S>): Search<S, ThinkSumOutcome<S>> {
  return {
    name: "odd-one-out",
    options: {},
    *run(root, { problem }) {
      const things = items(problem);
      const asked = things.map((choice) => ({ choice, logs: [] as (number | undefined)[] }));
      // Both directions of every pair belong to both of its items.
      const pairs = things.flatMap((item, i) =>
        things.flatMap((given, j) =>
          i === j ? [] : [{ scorer: associate(item, given), i, j, logs: [] as (number | undefined)[] }],
        ),
      );
      yield* think(
        root,
        pairs.map(({ scorer, logs }) => ({ scorer, logs, i: 0 })),
      );
      for (const { i, j, logs } of pairs) for (const end of [i, j]) asked[end]?.logs.push(logs[0]);
      // All pairs but those of the item: the product over all, which is common to the items, less its own.
      const weighed = asked.map(({ choice, logs }) => {
        const own = product(logs, 2 * (things.length - 1));
        return { choice, logWeight: own === undefined ? undefined : -own };
      });
      return yield* concluded(root, weighed, answer);
    },
  };
}

interface Question<S> {
  readonly scorer: Scorer<S>;
  /** Where the logarithm goes. */
  readonly logs: (number | undefined)[];
  readonly i: number;
}

function* think<S>(root: Node<S>, questions: readonly Question<S>[]): Program<S, void> {
  for (const { scorer } of questions)
    if (scorer.kind === "reward")
      throw new RangeError(
        `Cannot use think-sum as 'associate' must give likelihoods or verdicts: '${scorer.name}' gives rewards, which have no scale`,
      );
  yield* all(
    questions.map(function* ({ scorer, logs, i }): Program<S, void> {
      const [judged] = yield* score([root], { by: scorer });
      logs[i] = judged && logOf(judged);
    }),
  );
}

function* concluded<S>(
  root: Node<S>,
  weighed: readonly { readonly choice: string; readonly logWeight: number | undefined }[],
  answer: (choice: string) => Policy<S> | undefined,
): Program<S, ThinkSumOutcome<S>> {
  const usable = weighed
    .flatMap(({ choice, logWeight }) => (logWeight === undefined ? [] : [{ choice, logWeight }]))
    .sort((a, b) => b.logWeight - a.logWeight || (a.choice < b.choice ? -1 : 1));
  const probabilities = probabilitiesOf(usable.map(({ logWeight }) => logWeight));
  const choices = usable.map(({ choice }, i) => ({ choice, probability: probabilities[i] as number }));
  const [best] = choices;
  const found = best && (yield* conclude(root, answer(best.choice)));
  return {
    answer: found,
    candidates: found ? [found] : [],
    ...(best && { confidence: best.probability }),
    choices,
  };
}

/** Also where some weigh infinitely much, as the odd one among pairs that cannot be: these share everything. */
function probabilitiesOf(logWeights: readonly number[]): readonly number[] {
  const most = logWeights[0] as number; // they are sorted
  if (Number.isFinite(most)) return softmax(logWeights) as number[];
  const shared = logWeights.filter((one) => one === most).length;
  return logWeights.map((one) => (one === most ? 1 / shared : 0));
}

function logOf(judged: Score): number {
  switch (judged.kind) {
    case "verdict":
      return judged.correct ? 0 : Number.NEGATIVE_INFINITY;
    case "probability":
      return Math.log(judged.value);
    default:
      return judged.value;
  }
}

/** By size, so that no sum depends on the order of the items. */
const sorted = (logs: readonly (number | undefined)[]): number[] =>
  logs.filter((one) => one !== undefined).sort((a, b) => a - b);

/** Σ logs; those that are missing are taken to be as the others are. */
function product(logs: readonly (number | undefined)[], count: number): number | undefined {
  const known = sorted(logs);
  if (known.length === 0) return undefined;
  return (known.reduce((sum, log) => sum + log, 0) * count) / known.length;
}

/** log of the mean of those that are there. */
function mean(logs: readonly (number | undefined)[]): number | undefined {
  const known = sorted(logs);
  return known.length === 0 ? undefined : logSumExp(known) - Math.log(known.length);
}
