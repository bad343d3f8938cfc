/**
 * Vectors in the latent space of a generator: a state is a vector, a step draws a whole one, so every vector is a finished
 * answer. By default from the standard normal law, which is what generators (VAEs, GANs, diffusion from noise) are trained to
 * decode.
 *
 * `logProb` is the log-density of the prior, in nats: it compares vectors with one another, and is not that of what they are
 * decoded to. (A decoder squeezes here and stretches there, so the likeliest vector is rarely that of the likeliest output.)
 */
import { type Cost, noCost } from "../budget.ts";
import { fingerprint } from "../key.ts";
import type { Vector } from "../math/linear.ts";
import { type Random, random } from "../math/random.ts";
import type { Extension, Policy } from "../policy.ts";

export interface Prior {
  readonly name: string;
  draw(stream: Random): number[];
  /** In nats. */
  logDensity(z: Vector): number;
}

export interface LatentOptions {
  /** Entries of a vector. */
  readonly dimension: number;
  /** What a vector stands for, as text: for views, and for scorers that read text. Called when it is asked for. */
  readonly decode?: (z: Vector) => string;
  /** @default the standard normal law */
  readonly prior?: Prior;
  /** Of one vector, where it counts: a decoder's call, say. @default nothing */
  readonly cost?: Cost;
}

/** A policy over vectors, with what searches that choose the points themselves need. */
export interface LatentPolicy extends Policy<Vector> {
  readonly dimension: number;
  /** A policy for one `extend`: its child number i is `points[i]`. */
  at(points: readonly Vector[]): Policy<Vector>;
}

/** N(0, I). */
export const standardNormal = (dimension: number): Prior => ({
  name: "normal",
  draw: (stream) => Array.from({ length: dimension }, () => stream.normal()),
  logDensity: (z) => z.reduce((sum, x) => sum - (x * x + Math.log(2 * Math.PI)) / 2, 0),
});

export function latent({ dimension, decode, prior, cost = noCost }: LatentOptions): LatentPolicy {
  if (!Number.isInteger(dimension) || dimension < 1)
    throw new RangeError(
      `Cannot make vectors as 'dimension' must be a whole number >= 1: current value is ${dimension}`,
    );
  const law = prior ?? standardNormal(dimension);

  const extension = (state: Vector, logProposal: (logProb: number) => number): Extension<Vector> => {
    const logProb = law.logDensity(state);
    return { state, done: true, logProb, logProposal: logProposal(logProb), length: 1, cost };
  };

  const shared = {
    batch: 1000,
    root: () => Array<number>(dimension).fill(0),
    text: decode ?? ((z: Vector) => z.map((x) => x.toFixed(3)).join(" ")),
    bound: () => cost,
  };

  return {
    ...shared,
    name: `latent-${dimension}:${law.name}`,
    dimension,
    async *extend(_, { draw, seeds }) {
      for (const [index, seed] of seeds.entries())
        if (draw === "sample")
          yield { type: "extension", index, extension: extension(law.draw(random(seed)), (logProb) => logProb) };
        else
          yield {
            type: "failure",
            index,
            failure: {
              code: "unsupported",
              message: `Vectors have no order of probability to go by: use draw "sample"`,
            },
          };
    },
    at: (points) => ({
      ...shared,
      name: `latent-${dimension}:at#${fingerprint(JSON.stringify(points))}`,
      async *extend(_, { ranks }) {
        for (const [index, rank] of ranks.entries()) {
          const point = points[rank];
          if (point?.length !== dimension)
            throw new RangeError(
              `Cannot make child ${rank} as it needs a point of ${dimension} entries: it has ${point?.length ?? "none"}`,
            );
          yield { type: "extension", index, extension: extension(point, () => Number.NaN) }; // nothing was drawn here
        }
      },
    }),
  };
}
