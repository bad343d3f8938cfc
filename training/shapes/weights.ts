/** The trained generator and critics: 19,000 weights, as halves in one small file. */
import { readFileSync } from "node:fs";
import { fromHalf, toHalf } from "../../src/models/gguf/half.ts";
import { pixels } from "./images.ts";
import type { Network } from "./network.ts";

export interface Shapes {
  /** Four latent numbers to an image. */
  readonly generator: Network;
  /** An image to its standardised factors. */
  readonly critics: readonly [Network, Network];
}

/** Latent numbers of the generator. */
export const dimension = 4;

export const widths: Readonly<Record<"encoder" | "generator" | "critic", readonly number[]>> = {
  encoder: [pixels, 64, 32, 2 * dimension],
  generator: [dimension, 32, 64, pixels],
  critic: [pixels, 24, 4],
};

const networksOf = ({ generator, critics }: Shapes): Network[] => [generator, ...critics];

/** All weights one after another, generator first, little-endian binary16. */
export function toBytes(shapes: Shapes): Uint8Array {
  const numbers = networksOf(shapes).flatMap(({ weights }) => weights.flatMap((matrix) => Array.from(matrix)));
  const view = new DataView(new ArrayBuffer(2 * numbers.length));
  for (const [i, number] of numbers.entries()) view.setUint16(2 * i, toHalf(number), true);
  return new Uint8Array(view.buffer);
}

export function fromBytes(bytes: Uint8Array): Shapes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const read = (layers: readonly number[], output: Network["output"]): Network => ({
    widths: layers,
    output,
    weights: layers.slice(1).map((outputs, layer) => {
      const size = outputs * ((layers[layer] as number) + 1);
      const matrix = Float64Array.from({ length: size }, (_, i) => fromHalf(view.getUint16(at + 2 * i, true)));
      at += 2 * size;
      return matrix;
    }),
  });
  return {
    generator: read(widths.generator, "sigmoid"),
    critics: [read(widths.critic, "linear"), read(widths.critic, "linear")],
  };
}

/** As they were trained by shapes.ts. */
export const shippedShapes = (): Shapes => fromBytes(readFileSync(new URL("weights.bin", import.meta.url)));
