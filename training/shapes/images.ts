/** Images of one soft disc on black, 12 × 12, whose factors are known: where it is, how large and how bright. */
import type { Random } from "../../src/math/random.ts";

export const side = 12;
export const pixels: number = side * side;

export interface Factors {
  /** Of the centre, in pixels from the left. */
  readonly x: number;
  /** From the top. */
  readonly y: number;
  /** Radius, in pixels. */
  readonly size: number;
  /** Of the middle, in [0, 1]. */
  readonly brightness: number;
}

export const factorNames = ["x", "y", "size", "brightness"] as const;

const ranges = { x: [3, 8], y: [3, 8], size: [1.5, 3.5], brightness: [0.4, 1] } as const;

/** Each factor uniform in its range, independently of the others. */
export function randomFactors(stream: Random): Factors {
  const draw = ([low, high]: readonly [number, number]): number => low + (high - low) * stream.uniform();
  return { x: draw(ranges.x), y: draw(ranges.y), size: draw(ranges.size), brightness: draw(ranges.brightness) };
}

/** Less their means, divided by their standard deviations. */
export const standardised = (factors: Factors): number[] =>
  factorNames.map((name) => {
    const [low, high] = ranges[name];
    return ((factors[name] - (low + high) / 2) / (high - low)) * Math.sqrt(12);
  });

/** [side × side], row by row, in [0, 1]. */
export function imageOf({ x, y, size, brightness }: Factors): Float64Array {
  return Float64Array.from({ length: pixels }, (_, i) => {
    const distance = Math.hypot((i % side) - x, Math.floor(i / side) - y);
    return brightness / (1 + Math.exp((distance - size) / 0.4));
  });
}

/** The factors of an image, from its pixels alone: the mean of its light, its brightest spot, and the area that they imply. */
export function measured(image: ArrayLike<number>): Factors {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < pixels; i++) {
    const light = image[i] as number;
    mass += light;
    x += light * (i % side);
    y += light * Math.floor(i / side);
  }
  const brightest = Array.from(image)
    .sort((a, b) => b - a)
    .slice(0, 4);
  const brightness = brightest.reduce((sum, light) => sum + light, 0) / 4;
  return { x: x / mass, y: y / mass, size: Math.sqrt(mass / (Math.PI * brightness)), brightness };
}

/** In characters, two a pixel. */
export function drawn(image: ArrayLike<number>): string {
  const shades = " .:-=+*#%@";
  return Array.from({ length: side }, (_, row) =>
    Array.from({ length: side }, (_, column) => {
      const light = Math.min(1, Math.max(0, image[row * side + column] as number));
      return (shades[Math.round(light * 9)] as string).repeat(2);
    })
      .join("")
      .trimEnd(),
  ).join("\n");
}
