/**
 * Models with random weights: for tests, which need laws and not sense, and for benches of any size.
 *
 * Matrices are uniform with variance 1/in, so that activations keep their scale; the embedding gives logits of standard
 * deviation 2, so that the next-token law is neither flat nor a point.
 */
import { fold, type Key, threefry } from "../../key.ts";
import { type LlamaShape, llamaTensors, writeLlama } from "./write-llama.ts";

export function randomLlama(
  options: LlamaShape & {
    readonly key: Key;
    /** Whether the embedding is also the output matrix. @default true */
    readonly tied?: boolean;
    /** Of the matrices. @default "F32" */
    readonly type?: "F32" | "F16";
  },
): Uint8Array {
  const { key, tied = true, type = "F32", ...shape } = options;
  const tensors = llamaTensors(shape);
  const embedding = tensors[0] as (typeof tensors)[number];
  if (!tied) tensors.push({ name: "output.weight", shape: embedding.shape });
  const weights = new Map<string, Float32Array>();
  for (const { name, shape: dimensions } of tensors) {
    const [inputs = 1, outputs] = dimensions;
    const place = fold(key, name);
    if (outputs === undefined) weights.set(name, uniforms(place, inputs, 1, 0.2));
    else {
      const deviation = (name === "token_embd.weight" || name === "output.weight" ? 2 : 1) / Math.sqrt(inputs);
      weights.set(name, uniforms(place, inputs * outputs, 0, deviation * Math.sqrt(3)));
    }
  }
  return writeLlama(shape, weights, { type });
}

/** Numbers uniform in centre ± reach; two a block of the generator. */
function uniforms(place: Key, count: number, centre: number, reach: number): Float32Array {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const [first, second] = threefry(place, 4, i);
    numbers[i] = centre + (first / 2 ** 31 - 1) * reach;
    if (i + 1 < count) numbers[i + 1] = centre + (second / 2 ** 31 - 1) * reach;
  }
  return numbers;
}
