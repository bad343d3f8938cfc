/**
 * The law that tokens are drawn from: top-k, then top-p, then min-p cut the next-token law, then temperature bends it.
 *
 * Each cut sees what the one before left over, renormalised, as in llama.cpp's chain of samplers. Everything is exact, in
 * float64: `log q` of the drawn token can be used as an importance weight against `log p`.
 */
import type { Random } from "../math/random.ts";
import type { Sampling } from "../model.ts";

/** @throws RangeError if an option is out of its range. */
export function checkSampling({ temperature = 1, topK = 1, topP = 1, minP = 0 }: Sampling): void {
  const check = (name: string, value: number, good: boolean, range: string): void => {
    if (!good) throw new RangeError(`Cannot sample as '${name}' must be ${range}: current value is ${value}`);
  };
  check("temperature", temperature, temperature >= 0 && temperature < Infinity, "a number of at least 0");
  check("topK", topK, Number.isInteger(topK) && topK >= 1, "a positive integer");
  check("topP", topP, topP >= 0 && topP <= 1, "a number in [0, 1]");
  check("minP", minP, minP >= 0 && minP <= 1, "a number in [0, 1]");
}

/** log q of each token; -Infinity where it is cut off. With nothing asked for, log p itself, to the last bit. */
export function transform(logProbs: ArrayLike<number>, sampling: Sampling): Float64Array {
  const { temperature = 1, topK = Infinity, topP = 1, minP = 0 } = sampling;
  const law = new Float64Array(logProbs);
  if (temperature === 1 && topK >= law.length && topP >= 1 && minP <= 0) return law;
  const best = argmax(law);
  if (temperature === 0) {
    law.fill(-Infinity);
    law[best] = 0;
    return law;
  }
  const highest = law[best] as number;
  if (topK < law.length) keepTopK(law, topK);
  if (topP < 1) keepTopP(law, topP);
  if (minP > 0) cutWhere(law, (logProb) => logProb < highest + Math.log(minP));
  let total = 0;
  for (let i = 0; i < law.length; i++) {
    const bent = ((law[i] as number) - highest) / temperature;
    law[i] = bent;
    total += Math.exp(bent);
  }
  const logTotal = Math.log(total);
  for (let i = 0; i < law.length; i++) law[i] = (law[i] as number) - logTotal;
  return law;
}

/** A token id, by one uniform number: the first at which the cumulative law exceeds it. */
export function draw(law: ArrayLike<number>, random: Random): number {
  let left = random.uniform();
  let last = 0;
  for (let i = 0; i < law.length; i++) {
    const probability = Math.exp(law[i] as number);
    if (!(probability > 0)) continue;
    left -= probability;
    if (left < 0) return i;
    last = i;
  }
  return last; // rounding used up the whole sum
}

/** The most probable token; ties go to the lowest id. */
export function argmax(logProbs: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logProbs.length; i++) if ((logProbs[i] as number) > (logProbs[best] as number)) best = i;
  return best;
}

/** Token ids, most probable first; ties in order of id. */
export function byProbability(
  logProbs: ArrayLike<number>,
  ids: number[] = Array.from(logProbs, (_, i) => i),
): number[] {
  return ids.sort((a, b) => (logProbs[b] as number) - (logProbs[a] as number) || a - b);
}

function keepTopK(law: Float64Array, k: number): void {
  for (const id of byProbability(law).slice(k)) law[id] = -Infinity;
}

/** Holtzman et al. 2020, §3.1. At least one token stays. */
function keepTopP(law: Float64Array, topP: number): void {
  let total = 0;
  for (const logProb of law) total += Math.exp(logProb);
  // Tokens below this bound weigh less than 1 - topP together, so they are all cut, and need no sorting.
  const bound = Math.log(((1 - topP) * total) / law.length);
  const order = byProbability(
    law,
    Array.from(law.keys()).filter((id) => (law[id] as number) >= bound),
  );
  let sum = 0;
  let kept = 0;
  while (kept < order.length && (kept === 0 || sum < topP * total))
    sum += Math.exp(law[order[kept++] as number] as number);
  const keep = new Set(order.slice(0, kept));
  for (let id = 0; id < law.length; id++) if (!keep.has(id)) law[id] = -Infinity;
}

function cutWhere(law: Float64Array, isCut: (logProb: number) => boolean): void {
  for (let i = 0; i < law.length; i++) if (isCut(law[i] as number)) law[i] = -Infinity;
}
