/** What particle methods answer: weighted candidates, and the answer among them. */
import type { Node } from "../../node.ts";
import { comparePlaces } from "../../node.ts";
import type { Outcome } from "../../search.ts";
import type { StepReport } from "./sweep.ts";

export interface ParticleOutcome<S> extends Outcome<S> {
  /** [candidates] normalised weights; all 0 where no answer weighs anything. */
  readonly weights: readonly number[];
  /**
   * Estimate of log Z, the log of the mean weight that the policy's own answers would have; exp of it is unbiased.
   * -Infinity where all weigh nothing, undefined where no particle came to its end.
   */
  readonly logZ: number | undefined;
  /** Step by step, of the last sweep where there are many. */
  readonly steps: readonly StepReport[];
  /** Particles that failed, could not be scored or could not be afforded; see the search for what that does to the estimates. */
  readonly lost: number;
}

/**
 * The answer whose canonical form has most weight, and of its nodes the heaviest; where `canonical` is absent each node
 * stands for itself, and what has no canonical form is chosen only where nothing has one. Ties: the earlier place.
 */
export function weighted<S>(
  weightOf: ReadonlyMap<Node<S>, number>,
  canonical: ((node: Node<S>) => string | undefined) | undefined,
  fallback: Node<S> | undefined,
): Pick<ParticleOutcome<S>, "answer" | "confidence" | "candidates" | "weights"> {
  const ranked = [...weightOf].sort(([a, x], [b, y]) => y - x || comparePlaces(a.id, b.id));
  const candidates = ranked.map(([node]) => node);
  const weights = ranked.map(([, weight]) => weight);
  if (!ranked.some(([, weight]) => weight > 0)) return { answer: fallback ?? candidates[0], candidates, weights };

  const masses = new Map<string, { first: Node<S>; mass: number }>();
  for (const [node, weight] of ranked) {
    const form = canonical ? canonical(node) : node.id;
    if (form === undefined) continue;
    const known = masses.get(form);
    if (known) known.mass += weight;
    else masses.set(form, { first: node, mass: weight });
  }
  let best: { first: Node<S>; mass: number } | undefined;
  for (const one of masses.values()) if (!best || one.mass > best.mass) best = one;
  if (!best) return { answer: candidates[0], candidates, weights };
  return { answer: best.first, ...(canonical && { confidence: Math.min(1, best.mass) }), candidates, weights };
}
