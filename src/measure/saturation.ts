/**
 * Resampling until a verifier accepts, with a verifier that errs: Stroebl, Kapoor & Narayanan 2024, "Inference Scaling fLaws: The
 * Limits of LLM Resampling with Imperfect Verifiers", arXiv:2411.17501.
 *
 * `tpr` is the share of right answers that it accepts, `fpr` of wrong ones. Both are taken as the same for all problems and all
 * attempts; a wrong answer that is always accepted again is worse than this says.
 */
import { checkCount, undefinedValue, type Value } from "./estimate.ts";

/** How often a verifier accepts right answers and wrong ones; each in [0, 1]. */
export interface Verifier {
  readonly tpr: number;
  readonly fpr: number;
}

/**
 * The accuracy of the accepted answers to a problem that is solved with rate p, however many attempts are made: p·tpr / (p·tpr +
 * (1 − p)·fpr). Undefined where nothing is ever accepted.
 */
export function resamplingCeiling(p: number, verifier: Verifier): Value {
  const [right, accepted] = acceptance(p, verifier);
  return accepted > 0 ? { value: right / accepted } : undefinedValue("nothing is ever accepted");
}

export interface Resampled {
  /** Shares of problems that end with a right answer, with a wrong one, and with none. */
  readonly right: number;
  readonly wrong: number;
  readonly none: number;
  /** right − costOfWrong · wrong */
  readonly utility: number;
}

export interface ResamplingOptions extends Verifier {
  /** What a wrong answer costs, where a right one gains 1 and none is worth 0. @default 0 */
  readonly costOfWrong?: number;
}

/**
 * What at most `attempts` at each problem lead to, keeping the first that is accepted. `rates`: of success, one for each problem. Exact.
 */
export function resample(
  rates: readonly number[],
  attempts: number,
  { costOfWrong = 0, ...verifier }: ResamplingOptions,
): Resampled {
  checkCount("an outcome of resampling", "attempts", attempts, 0);
  if (rates.length === 0) throw new RangeError("Cannot give an outcome of resampling as there are no 'rates'");
  let [right, wrong] = [0, 0];
  for (const p of rates) {
    const [rightAtOnce, accepted] = acceptance(p, verifier);
    if (accepted === 0) continue;
    const ended = accepted === 1 ? Number(attempts > 0) : -Math.expm1(attempts * Math.log1p(-accepted));
    right += (ended * rightAtOnce) / accepted / rates.length;
    wrong += (ended * (accepted - rightAtOnce)) / accepted / rates.length;
  }
  return { right, wrong, none: Math.max(0, 1 - right - wrong), utility: right - costOfWrong * wrong };
}

/**
 * The number of attempts of the highest utility, the fewest of equals, up to `most`. More attempts answer what is left, which are the
 * hard problems, and there the accepted are wrong more often: where that costs, the best number is finite, often below ten.
 */
export function bestAttempts(
  rates: readonly number[],
  { most = 1000, ...options }: ResamplingOptions & { readonly most?: number },
): Resampled & { readonly attempts: number } {
  checkCount("the best number of attempts", "most", most, 0);
  let best = { ...resample(rates, 0, options), attempts: 0 };
  for (let attempts = 1; attempts <= most; attempts++) {
    const next = resample(rates, attempts, options);
    if (next.utility > best.utility + 1e-12) best = { ...next, attempts };
  }
  return best;
}

/** Of one attempt: P(right and accepted), P(accepted). */
function acceptance(p: number, { tpr, fpr }: Verifier): [right: number, accepted: number] {
  for (const [name, value] of Object.entries({ p, tpr, fpr }))
    if (!(value >= 0 && value <= 1))
      throw new RangeError(`Cannot follow resampling as '${name}' must be in [0, 1]: current value is ${value}`);
  return [p * tpr, p * tpr + (1 - p) * fpr];
}
