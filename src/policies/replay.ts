/**
 * Recorded samples as a policy: what draws and judges runs on them as it would live, and is charged what it would have paid.
 *
 * Samples come in the order of their recording, or in one shuffled by `order`, so that different orders see different samples
 * first. None comes twice: a draw beyond the pool fails. Which sample a draw gets is decided when it is asked for, and a seed that
 * was given one gets the same again; so **one policy is for one run** (a resumed run takes a new one, which learns from the journal
 * what was given). With `step: "step"` a child is one recorded step; a partial answer has one continuation, a second one fails.
 * There is no `draw: "top"`.
 *
 * Costs are the recorded ones. What was paid for the prompt goes with the place in the order, not with the sample, as whoever
 * comes first pays it; a sample's tokens (and dollars, in proportion) are paid step by step, its calls with the first step, where
 * live stepping would make one call a step. A search that draws from the root in programs side by side which also wait for other
 * replies meets samples in the order of its asking, which then depends on the weather.
 */
import { addCosts, type Cost, cost, greatestCost, noCost } from "../budget.ts";
import { fold, key, type Key } from "../key.ts";
import { random } from "../math/random.ts";
import type { ExtendRequest, Extension, Policy, PolicyPart } from "../policy.ts";
import type { PoolProblem, PoolSample, Replayed } from "../pool.ts";
import type { TextState } from "./text.ts";

export interface ReplayState extends TextState, Replayed {}

export interface ReplayOptions {
  /** What one child adds. @default "answer" */
  readonly step?: "answer" | "step";
  /** Shuffles the samples. @default as recorded */
  readonly order?: Key | number;
}

/** @throws RangeError where the run's problem is not the one that was recorded */
export function replay(
  { problem: { id, prompt }, samples }: PoolProblem,
  { step = "answer", order }: ReplayOptions = {},
): Policy<ReplayState> {
  const places = samples.map((_, place) => place);
  const stream =
    order === undefined ? undefined : random(fold(typeof order === "number" ? key(order) : order, "replay"));
  const shuffled = stream ? stream.shuffled(places) : places;
  const stepsOf = samples.map((sample, place) => priced(sample, samples[shuffled.indexOf(place)] as PoolSample, step));
  const rootBound = stepsOf.reduce((most, [first]) => greatestCost(most, first?.cost ?? noCost), noCost);
  const used = new Set<string>();
  /** By the seed that got it, and from where: sample and step. */
  const given = new Map<string, readonly [sample: number, steps: number]>();
  const placeOf = (sample: number, steps: number) => `${sample}/${steps}`;
  let next = 0;

  function stateAt(sample: number, steps: number, parent: ReplayState): ReplayState {
    const all = stepsOf[sample];
    const at = all?.[steps - 1];
    if (!all || !at)
      throw new RangeError(`Cannot replay step ${steps} of sample ${sample} of '${id}' as it is not in the pool`);
    const { text, finish } = samples[sample] as PoolSample;
    const length = all.slice(0, steps).reduce((sum, one) => sum + one.length, 0);
    const ended = steps === all.length ? { finish } : {};
    return { prompt: parent.prompt, text: text.slice(0, at.end), length, ...ended, sample, steps };
  }

  /** Sample and step that this seed gets; undefined where there is none left. */
  function take(
    { sample, steps = 0 }: ReplayState,
    seed: number,
  ): readonly [sample: number, steps: number] | undefined {
    const asker = `${seed} ${sample} ${steps}`;
    const known = given.get(asker);
    if (known) return known;
    while (next < shuffled.length && used.has(placeOf(shuffled[next] as number, 1))) next++;
    const chosen = sample ?? shuffled[next];
    if (chosen === undefined || used.has(placeOf(chosen, steps + 1))) return undefined;
    used.add(placeOf(chosen, steps + 1));
    given.set(asker, [chosen, steps + 1]);
    return [chosen, steps + 1];
  }

  function extension(state: ReplayState, sample: number, steps: number): Extension<ReplayState> {
    const child = stateAt(sample, steps, state);
    const { length, logProb, cost } = (stepsOf[sample] as Priced[])[steps - 1] as Priced;
    return {
      state: child,
      done: child.finish !== undefined,
      logProb: logProb ?? Number.NaN,
      logProposal: Number.NaN,
      length,
      cost,
    };
  }

  return {
    name: `replay(${id}, ${samples.length} samples, ${step}${order === undefined ? "" : `, order ${order}`})`,
    batch: Math.max(1, samples.length),
    root(problem) {
      if (problem.id !== id) throw new RangeError(`Cannot replay samples of '${id}' as the problem is '${problem.id}'`);
      return { prompt, text: "", length: 0 };
    },
    text: (state) => state.text,
    bound: ({ sample, steps = 0 }) =>
      sample === undefined ? rootBound : ((stepsOf[sample] as Priced[])[steps]?.cost ?? noCost),
    async *extend(state, { draw, seeds }: ExtendRequest): AsyncGenerator<PolicyPart<ReplayState>> {
      // All at once, before anybody else asks.
      const taken = draw === "sample" ? seeds.map((seed) => take(state, seed)) : [];
      for (const index of seeds.keys()) {
        const one = taken[index];
        if (one) yield { type: "extension", index, extension: extension(state, ...one) };
        else
          yield { type: "failure", index, failure: { code: "unsupported", message: why(state, draw) }, cost: noCost };
      }
    },
    pack: ({ sample = 0, steps = 0 }) => [sample, steps],
    unpack(packed, parent) {
      const [sample, steps] = packed as [number, number];
      const state = stateAt(sample, steps, parent);
      used.add(placeOf(sample, steps));
      return state;
    },
  };

  function why({ sample }: ReplayState, draw: string): string {
    if (draw !== "sample") return "A pool holds samples, not the most probable steps: draw samples";
    if (sample !== undefined) return `The pool holds one continuation of a partial answer to '${id}', and it was drawn`;
    return `The pool holds ${samples.length} samples of '${id}', and all were drawn: record more`;
  }
}

interface Priced {
  readonly end: number;
  readonly length: number;
  readonly logProb: number | null;
  readonly cost: Cost;
}

/** Steps with their costs, which sum to the sample's; `first`: the sample whose prompt is paid at its place in the order. */
function priced(sample: PoolSample, first: PoolSample, step: "answer" | "step"): Priced[] {
  const whole = { end: sample.text.length, length: sample.length, logProb: sample.logProb };
  const steps = step === "step" && sample.steps?.length ? sample.steps : [whole];
  let done = 0;
  let paid = 0;
  let billed = 0;
  return steps.map(({ end, length, logProb }, i) => {
    done += length;
    const upTo = (all: number) => (i < steps.length - 1 ? Math.floor((all * done) / sample.length) : all);
    const tokens = upTo(sample.cost.tokens) - paid;
    const nanodollars = upTo(sample.cost.nanodollars) - billed;
    paid += tokens;
    billed += nanodollars;
    const { promptTokens, cachedTokens } = first.cost;
    const once = i === 0 ? cost({ promptTokens, cachedTokens, calls: sample.cost.calls }) : noCost;
    return { end, length, logProb, cost: addCosts(once, cost({ tokens, nanodollars })) };
  });
}
