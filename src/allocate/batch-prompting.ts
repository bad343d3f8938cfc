/**
 * Batch prompting: several questions in one call, so that instructions and examples are paid once for all of them. What a reply
 * leaves out or garbles is asked again, alone.
 *
 * Cheng et al. 2023, arXiv:2301.08721: questions and answers carry their index, as in `Q[1]` and `A[1]`. They count a question whose
 * answer cannot be read as wrong; asking again is added here. Cost in prompt tokens a question: shared / size + its own, against
 * shared + its own; a question asked again costs the latter on top. Generated tokens do not shrink.
 *
 * Pays where the shared part is long against a question, and the model is strong enough not to mix questions up. Answers can depend
 * on the place in the batch (Lin et al. 2023, arXiv:2309.00384): look at `accuracyByPlace` before a size is chosen. Not for a server
 * that caches shared prompts at little cost, nor for questions that are easier alone.
 */
import { type Interval, wilson } from "../math/intervals.ts";
import { comparePlaces, type Node } from "../node.ts";
import { checkWhole } from "../options.ts";
import type { Policy } from "../policy.ts";
import { allAffordable, complete } from "../program.ts";
import { type Outcome, type Program, propose, type Search } from "../search.ts";

export interface BatchPromptingOptions<S> {
  readonly questions: readonly string[];
  /** Questions in one call. */
  readonly size: number;
  /** Puts some questions into one call; what they share is the prompt of the run's problem. Undefined: the run's policy. */
  readonly ask: (questions: readonly string[]) => Policy<S> | undefined;
  /** The answers in a reply to so many questions, by index; undefined where there is none or it cannot be read. */
  readonly read: (reply: S, count: number) => readonly (string | undefined)[];
}

export interface BatchedAnswer {
  /** Undefined where the second reply could not be read either, or was not to be had. */
  readonly answer: string | undefined;
  /** Place in its batch, from 1. */
  readonly place: number;
  /** Whether it took a second question. */
  readonly askedAgain: boolean;
}

export interface BatchPromptingOutcome<S> extends Outcome<S> {
  /** [questions] */
  readonly answers: readonly BatchedAnswer[];
}

/** The outcome's `answer` is the first reply; the answers to the questions are in `answers`. */
export function batchPrompting<S>({
  questions,
  size,
  ask,
  read,
}: BatchPromptingOptions<S>): Search<S, BatchPromptingOutcome<S>> {
  checkWhole("batch prompting", "size", size, 1);
  checkWhole("batch prompting", "questions.length", questions.length, 1);
  const batches = Array.from({ length: Math.ceil(questions.length / size) }, (_, i) =>
    questions.slice(i * size, (i + 1) * size),
  );
  return {
    name: "batch-prompting",
    options: { questions, size },
    *run(root) {
      const replies: Node<S>[] = [];
      function* reply(asked: readonly string[]): Program<S, readonly (string | undefined)[]> {
        const node = yield* complete(root, "sample", ask(asked));
        if (!node) return [];
        replies.push(node);
        yield* propose(node);
        return read(node.state, asked.length);
      }
      const { results, spent } = yield* allAffordable(
        batches.map(function* (batch): Program<S, BatchedAnswer[]> {
          const first = yield* reply(batch);
          const { results: second } = yield* allAffordable(
            batch.map(function* (question, i): Program<S, string | undefined> {
              return first[i] ?? (yield* reply([question]))[0];
            }),
          );
          return batch.map((_, i) => ({ answer: second[i], place: i + 1, askedAgain: first[i] === undefined }));
        }),
      );
      if (spent && replies.length === 0) throw spent;
      replies.sort((a, b) => comparePlaces(a.id, b.id)); // not as they happened to come
      const none = (batch: readonly string[]): BatchedAnswer[] =>
        batch.map((_, i) => ({ answer: undefined, place: i + 1, askedAgain: false }));
      return {
        answer: replies[0],
        candidates: replies,
        answers: batches.flatMap((batch, i) => results[i] ?? none(batch)),
      };
    },
  };
}

export interface PlaceAccuracy extends Interval {
  readonly place: number;
  readonly right: number;
  readonly of: number;
}

/** Right answers by place in the batch, with Wilson's interval for each: whether it matters where a question stands. */
export function accuracyByPlace(
  answers: readonly { readonly place: number; readonly right: boolean }[],
  { level = 0.95 }: { /** @default 0.95 */ readonly level?: number } = {},
): PlaceAccuracy[] {
  const places = [...new Set(answers.map(({ place }) => place))].sort((a, b) => a - b);
  return places.map((place) => {
    const here = answers.filter((one) => one.place === place);
    const right = here.filter((one) => one.right).length;
    return { place, right, of: here.length, ...wilson(right, here.length, { level }) };
  });
}
