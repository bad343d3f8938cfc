/**
 * Verifiers that err at known rates, and scores with known noise: for studies of what an imperfect scorer costs a search.
 *
 * By default the error belongs to the answer: the same text of the same problem is judged the same way whenever it is asked, as
 * a unit test with a gap is wrong about the same programs each time, so that asking again does not average it out. `fresh`
 * errs anew at every question.
 */
import { fold, key } from "../key.ts";
import { type Random, random } from "../math/random.ts";
import { rankOf, type Scorer, type ScoreRequest } from "../scorer.ts";
import { boundOf, judgementOf } from "./judgement.ts";

export interface ErringOptions {
  /** Another seed errs on other answers; two scorers of one seed share their luck. @default 0 */
  readonly seed?: number;
  /** Whether each question errs anew. @default false */
  readonly fresh?: boolean;
}

export interface SimulatedOptions<S> extends ErringOptions {
  /** Gives the true verdict. */
  readonly truth: Scorer<S>;
  /** P(it accepts | right). */
  readonly truePositive: number;
  /** P(it accepts | wrong). */
  readonly falsePositive: number;
}

/** A verifier with given rates of accepting right and wrong answers. */
export function simulated<S>({ truth, truePositive, falsePositive, ...erring }: SimulatedOptions<S>): Scorer<S> {
  checkRates({ truePositive, falsePositive });
  if (truth.kind !== "verdict")
    throw new TypeError(`Cannot simulate a verifier of '${truth.name}' as it gives no verdict, but a ${truth.kind}`);
  return {
    name: `${truth.name} with true-positive rate ${truePositive}, false-positive rate ${falsePositive}${nameOf(erring)}`,
    kind: "verdict",
    bound: (node, context) => boundOf(truth, node, context),
    async score(node, request) {
      const { score, cost } = await judgementOf(truth, node, request);
      const rate = rankOf(score) === 1 ? truePositive : falsePositive;
      const correct = streamOf("simulated", request.text(node.state), request, erring).uniform() < rate;
      return { score: { kind: "verdict", correct }, cost };
    },
  };
}

export interface NoisyOptions extends ErringOptions {
  /** Standard deviation of the noise: in log-odds for probabilities, else in the score's own unit. */
  readonly sd: number;
}

/** A scorer plus normal noise; probabilities get it in log-odds, so that they stay what they are (0 and 1 stay 0 and 1). */
export function noisy<S>(scorer: Scorer<S>, { sd, ...erring }: NoisyOptions): Scorer<S> {
  if (!(sd >= 0 && sd < Infinity))
    throw new RangeError(`Cannot add noise to '${scorer.name}' as 'sd' must be a number >= 0: current value is ${sd}`);
  if (scorer.kind === "verdict")
    throw new TypeError(`Cannot add noise to '${scorer.name}' as it gives verdicts: use \`simulated\``);
  const { kind } = scorer;
  return {
    name: `${scorer.name} with noise ${sd}${nameOf(erring)}`,
    kind,
    bound: (node, context) => boundOf(scorer, node, context),
    async score(node, request) {
      const { score, cost } = await judgementOf(scorer, node, request);
      const noise = sd * streamOf("noisy", request.text(node.state), request, erring).normal();
      const value = rankOf(score);
      return {
        score: {
          kind,
          value: kind === "probability" ? movedInLogOdds(value, noise) : value + noise,
        },
        cost,
      };
    },
  };
}

/**
 * P(right | accepted) = p·tpr / (p·tpr + (1 − p)·fpr): what resampling until the verifier accepts tends to, however long it goes
 * on, where each answer is right with probability p. Undefined where nothing is ever accepted.
 * Stroebl, Kapoor & Narayanan 2024, arXiv:2411.17501, who show that over problems of mixed difficulty it is worse: the hard
 * ones are where wrong answers get through.
 */
export function verifierCeiling(rates: { p: number; truePositive: number; falsePositive: number }): number | undefined {
  checkRates(rates);
  const right = rates.p * rates.truePositive;
  const accepted = right + (1 - rates.p) * rates.falsePositive;
  return accepted > 0 ? right / accepted : undefined;
}

const movedInLogOdds = (p: number, by: number): number =>
  p === 0 || p === 1 ? p : 1 / (1 + Math.exp(-by) * (1 / p - 1));

function streamOf(
  what: string,
  text: string,
  { problem, seed: place }: Pick<ScoreRequest<never>, "problem" | "seed">,
  { seed = 0, fresh = false }: ErringOptions,
): Random {
  const study = fold(fold(fold(key(seed), what), problem.id), text);
  return random(fresh ? fold(study, place) : study);
}

const nameOf = ({ seed = 0, fresh = false }: ErringOptions): string => `, seed ${seed}${fresh ? ", fresh" : ""}`;

function checkRates(rates: Readonly<Record<string, number>>): void {
  for (const [name, rate] of Object.entries(rates))
    if (!(rate >= 0 && rate <= 1))
      throw new RangeError(`Cannot use a rate as '${name}' must be in [0, 1]: current value is ${rate}`);
}
