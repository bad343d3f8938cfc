import { expect, test } from "vitest";
import { key } from "../../key.ts";
import { random } from "../../math/random.ts";
import { type ResampleName, resamplers } from "../../math/resampling.ts";
import { bootstrapFilter, type StateSpaceModel } from "./state-space.ts";

// x₁ ~ N(0, 1), xₜ = 0.9 xₜ₋₁ + N(0, 0.5²), yₜ = xₜ + N(0, 0.7²)
const [drift, moving, seeing] = [0.9, 0.5, 0.7];

const observed = (steps: number): Float64Array => {
  const stream = random(77);
  let x = stream.normal();
  return Float64Array.from({ length: steps }, () => {
    const y = x + seeing * stream.normal();
    x = drift * x + moving * stream.normal();
    return y;
  });
};

const gaussian = (ys: Float64Array): StateSpaceModel => ({
  initial(states, stream) {
    for (let i = 0; i < states.length; i++) states[i] = stream.normal();
  },
  transition(states, stream) {
    for (let i = 0; i < states.length; i++) states[i] = drift * (states[i] as number) + moving * stream.normal();
  },
  logLikelihood(states, logs, step) {
    const constant = -Math.log(seeing) - 0.5 * Math.log(2 * Math.PI);
    for (let i = 0; i < states.length; i++)
      logs[i] = constant - 0.5 * (((ys[step] as number) - (states[i] as number)) / seeing) ** 2;
  },
});

/** Kalman 1960: means and variances given the observations up to then, and log p(y). */
function kalman(ys: Float64Array): { means: number[]; variances: number[]; logZ: number } {
  let [mean, variance, logZ] = [0, 1, 0];
  const [means, variances]: [number[], number[]] = [[], []];
  for (const [step, y] of ys.entries()) {
    if (step > 0) [mean, variance] = [drift * mean, drift ** 2 * variance + moving ** 2];
    const total = variance + seeing ** 2;
    logZ -= 0.5 * (Math.log(2 * Math.PI * total) + (y - mean) ** 2 / total);
    const gain = variance / total;
    [mean, variance] = [mean + gain * (y - mean), (1 - gain) * variance];
    means.push(mean);
    variances.push(variance);
  }
  return { means, variances, logZ };
}

test.each(Object.keys(resamplers) as ResampleName[])("means and log Z are those of the Kalman filter, %s", (name) => {
  const ys = observed(50);
  const exact = kalman(ys);
  const { means, logZ, effective } = bootstrapFilter(gaussian(ys), {
    steps: 50,
    particles: 4000,
    key: key(1),
    resample: resamplers[name],
  });
  for (const [step, mean] of exact.means.entries()) {
    // 5 standard errors of a weighted mean; 1.5 for what resampling adds. False alarms 50 × 6e-7.
    const error = Math.sqrt((exact.variances[step] as number) / ((effective[step] as number) * 4000));
    expect(Math.abs((means[step] as number) - mean)).toBeLessThan(5 * 1.5 * error);
  }
  expect(Math.abs(logZ - exact.logZ)).toBeLessThan(0.5);
});

test.each([0, 0.5, 1])(
  "the likelihood is unbiased within 4 standard errors over 300 seeds, threshold %d",
  (threshold) => {
    const ys = observed(8);
    const exact = kalman(ys);
    const ratios = Array.from({ length: 300 }, (_, seed) =>
      Math.exp(bootstrapFilter(gaussian(ys), { steps: 8, particles: 60, key: key(seed), threshold }).logZ - exact.logZ),
    );
    const mean = ratios.reduce((sum, ratio) => sum + ratio) / ratios.length;
    const error = Math.sqrt(ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0)) / ratios.length;
    expect(Math.abs(mean - 1)).toBeLessThan(4 * error);
    expect(error).toBeLessThan(0.1);
  },
);

test("states of more dimensions move together through resampling", () => {
  // Two numbers that are always each other's opposite; the first is seen to be near 2.
  const { states, means, weights } = bootstrapFilter(
    {
      dimension: 2,
      initial(states, stream) {
        for (let i = 0; i < states.length; i += 2) states[i + 1] = -(states[i] = stream.normal());
      },
      transition(states, stream) {
        for (let i = 0; i < states.length; i += 2) states[i + 1] = -((states[i] as number) += 0.1 * stream.normal());
      },
      logLikelihood(states, logs) {
        for (let i = 0; i < logs.length; i++) logs[i] = -20 * ((states[2 * i] as number) - 2) ** 2;
      },
    },
    { steps: 4, particles: 500, key: key(2), threshold: 1 },
  );
  for (let i = 0; i < 500; i++) expect(states[2 * i]).toBe(-(states[2 * i + 1] as number));
  expect(means.length).toBe(8);
  expect(means[6]).toBeCloseTo(-(means[7] as number), 12);
  expect(Math.abs((means[6] as number) - 2)).toBeLessThan(0.3);
  expect(weights.reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 12);
});

test("what cannot have been observed has likelihood 0", () => {
  const impossible = {
    ...gaussian(observed(3)),
    logLikelihood: (_: Float64Array, logs: Float64Array) => void logs.fill(-Infinity),
  };
  expect(bootstrapFilter(impossible, { steps: 3, particles: 10, key: key(1) }).logZ).toBe(-Infinity);
});

test.each([
  ["steps", 0],
  ["particles", 0.5],
  ["threshold", -1],
])("refuses %s = %d by name", (name, value) => {
  expect(() => bootstrapFilter(gaussian(observed(3)), { steps: 3, key: key(1), [name]: value })).toThrow(`'${name}'`);
});
