/**
 * Plain sampling: n independent draws, each from the root to its end, and no choice among them: the answer is the first.
 *
 * The baseline that every other method is compared with, and the pool that pass@k is estimated from.
 * `greedy` is its deterministic sibling: the most probable step at every step (ties: the lowest token id), which is not
 * the most probable answer; see `mostLikely`. Cost: n answers. Source: MIT 6.7960 lecture 24 (Fall 2024), "inference".
 */
import type { Policy } from "../../policy.ts";
import type { Search } from "../../search.ts";
import { propose } from "../../search.ts";
import { complete } from "../../program.ts";
import { drawAnswers } from "../draw.ts";
import { checkWhole } from "../../options.ts";

export interface SampleOptions<S> {
  /** Number of answers. @default 1 */
  readonly n?: number;
  readonly policy?: Policy<S>;
}

export function sample<S>({ n = 1, policy }: SampleOptions<S> = {}): Search<S> {
  checkWhole("sample", "n", n, 1);
  return {
    name: "sample",
    options: { n, policy: policy?.name ?? null },
    *run(root) {
      const candidates = yield* drawAnswers(root, n, policy, propose);
      return { answer: candidates[0], candidates };
    },
  };
}

/** The most probable step, again and again: the argmax at every token where the policy's step is a token or a whole answer. */
export function greedy<S>(): Search<S> {
  return {
    name: "greedy",
    options: {},
    *run(root) {
      const answer = yield* complete(root, "top");
      if (answer) yield* propose(answer);
      return { answer, candidates: answer ? [answer] : [] };
    },
  };
}
