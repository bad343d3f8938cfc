/**
 * What reasoning programs share: they put small questions to a model, one kind of question a module, and go on with what
 * the replies mean. A reply that means nothing is a failed step with a reason; the program decides how to go on without it.
 */
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Program } from "../../search.ts";
import { extend, propose } from "../../search.ts";
import { complete } from "../../program.ts";

/** One kind of question: the policy that asks it, and what a reply means. */
export interface ReasoningModule<S, Input, Output> {
  /** Names what is asked and of whom; it is among the options of a search. */
  readonly name: string;
  /** Undefined: the run's own policy. */
  ask(input: Input): Policy<S> | undefined;
  /** Never throws; in time linear in the reply. */
  read(reply: S, input: Input): Reading<Output>;
}

/** What a reply means, or why it means nothing. */
export type Reading<T> = { readonly value: T } | { readonly why: string };

/** A question that came to nothing. */
export interface FailedStep<S> {
  readonly module: string;
  /** The reply that could not be used; where there was none, the node at which it was asked. */
  readonly node: Node<S>;
  readonly why: string;
}

/** Asks once. `node` is the reply, or where it was asked if there was none; why there is no `value` is added to `failed`. */
export function* consult<S, Input, Output>(
  from: Node<S>,
  module: ReasoningModule<S, Input, Output>,
  input: Input,
  failed: FailedStep<S>[],
): Program<S, { readonly node: Node<S>; readonly value: Output | undefined }> {
  const [reply] = yield* extend(from, { policy: module.ask(input) });
  const reading = reply ? module.read(reply.state, input) : { why: "there was no reply" };
  const node = reply ?? from;
  if ("value" in reading) return { node, value: reading.value };
  failed.push({ module: module.name, node, why: reading.why });
  return { node, value: undefined };
}

/** The finished answer that a program ends with, proposed; undefined where that reply failed. */
export function* conclude<S>(from: Node<S>, policy: Policy<S> | undefined): Program<S, Node<S> | undefined> {
  const answer = yield* complete(from, "sample", policy);
  if (answer) yield* propose(answer);
  return answer;
}
