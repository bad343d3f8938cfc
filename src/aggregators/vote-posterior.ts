/**
 * What votes say about the law they were drawn from: the posterior over answers, and the probability that each is the true mode,
 * the answer that would win if one voted for ever.
 *
 * Votes are independent draws from an unknown law θ over the answers seen and `unseen` more, with the prior Dirichlet(prior, …,
 * prior); given the counts c, θ is Dirichlet(c + prior), of which both are computed, without drawing.
 *
 * The true mode is not the right answer: where the model is wrong in one consistent way, this becomes certain of it.
 */
import { chanceOfMost } from "../math/dirichlet.ts";

export interface VotePosteriorOptions {
  /** Votes that each answer is worth before any was cast: 1 is uniform over laws, 0.5 is Jeffreys' prior. @default 1 */
  readonly prior?: number;
  /** Answers that nobody gave but might have; 0 where all possible ones were seen. @default 1 */
  readonly unseen?: number;
}

export interface VotePosterior {
  /** E[θ] of each answer. */
  readonly mean: readonly number[];
  /** P(this answer is the most probable one); with the unseen ones they sum to 1. */
  readonly mode: readonly number[];
}

export function votePosterior(
  votes: readonly number[],
  { prior = 1, unseen = 1 }: VotePosteriorOptions = {},
): VotePosterior {
  if (!(prior > 0 && prior < Infinity))
    throw new RangeError(`Cannot weigh votes as 'prior' must be a positive number: current value is ${prior}`);
  if (!Number.isInteger(unseen) || unseen < 0)
    throw new RangeError(`Cannot weigh votes as 'unseen' must be a whole number >= 0: current value is ${unseen}`);
  if (!votes.every((count) => count >= 0 && count < Infinity))
    throw new RangeError(`Cannot weigh votes as they must be numbers >= 0: current value is [${votes.join(", ")}]`);
  const shapes = [...votes, ...Array.from({ length: unseen }, () => 0)].map((count) => count + prior);
  const total = shapes.reduce((sum, shape) => sum + shape, 0);
  const known = new Map<number, number>(); // equal counts, equal chances
  const modeOf = (shape: number): number => {
    const chance = known.get(shape) ?? chanceOfMost(shape, without(shapes, shape));
    known.set(shape, chance);
    return chance;
  };
  const seen = shapes.slice(0, votes.length);
  return { mean: seen.map((shape) => shape / total), mode: seen.map(modeOf) };
}

/** P(the winner is the true mode), as the `confidence` of `majority`. */
export const leaderProbability =
  (options: VotePosteriorOptions = {}) =>
  (votes: readonly number[]): number =>
    votePosterior(votes, options).mode[0] as number;

function without(shapes: readonly number[], one: number): number[] {
  const at = shapes.indexOf(one);
  return shapes.filter((_, i) => i !== at);
}
