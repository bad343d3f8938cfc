/**
 * One sweep of particles from the root to their ends: grow, weigh, resample, again and again. Shared by the particle filter,
 * which makes one, and particle Gibbs, which makes many and holds one path fixed.
 */
import type { Key } from "../../key.ts";
import { fold } from "../../key.ts";
import { random } from "../../math/random.ts";
import type { Resample } from "../../math/resampling.ts";
import { multinomial } from "../../math/resampling.ts";
import { comparePlaces, type Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import { rankOf } from "../../scorer.ts";
import type { Program } from "../../search.ts";
import { all, BudgetSpent, extend, propose, score } from "../../search.ts";
import { resampled, spreadOf } from "./population.ts";
import type { Potential } from "./potential.ts";

/** What the particles are weighed by. Shared by all particle methods. */
export interface TargetOptions<S> {
  /** Weighs partial answers, and finished ones too unless `lookahead`. Absent: the policy's own law. */
  readonly potential?: Potential<S>;
  /** Weighs finished answers, on top of `potential`. */
  readonly terminal?: Potential<S>;
  /**
   * `telescope`: the potential Φ of a partial answer stands for the whole of it; each step multiplies the weight by
   * Φ(now) / Φ(before), from 1 at the root, so that an answer ends with exactly Φ(answer). `multiply`: each step multiplies it
   * by the potential of what is there, so that an answer ends with the product over its steps.
   * @default "telescope"
   */
  readonly accumulate?: "telescope" | "multiply";
  /**
   * The potential only guides: what it has put into the weight is taken out when the answer ends, so that the target is
   * the policy's law times `terminal`, however wrong the potential is (twisting).
   * @default false
   */
  readonly lookahead?: boolean;
  /**
   * The power of the potential at each step, of unfinished answers alone; a number n stands for min(1, step / n). Finished
   * answers bear the whole potential, so the target stays the same.
   */
  readonly temper?: number | ((step: number) => number);
  /** Adds log p - log q of each step where the policy samples from another law q than its model's own, p. @default false */
  readonly correct?: boolean;
  /** Answers that were cut off, as by a limit of length: they weigh 0. Absent: they are answers like others. */
  readonly isCut?: (state: S) => boolean;
  /** @default the run's */
  readonly policy?: Policy<S>;
  /** @default 1000 */
  readonly maxSteps?: number;
}

export interface Sweeping<S> extends TargetOptions<S> {
  readonly particles: number;
  readonly resample: Resample;
  readonly threshold: number;
  readonly anneal?: Anneal | undefined;
  readonly reweighFinished?: boolean;
  readonly transition?: ((from: S, to: S) => number) | undefined;
}

/** The temperature of a resampling law, at least 1, given how the weights are spread. */
export type Anneal = (spread: {
  readonly step: number;
  /** Effective sample size over the number of particles. */
  readonly effective: number;
  /** Of the normalised weights, over that of uniform ones. */
  readonly entropy: number;
}) => number;

/** A step as it was drawn and judged, apart from what came before it. */
export interface Step<S> {
  readonly node: Node<S>;
  /** log potential of the node; 0 where none was asked for. */
  readonly log: number;
  /** log of what weighs the answer at its end; 0 while it goes on. */
  readonly terminal: number;
}

/** Steps of a particle, the latest first. After ancestor sampling it is not the path in the tree. */
export interface Trail<S> {
  readonly step: Step<S>;
  readonly before: Trail<S> | undefined;
}

export interface Particle<S> {
  readonly node: Node<S>;
  readonly trail: Trail<S> | undefined;
  /** log of the potential that its target holds so far, before tempering. */
  readonly value: number;
  readonly logWeight: number;
}

export interface StepReport {
  /** Effective sample size over the number of particles, before resampling. */
  readonly effective: number;
  readonly resampled: boolean;
  readonly finished: number;
}

export interface Sweep<S> {
  readonly cloud: readonly Particle<S>[];
  /** [cloud] normalised; all 0 where no answer weighs anything. */
  readonly weights: Float64Array;
  readonly logZ: number;
  readonly steps: readonly StepReport[];
  /** Particles that failed, could not be scored, or could not be afforded. */
  readonly lost: number;
  /** For when no particle is left: the best finished answer of all, or one that nothing is known about. */
  readonly fallback: Node<S> | undefined;
}

export interface Weighing<S> {
  /** The power of the potential at a step. */
  power(step: number): number;
  /** A particle one step on; `time` counts from 1. */
  advance(from: Particle<S>, step: Step<S>, time: number): Particle<S>;
}

/** How weights follow from steps: the definition of the target. */
export function weighing<S>({ accumulate, lookahead, temper, correct = false }: TargetOptions<S>): Weighing<S> {
  const power = typeof temper === "function" ? temper : (step: number) => (temper ? Math.min(1, step / temper) : 1);

  function valueAfter(before: number, { node, log }: Step<S>): number {
    if (node.done && lookahead) return 0;
    return accumulate === "multiply" ? before + log : log;
  }

  return {
    power,
    advance(from, step, time) {
      const { node } = step;
      const value = valueAfter(from.value, step);
      let increment = times(node.done ? 1 : power(time), value) - times(time > 1 ? power(time - 1) : 0, from.value);
      increment += step.terminal;
      if (correct) increment += node.logProb - node.logProposal;
      if (Number.isNaN(increment))
        throw new RangeError(
          correct && Number.isNaN(node.logProb - node.logProposal)
            ? "Cannot correct for the law that was sampled from as the policy does not tell its log-probabilities: leave out 'correct', or use a model that tells them"
            : "Cannot weigh a particle as its potential is not a number, or infinite where it must be finite",
        );
      return { node, trail: { step, before: from.trail }, value, logWeight: from.logWeight + increment };
    },
  };
}

const times = (power: number, log: number): number => (power === 0 ? 0 : power * log); // 0 × -Infinity is 0 here

/** Nothing can be made of a particle that is finished, or that weighs nothing. */
const isOpen = <S>({ node, logWeight }: Particle<S>): boolean => !node.done && logWeight > Number.NEGATIVE_INFINITY;

/** Scores children that grew from one node; undefined for those that could not be scored. */
export function* judge<S>(
  children: readonly Node<S>[],
  { potential, terminal, lookahead, isCut }: TargetOptions<S>,
): Program<S, (Step<S> | undefined)[]> {
  const logs = new Map<Node<S>, number>();
  const ends = new Map<Node<S>, number>();
  const cut = new Set(children.filter((node) => node.done && isCut?.(node.state)));
  function* ask(nodes: Node<S>[], by: Potential<S>, into: Map<Node<S>, number>): Program<S, void> {
    if (nodes.length === 0) return;
    const scores = yield* score(nodes, { by: by.scorer });
    for (const [i, given] of scores.entries())
      if (given) into.set(nodes[i] as Node<S>, by.map.logWeight(rankOf(given)));
  }
  const guided = (node: Node<S>) => potential !== undefined && !(node.done && lookahead);
  if (potential)
    yield* ask(
      children.filter((node) => guided(node) && !cut.has(node)),
      potential,
      logs,
    );
  const ended = children.filter((node) => node.done && !cut.has(node) && logs.get(node) !== Number.NEGATIVE_INFINITY);
  if (terminal) yield* ask(ended, terminal, ends);
  return children.map((node) => {
    if (cut.has(node)) return { node, log: 0, terminal: Number.NEGATIVE_INFINITY };
    const log = guided(node) ? logs.get(node) : 0;
    const end = terminal && node.done && log !== Number.NEGATIVE_INFINITY ? ends.get(node) : 0;
    return log === undefined || end === undefined ? undefined : { node, log, terminal: end };
  });
}

const isEarlier = <S>(a: Node<S>, b: Node<S>): boolean => comparePlaces(a.id, b.id) < 0;

/** Keeps the best finished answer of all, for whoever asks before the end, and for when nothing is left at the end. */
export class Seen<S> {
  #best: { node: Node<S>; value: number } | undefined;
  #unknown: Node<S> | undefined;

  *see(steps: readonly (Step<S> | undefined)[], children: readonly Node<S>[]): Program<S, void> {
    for (const [i, node] of children.entries()) {
      const step = steps[i];
      if (!node.done) continue;
      if (!step) {
        if (!this.#unknown || isEarlier(node, this.#unknown)) this.#unknown = node;
        continue;
      }
      const value = step.log + step.terminal;
      const best = this.#best;
      // Particles end in the order of the weather: among equals the earlier place, not the first to come.
      if (!best || value > best.value || (value === best.value && isEarlier(node, best.node)))
        this.#best = { node, value };
      yield* propose(node, value);
    }
  }

  get fallback(): Node<S> | undefined {
    return this.#best?.node ?? this.#unknown;
  }
}

/**
 * With `retained`, a conditional sweep: particle 0 takes these steps again, at no cost, and survives every resampling.
 * @throws BudgetSpent where not one particle could be afforded to its end
 */
export function* sweep<S>(
  root: Node<S>,
  settings: Sweeping<S>,
  key: Key,
  retained?: readonly Step<S>[],
): Program<S, Sweep<S>> {
  const { particles, resample, threshold, anneal, reweighFinished, policy, maxSteps = 1000, transition } = settings;
  const { advance, power } = weighing(settings);
  const guide = retained ? 1 : 0; // the first that are not drawn
  const seen = new Seen<S>();
  const steps: StepReport[] = [];
  let spent: BudgetSpent | undefined;
  let lost = 0;
  let cloud = Array.from(
    { length: particles },
    (): Particle<S> => ({ node: root, trail: undefined, value: 0, logWeight: 0 }),
  );
  let logWeights = new Float64Array(particles);
  let weights = new Float64Array(particles);
  let spread = spreadOf(logWeights, weights);

  /** Particles at one node are alike: they came from one ancestor. So its children are drawn in one request. */
  function* grow(group: readonly Particle<S>[], time: number): Program<S, Particle<S>[]> {
    const from = group[0] as Particle<S>;
    try {
      const children = yield* extend(from.node, { count: group.length, policy });
      const judged = yield* judge(children, settings);
      yield* seen.see(judged, children);
      return judged.flatMap((step) => (step ? [advance(from, step, time)] : []));
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error;
      spent ??= error;
      return [];
    }
  }

  for (let time = 1; time <= maxSteps && cloud.some(isOpen); time++) {
    const next = retained?.[time - 1];
    const groups = new Map<Node<S>, Particle<S>[]>();
    for (const particle of cloud.slice(guide)) {
      if (!isOpen(particle)) continue;
      const group = groups.get(particle.node);
      if (group) group.push(particle);
      else groups.set(particle.node, [particle]);
    }
    const grown = yield* all([...groups.values()].map((group) => grow(group, time)));
    const moved: Particle<S>[] = [];
    if (guide) moved.push(next ? advance(cloud[0] as Particle<S>, next, time) : (cloud[0] as Particle<S>));
    for (const particle of cloud.slice(guide)) {
      if (isOpen(particle)) continue;
      // Finished answers keep their weight, unless they are to be weighed at every step like the others.
      const log = reweighFinished && particle.node.done ? (particle.trail?.step.log ?? 0) : 0;
      moved.push(log === 0 ? particle : { ...particle, logWeight: particle.logWeight + log });
    }
    const [asked, kept] = [cloud.length - moved.length, moved.length];
    for (const group of grown) moved.push(...group);
    lost += cloud.length - moved.length;
    cloud = asked + kept === moved.length ? moved : rebalanced(moved, kept, asked);
    logWeights = Float64Array.from(cloud, ({ logWeight }) => logWeight);
    weights = new Float64Array(cloud.length);
    spread = spreadOf(logWeights, weights);

    const effective = spread.effective / particles;
    const due = cloud.some(isOpen) && (threshold >= 1 || effective < threshold);
    steps.push({ effective, resampled: due, finished: cloud.filter(({ node }) => node.done).length });
    if (!due) continue;
    const temperature = anneal ? Math.max(1, anneal({ step: time, effective, entropy: spread.entropy })) : 1;
    const stream = random(fold(key, time));
    const offspring = resampled(logWeights, {
      count: particles - guide,
      resample: guide ? multinomial : resample,
      random: stream,
      temperature,
    });
    const children = Array.from(
      offspring.ancestors,
      (ancestor, i): Particle<S> => ({
        ...(cloud[ancestor] as Particle<S>),
        logWeight: offspring.logWeights[i] as number,
      }),
    );
    if (guide) {
      const following = retained?.[time];
      const ancestor =
        following && transition
          ? sampleAncestor(cloud, following, stream, transition, power(time), settings)
          : (cloud[0] as Particle<S>);
      children.unshift({ ...ancestor, logWeight: spread.logMean });
    }
    cloud = children;
  }

  if (spent && !seen.fallback) throw spent; // not one answer
  // What is still open after the last step is no answer: it counts, and weighs nothing.
  logWeights = Float64Array.from(cloud, ({ node, logWeight }) => (node.done ? logWeight : Number.NEGATIVE_INFINITY));
  weights = new Float64Array(cloud.length);
  return { cloud, weights, logZ: spreadOf(logWeights, weights).logMean, steps, lost, fallback: seen.fallback };
}

/**
 * What is lost was one of those that were asked for a step, so its weight goes to the others of them, in expectation: their
 * sum is scaled to stand for all that were asked. The mean is then over fewer particles.
 */
function rebalanced<S>(cloud: readonly Particle<S>[], kept: number, asked: number): Particle<S>[] {
  const fewer = Math.log(cloud.length / (kept + asked));
  const standFor = Math.log(asked / (cloud.length - kept));
  return cloud.map((particle, i) => ({
    ...particle,
    logWeight: particle.logWeight + fewer + (i < kept ? 0 : standFor),
  }));
}

/**
 * A new past for the retained future, drawn in proportion to the weight that the whole would have. Where the state is all
 * that matters, the future's own part is the same for every past; only the next transition and what the potential has put
 * into the weight so far differ. Lindsten, Jordan & Schön 2014, arXiv:1401.0604.
 */
function sampleAncestor<S>(
  cloud: readonly Particle<S>[],
  next: Step<S>,
  stream: ReturnType<typeof random>,
  transition: (from: S, to: S) => number,
  power: number,
  { accumulate, lookahead }: TargetOptions<S>,
): Particle<S> {
  const share = accumulate === "multiply" && !lookahead ? 1 - power : -power;
  const logs = Float64Array.from(cloud, (particle) =>
    isOpen(particle)
      ? particle.logWeight + times(share, particle.value) + transition(particle.node.state, next.node.state)
      : Number.NEGATIVE_INFINITY,
  );
  const weights = new Float64Array(cloud.length);
  spreadOf(logs, weights);
  return cloud[stream.weighted(weights)] as Particle<S>;
}
