/**
 * Adam: steps of a size that each coordinate's own gradients set, so that scales matter little. Kingma & Ba 2015,
 * arXiv:1412.6980, algorithm 1, with its defaults (β₁ 0.9, β₂ 0.999, ε 1e-8).
 */
export interface Adam {
  /** Changes `at` by one step along `gradient`: upwards where `rate` is positive. */
  step(at: number[] | Float64Array, gradient: ArrayLike<number>, rate: number): void;
}

export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

export function adam(size: number, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}): Adam {
  const first = new Float64Array(size);
  const second = new Float64Array(size);
  let [decay1, decay2] = [1, 1];
  return {
    step(at, gradient, rate) {
      decay1 *= beta1;
      decay2 *= beta2;
      for (let i = 0; i < size; i++) {
        const g = gradient[i] as number;
        const m = beta1 * (first[i] as number) + (1 - beta1) * g;
        const v = beta2 * (second[i] as number) + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        at[i] = (at[i] as number) + (rate * (m / (1 - decay1))) / (Math.sqrt(v / (1 - decay2)) + epsilon);
      }
    },
  };
}
