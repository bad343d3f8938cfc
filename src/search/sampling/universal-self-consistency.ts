/**
 * Universal self-consistency: draws n answers, shows them all, and asks which agrees best with the others; that one is the answer.
 * A vote for answers that cannot be compared by a program.
 *
 * Chen et al. 2023, "Universal Self-Consistency for Large Language Model Generation", arXiv:2311.17311. The choice is one more reply,
 * which names a number. A reply that names none falls back to the first answer drawn, and `fellBack` says why. Answers are
 * shown in order of place; judges have a liking for places, so a choice by a narrow margin means little. Cost: n answers and one
 * reply with all of them in the prompt. When not: where answers can be compared, a vote is as good and free; and beyond some twenty
 * answers, or what the model's context holds.
 */
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Outcome, Search } from "../../search.ts";
import { extend, propose } from "../../search.ts";
import { affordable } from "../../program.ts";
import { drawAnswers } from "../draw.ts";
import { checkWhole } from "../../options.ts";

export interface UniversalSelfConsistencyOptions<S> {
  /** Asks which answer agrees best with the others: `chooseByPrompt(model)`. Undefined: the run's own policy. */
  readonly choose: (answers: readonly Node<S>[]) => Policy<S> | undefined;
  /** The place in the list that a reply names, counted from 0; undefined where it names none. */
  readonly read: (reply: Node<S>, count: number) => number | undefined;
  /** Answers. @default 8 */
  readonly n?: number;
  /** Makes the answers. @default the run's policy */
  readonly policy?: Policy<S>;
}

export interface UniversalSelfConsistencyOutcome<S> extends Outcome<S> {
  /** What the model said; undefined where it could not be asked. */
  readonly reply: Node<S> | undefined;
  /** Set where the answer is just the first drawn: the reply named none, or there was none. */
  readonly fellBack?: "unreadable" | "no reply";
}

export function universalSelfConsistency<S>({
  choose,
  read,
  n = 8,
  policy,
}: UniversalSelfConsistencyOptions<S>): Search<S, UniversalSelfConsistencyOutcome<S>> {
  checkWhole("universal-self-consistency", "n", n, 1);
  return {
    name: "universal-self-consistency",
    options: { n, policy: policy?.name ?? null },
    *run(root) {
      const drawn = yield* drawAnswers(root, n, policy, (answer) => propose(answer)); // equal values: the earliest leads
      if (drawn.length < 2) return { answer: drawn[0], candidates: drawn, reply: undefined };
      const { result: [reply] = [] } = yield* affordable(extend(root, { policy: choose(drawn) }));
      const place = reply && read(reply, drawn.length);
      const chosen = place === undefined ? undefined : drawn[place];
      if (chosen) yield* propose(chosen, 1);
      return {
        answer: chosen ?? drawn[0],
        candidates: drawn,
        reply,
        ...(!chosen && { fellBack: reply ? ("unreadable" as const) : ("no reply" as const) }),
      };
    },
  };
}
