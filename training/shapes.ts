/**
 * Trains the small generator of discs and the two critics that judge its images, and writes their weights:
 *
 *     node training/shapes.ts [--steps 4000] [--seed 1] [--out training/shapes/weights.bin]
 *
 * The generator is the decoder of a variational autoencoder (Kingma & Welling 2013, arXiv:1312.6114): images x of known factors,
 * a normal posterior over four latent numbers, and noise of standard deviation 0.2 on every pixel. The critics see noisy images
 * and tell the standardised factors; they differ in their seeds alone. A minute on one core.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fold, type Key, key } from "../src/key.ts";
import { random } from "../src/math/random.ts";
import { imageOf, pixels, randomFactors, standardised } from "./shapes/images.ts";
import { activations, backward, freshNetwork, type Network, trainer } from "./shapes/network.ts";
import { dimension, type Shapes, toBytes, widths } from "./shapes/weights.ts";

const batch = 64;
/** Standard deviations of a pixel, for the generator's likelihood and for the critics' images. */
const [noise, criticNoise] = [0.2, 0.1];

/** The learning rate falls to 0 along half a cosine. */
const rateAt = (step: number, steps: number): number => 1e-3 * (1 + Math.cos((Math.PI * step) / steps));

/** The decoder; `onStep` is told the loss per image, in nats. */
export function trainGenerator(place: Key, steps: number, onStep: (step: number, loss: number) => void): Network {
  const encoder = freshNetwork(widths.encoder, "linear", fold(place, "encoder"));
  const decoder = freshNetwork(widths.generator, "sigmoid", fold(place, "decoder"));
  const [encoding, decoding] = [trainer(encoder), trainer(decoder)];
  for (let step = 0; step < steps; step++) {
    const stream = random(fold(fold(place, "images"), step));
    let loss = 0;
    for (let i = 0; i < batch; i++) {
      const image = imageOf(randomFactors(stream));
      const encoded = activations(encoder, image);
      const code = encoded.at(-1) as Float64Array; // means, then logarithms of variances
      const means = code.subarray(0, dimension);
      const deviations = Array.from(code.subarray(dimension), (logVariance) => Math.exp(logVariance / 2));
      const noises = deviations.map(() => stream.normal());
      const z = noises.map((e, k) => (means[k] as number) + e * (deviations[k] as number));
      const decoded = activations(decoder, z);
      const output = decoded.at(-1) as Float64Array;
      const miss = output.map((y, p) => (y - (image[p] as number)) / noise ** 2);
      const slope = backward(decoder, decoded, miss, decoding.sums);
      const codeSlope = new Float64Array(2 * dimension);
      for (let k = 0; k < dimension; k++) {
        const [mean, deviation] = [means[k] as number, deviations[k] as number];
        const variance = deviation ** 2;
        // The Kullback–Leibler divergence from the prior, (μ² + σ² − 1 − log σ²) / 2, and its slopes.
        loss += (mean ** 2 + variance - 1 - Math.log(variance)) / 2;
        codeSlope[k] = (slope[k] as number) + mean;
        codeSlope[dimension + k] = ((slope[k] as number) * (noises[k] as number) * deviation + variance - 1) / 2;
      }
      backward(encoder, encoded, codeSlope, encoding.sums);
      for (let p = 0; p < pixels; p++) loss += ((output[p] as number) - (image[p] as number)) ** 2 / (2 * noise ** 2);
    }
    encoding.step(rateAt(step, steps), batch);
    decoding.step(rateAt(step, steps), batch);
    onStep(step, loss / batch);
  }
  return decoder;
}

/** Tells standardised factors; `onStep` is told the mean squared error per factor. */
export function trainCritic(place: Key, steps: number, onStep: (step: number, loss: number) => void): Network {
  const critic = freshNetwork(widths.critic, "linear", fold(place, "critic"));
  const training = trainer(critic);
  for (let step = 0; step < steps; step++) {
    const stream = random(fold(fold(place, "images"), step));
    let loss = 0;
    for (let i = 0; i < batch; i++) {
      const factors = randomFactors(stream);
      const image = imageOf(factors).map((light) => light + criticNoise * stream.normal());
      const layers = activations(critic, image);
      const wanted = standardised(factors);
      const miss = (layers.at(-1) as Float64Array).map((y, k) => y - (wanted[k] as number));
      loss += miss.reduce((sum, m) => sum + m * m, 0) / miss.length;
      backward(critic, layers, miss, training.sums);
    }
    training.step(rateAt(step, steps), batch);
    onStep(step, loss / batch);
  }
  return critic;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      steps: { type: "string", default: "4000" },
      seed: { type: "string", default: "1" },
      out: { type: "string", default: "training/shapes/weights.bin" },
    },
  });
  const steps = Number(values.steps);
  const place = key(Number(values.seed));
  const say = (name: string) => (step: number, loss: number) =>
    (step + 1) % Math.ceil(steps / 10) === 0 && console.log(`${name} ${step + 1} ${loss.toFixed(3)}`);
  const shapes: Shapes = {
    generator: trainGenerator(fold(place, 0), steps, say("generator")),
    critics: [1, 2].map((i) => trainCritic(fold(place, i), steps, say(`critic ${i}`))) as unknown as Shapes["critics"],
  };
  writeFileSync(values.out, toBytes(shapes));
}
