/**
 * SMC steering: particles are grown into several children each, equal ones are merged, and `particles` of them are kept
 * without replacement, with weights that are right on average. No particle is there twice, so that none is wasted on copies.
 *
 * Lew et al. 2023, arXiv:2306.03081, whose resampling without replacement is that of Fearnhead & Clifford 2003. Here the
 * children of one round are `factor` × `particles` in all, shared equally by the particles that are still open, so that few
 * of them grow more each; merging needs `distinct`. The target and its options are those of the particle filter, and so are
 * the weights: sums over the population are unbiased for it, Z's estimate with them.
 *
 * `sample`: children are drawn, each bears its share of the parent's weight. `top`: the most probable steps without chance,
 * each bears its probability under the model; nothing is drawn but by the resampling. That is proper only where `factor` ×
 * `particles` covers all steps of positive probability (then, with as many particles as answers, it is exact enumeration);
 * else what is never listed is never found, and Z is underestimated.
 * Ties: the earlier place. Cost: factor × particles steps and scores a level.
 */
import { fold } from "../../key.ts";
import { logSumExp } from "../../math/log-space.ts";
import { random } from "../../math/random.ts";
import { withoutReplacement } from "../../math/resampling.ts";
import type { Node } from "../../node.ts";
import type { Draw } from "../../policy.ts";
import type { Program, Search } from "../../search.ts";
import { all, BudgetSpent, extend } from "../../search.ts";
import { checkWhole } from "../../options.ts";
import { type ParticleOutcome, weighted } from "./outcome.ts";
import { checkTarget, finalWeights, targetJson } from "./particle-filter.ts";
import { spreadOf } from "./population.ts";
import { judge, type Particle, Seen, type StepReport, type TargetOptions, weighing } from "./sweep.ts";

export interface SmcSteeringOptions<S> extends TargetOptions<S> {
  /** Kept at each level. @default 8 */
  readonly particles?: number;
  /** Children of a level, as a multiple of the particles. @default 3 */
  readonly factor?: number;
  /** @default "sample" */
  readonly draw?: Draw;
  /** Merges states that are equal by this key. */
  readonly distinct?: (state: S) => string;
  readonly canonical?: (node: Node<S>) => string | undefined;
}

export function smcSteering<S>(options: SmcSteeringOptions<S> = {}): Search<S, ParticleOutcome<S>> {
  const { particles = 8, factor = 3, draw = "sample", distinct, canonical, policy, maxSteps = 1000 } = options;
  checkWhole("smc-steering", "particles", particles, 1);
  checkWhole("smc-steering", "factor", factor, 1);
  checkTarget("smc-steering", options);
  if (draw === "top" && options.correct)
    throw new RangeError(`Cannot use smc-steering with 'correct' as draw "top" weighs by the model's own law already`);
  const { advance } = weighing(options);
  return {
    name: "smc-steering",
    options: {
      particles,
      factor,
      draw,
      distinct: distinct !== undefined,
      canonical: canonical !== undefined,
      ...targetJson(options),
    },
    *run(root, { key }) {
      const seen = new Seen<S>();
      const steps: StepReport[] = [];
      let spent: BudgetSpent | undefined;
      let lost = 0;
      let asked = 0; // children of this level
      // The sum of the weights, not their mean, estimates Z, as their number changes.
      let cloud: Particle<S>[] = [{ node: root, trail: undefined, value: 0, logWeight: 0 }];

      function* grow(from: Particle<S>, count: number, time: number): Program<S, Particle<S>[]> {
        try {
          const children = yield* extend(from.node, { count, draw, policy });
          const judged = yield* judge(children, options);
          yield* seen.see(judged, children);
          const known = judged.filter((step) => step !== undefined);
          asked += draw === "sample" ? count : children.length; // `top` may find fewer than it wants
          return known.map((step) => {
            const share = draw === "top" ? step.node.logProb : -Math.log(count);
            return advance({ ...from, logWeight: from.logWeight + share }, step, time);
          });
        } catch (error) {
          if (!(error instanceof BudgetSpent)) throw error;
          spent ??= error;
          asked += count;
          return [];
        }
      }

      for (let time = 1; time <= maxSteps; time++) {
        const open = cloud.filter(({ node }) => !node.done);
        if (open.length === 0) break;
        const count = Math.max(1, Math.floor((particles * factor) / open.length));
        asked = 0;
        const grown = (yield* all(open.map((particle) => grow(particle, count, time)))).flat();
        lost += asked - grown.length;
        const standFor = Math.log(asked / grown.length); // what is lost leaves its weight to the others
        const children = grown.map((child) => ({ ...child, logWeight: child.logWeight + standFor }));
        // What weighs nothing is dropped, as sums do not miss it.
        cloud = [...cloud.filter(({ node }) => node.done), ...children].filter(
          ({ logWeight }) => logWeight > Number.NEGATIVE_INFINITY,
        );
        if (distinct) cloud = merged(cloud, distinct);
        if (cloud.length === 0) break;
        const weights = new Float64Array(cloud.length);
        const logWeights = Float64Array.from(cloud, ({ logWeight }) => logWeight);
        const spread = spreadOf(logWeights, weights);
        const resampled = cloud.length > particles;
        if (resampled) {
          const logSum = logSumExp(logWeights);
          const chosen = withoutReplacement(weights, particles, random(fold(key, time)));
          cloud = Array.from(chosen.indices, (index, i) => ({
            ...(cloud[index] as Particle<S>),
            logWeight: logSum + Math.log(chosen.weights[i] as number),
          }));
        }
        const finished = cloud.filter(({ node }) => node.done).length;
        steps.push({ effective: spread.effective / weights.length, resampled, finished });
      }

      if (spent && !seen.fallback) throw spent;
      const ended = cloud.filter(({ node }) => node.done);
      const weights = new Float64Array(ended.length);
      const logWeights = Float64Array.from(ended, ({ logWeight }) => logWeight);
      if (ended.length > 0) spreadOf(logWeights, weights);
      return {
        ...weighted(finalWeights({ cloud: ended, weights }), canonical, seen.fallback),
        logZ: ended.length > 0 || lost === 0 ? logSumExp(logWeights) : undefined,
        steps,
        lost,
      };
    },
  };
}

/** One particle for each state, the first, with the weight of all. */
function merged<S>(cloud: readonly Particle<S>[], distinct: (state: S) => string): Particle<S>[] {
  const same = new Map<string, Particle<S>[]>();
  for (const particle of cloud) {
    const form = `${particle.node.done} ${particle.value} ${distinct(particle.node.state)}`; // equal futures, equal pasts
    const others = same.get(form);
    if (others) others.push(particle);
    else same.set(form, [particle]);
  }
  return Array.from(same.values(), (group) => ({
    ...(group[0] as Particle<S>),
    logWeight: group.length > 1 ? logSumExp(group.map(({ logWeight }) => logWeight)) : (group[0]?.logWeight as number),
  }));
}
