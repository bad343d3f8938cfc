/**
 * Progressive hints: the answers so far are hints in the next prompt, until two answers in a row agree.
 *
 * Zheng et al. 2023, "Progressive-Hint Prompting Improves Reasoning in Large Language Models", arXiv:2304.09797: a base
 * answer, then prompts that say which answers came before; the answer on which it settles is the answer. Equal hints are
 * given once here. Agreement is that of `canonical`: an answer that cannot be read agrees with none and is no hint. A reply
 * that failed is passed over. If none agree within `rounds`, the last readable answer is taken, as `settled` tells.
 * Cost: two to `rounds` answers, one after the other. Agreeing with one's own hint is no proof: for answers with a checker
 * there are better methods.
 */
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Outcome, Search } from "../../search.ts";
import { BudgetSpent, propose } from "../../search.ts";
import { complete } from "../../program.ts";
import { redraw } from "../judged.ts";
import { checkWhole } from "../../options.ts";

export interface HintsOptions<S> {
  /** The form in which answers are compared, and given as hints; undefined where one cannot be read. */
  readonly canonical: (answer: Node<S>) => string | undefined;
  /** Answers with the hints in the prompt, the oldest first, each once; undefined: the run's own policy. */
  readonly hinted: (hints: readonly string[]) => Policy<S> | undefined;
  /** Answers at most. @default 8 */
  readonly rounds?: number;
  /** Makes the base answer. @default the run's policy */
  readonly policy?: Policy<S>;
}

export interface HintsOutcome<S> extends Outcome<S> {
  readonly hints: readonly string[];
  /** Whether it ended as two answers in a row agreed. */
  readonly settled: boolean;
}

export function hints<S>({ canonical, hinted, rounds = 8, policy }: HintsOptions<S>): Search<S, HintsOutcome<S>> {
  checkWhole("hints", "rounds", rounds, 1);
  return {
    name: "hints",
    options: { rounds, policy: policy?.name ?? null },
    *run(root) {
      const answers: Node<S>[] = [];
      const given = new Set<string>();
      let readable: Node<S> | undefined;
      let last: string | undefined;
      let settled = false;
      try {
        for (let round = 0; round < rounds && !settled; round++) {
          const answer =
            given.size === 0 ? yield* complete(root, "sample", policy) : yield* redraw(root, hinted([...given]));
          if (!answer) continue;
          answers.push(answer);
          const form = canonical(answer);
          settled = form !== undefined && form === last;
          last = form;
          if (form === undefined) continue;
          given.add(form);
          readable = answer;
          yield* propose(answer, round);
        }
      } catch (error) {
        if (!(error instanceof BudgetSpent) || answers.length === 0) throw error;
      }
      return { answer: readable ?? answers[0], candidates: answers.toReversed(), hints: [...given], settled };
    },
  };
}
