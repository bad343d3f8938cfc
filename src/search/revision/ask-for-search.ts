/**
 * Asking for search: one prompt that asks the model to search by itself, writing down its tries and its pick; the tries are
 * read out of the reply, become nodes of the tree, and are scored one by one.
 *
 * The cheapest search there is, and the one that proves least: the whole of it is one sample, the later tries have seen the
 * earlier ones, and nothing makes the model keep to what it wrote. So the answer is what the model picked, right or wrong, and
 * the scores of the tries say what it picked from. The prompt and its notation are of this library. Ties: none.
 * Cost: one reply; reading it is free; a score for each try.
 */
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Scorer } from "../../scorer.ts";
import type { Outcome, Search } from "../../search.ts";
import { extend, propose, score } from "../../search.ts";
import { allAffordable } from "../../program.ts";
import { complete } from "../../program.ts";
import { checkWhole } from "../../options.ts";

export interface AskForSearchOptions<S> {
  /** Writes tries and a pick; undefined: the run's own policy. */
  readonly ask: Policy<S> | undefined;
  /** Reads the tries out of a reply, by rank. */
  readonly read: Policy<S> | undefined;
  /** Which of them the reply picked; undefined: the first. */
  readonly pick: (reply: Node<S>, tries: readonly Node<S>[]) => Node<S> | undefined;
  /** Null: the tries are not scored. @default the run's scorer */
  readonly scorer?: Scorer<S> | null;
  /** Tries that are read at most. @default 17 */
  readonly most?: number;
}

export interface AskForSearchOutcome<S> extends Outcome<S> {
  /** What the model wrote; undefined where it failed. */
  readonly reply: Node<S> | undefined;
}

export function askForSearch<S>(options: AskForSearchOptions<S>): Search<S, AskForSearchOutcome<S>> {
  const { ask, read, pick, scorer, most = 17 } = options;
  checkWhole("ask-for-search", "most", most, 1);
  return {
    name: "ask-for-search",
    options: {
      ask: ask?.name ?? null,
      read: read?.name ?? null,
      scorer: scorer?.name ?? null,
      scored: scorer !== null,
      most,
    },
    *run(root) {
      const [reply] = yield* extend(root, { policy: ask });
      if (!reply) return { answer: undefined, candidates: [], reply };
      const begun = yield* extend(reply, { count: most, draw: "top", policy: read });
      const { results, spent } = yield* allAffordable(begun.map((one) => complete(one, "top", read)));
      const tries = results.filter((one) => one !== undefined);
      if (spent && tries.length === 0) throw spent;
      if (scorer !== null) yield* score(tries, { by: scorer });
      const answer = pick(reply, tries) ?? tries[0];
      if (answer) yield* propose(answer);
      return { answer, candidates: tries, reply };
    },
  };
}
