/** Pools of finished answers for aggregators, which need no run. */
import { random } from "../../src/math/random.ts";
import type { Node } from "../../src/node.ts";
import type { Score } from "../../src/scorer.ts";
import type { SimulatedReply, SimulatedState } from "../../src/testing/simulated-solver.ts";

/** The answer drawn at a place. */
export function drawnAt<S>(place: number, state: S, known: { score?: Score; logProb?: number } = {}): Node<S> {
  const { score, logProb = 0 } = known;
  return {
    id: `0.${place}.0#0`,
    parent: undefined,
    state,
    depth: 1,
    logProb,
    logProposal: logProb,
    totalLogProb: logProb,
    length: 1,
    done: true,
    failure: undefined,
    score,
  };
}

/** n independent draws from a law. */
export function drawnFrom(law: readonly SimulatedReply[], n: number, seed: number): Node<SimulatedState>[] {
  const stream = random(seed);
  const weights = law.map(({ probability }) => probability);
  return Array.from({ length: n }, (_, place) => {
    const { answer, chain = answer, probability } = law[stream.weighted(weights)] as SimulatedReply;
    return drawnAt(place, { answer, chain }, { logProb: Math.log(probability) });
  });
}

export const answerOf = ({ state }: Node<SimulatedState>): string => state.answer;
