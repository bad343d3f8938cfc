/**
 * How many samples of which configuration (model, temperature, prompt, language): a mix that is fitted on problems whose rates of
 * success under each configuration are known, and used on others.
 *
 * The share of problems of which at least one sample is right, 1 − Π over configurations of (1 − p)^samples on average over
 * problems, is to be maximised under a budget. Zhang, Zhou, Wang, Wang & Li 2024, arXiv:2410.22480 (OSCA), §3: they climb
 * from a random mix by changing one sample's configuration at a time. Here the climb begins at the greedy mix: as the objective is
 * monotone and submodular in the samples, greedy alone is within 1 − 1/e of the best mix of as many samples (Nemhauser, Wolsey & Fisher
 * 1978, Mathematical Programming 14, 265). Samples may differ in cost; then the greedy mix by gain per cost and the best one of a
 * single configuration are both tried. `bound` is of this instance, from the gains that are left (Leskovec et al. 2007, KDD, §3.2).
 *
 * Pays where configurations fail on different problems: a mix reaches what no configuration reaches alone. Where one is best
 * everywhere the mix is that one. Rates of few samples a problem flatter a mix: judge it on other problems.
 */
import { checkNumber } from "../options.ts";

export interface SampleMix {
  /** [configurations] samples. */
  readonly samples: readonly number[];
  /** Mean over the problems it was fitted on of the probability that at least one sample is right. */
  readonly success: number;
  readonly cost: number;
  /** No mix within the budget succeeds more often on these problems. */
  readonly bound: number;
}

export interface MixOptions {
  /** For one problem, in the unit of the costs. */
  readonly budget: number;
  /** [configurations] of one sample. @default 1 each: the budget is a number of samples */
  readonly costs?: readonly number[];
}

/** What a mix does on problems with these rates [problems][configurations]: the mean of 1 − Π (1 − p)^samples. */
export function mixSuccess(rates: readonly (readonly number[])[], samples: readonly number[]): number {
  return 1 - mean(failuresOf(rates, samples));
}

/** [problems] probability that no sample is right. */
const failuresOf = (rates: readonly (readonly number[])[], samples: readonly number[]): number[] =>
  rates.map((row) => samples.reduce((all, count, one) => all * (1 - (row[one] as number)) ** count, 1));

/**
 * `rates` [problems][configurations], in [0, 1]. Ties: the earlier configuration.
 * Cost: problems · configurations for each sample, and configurations² · problems for each exchange.
 */
export function fitMix(
  rates: readonly (readonly number[])[],
  { budget, costs = rates[0]?.map(() => 1) ?? [] }: MixOptions,
): SampleMix {
  checkRates(rates, costs);
  checkNumber("a mix of samples", "budget", budget, { least: 0 });
  const within = (cost: number): boolean => cost <= budget + 1e-9 * Math.max(1, budget);
  const costOf = (samples: readonly number[]): number =>
    samples.reduce((sum, count, one) => sum + count * (costs[one] as number), 0);

  const pure = costs.map((cost, one) =>
    costs.map((_, other) => (other === one ? Math.floor(budget / cost + 1e-9) : 0)),
  );
  const starts = [greedy(rates, costs, within), ...pure];
  const start = starts.reduce((best, one) => (mixSuccess(rates, one) > mixSuccess(rates, best) + 1e-12 ? one : best));
  const samples = climb(rates, start, (mix) => within(costOf(mix)));
  const success = mixSuccess(rates, samples);
  return {
    samples,
    success,
    cost: costOf(samples),
    bound: Math.min(1, Math.max(success, boundOf(rates, samples, budget, costs))),
  };
}

/** One sample more at a time, of the configuration that gains most for its cost, while one fits. */
function greedy(
  rates: readonly (readonly number[])[],
  costs: readonly number[],
  fits: (cost: number) => boolean,
): number[] {
  const samples = costs.map(() => 0);
  const failures = rates.map(() => 1);
  for (let spent = 0; ; ) {
    let best: { one: number; worth: number } | undefined;
    for (const [one, cost] of costs.entries()) {
      const gain = gainOf(rates, failures, one);
      if (gain > 0 && fits(spent + cost) && gain / cost > (best?.worth ?? 0) + 1e-15)
        best = { one, worth: gain / cost };
    }
    if (!best) return samples;
    const { one } = best;
    samples[one] = (samples[one] as number) + 1;
    spent += costs[one] as number;
    for (const [problem, row] of rates.entries())
      failures[problem] = (failures[problem] as number) * (1 - (row[one] as number));
  }
}

/** Exchanges one sample for one of another configuration, or adds one, while that succeeds more often. */
function climb(
  rates: readonly (readonly number[])[],
  start: readonly number[],
  fits: (samples: readonly number[]) => boolean,
): readonly number[] {
  let [best, success] = [start, mixSuccess(rates, start)];
  for (;;) {
    const neighbours = best.flatMap((_, to) =>
      [-1, ...best.keys()].flatMap((from) => {
        if (from === to || (from >= 0 && best[from] === 0)) return [];
        const next = best.map((count, one) => count + Number(one === to) - Number(one === from));
        return fits(next) ? [next] : [];
      }),
    );
    const next = neighbours.reduce<{ mix: number[]; success: number } | undefined>((found, mix) => {
      const reached = mixSuccess(rates, mix);
      return reached > (found?.success ?? success) + 1e-12 ? { mix, success: reached } : found;
    }, undefined);
    if (!next) return best;
    ({ mix: best, success } = next);
  }
}

/** What the whole budget would add if every sample gained as much per cost as the best next one does now. */
function boundOf(
  rates: readonly (readonly number[])[],
  samples: readonly number[],
  budget: number,
  costs: readonly number[],
): number {
  const failures = failuresOf(rates, samples);
  const worth = costs.map((cost, one) => gainOf(rates, failures, one) / cost);
  return 1 - mean(failures) + budget * Math.max(...worth);
}

const gainOf = (rates: readonly (readonly number[])[], failures: readonly number[], one: number): number =>
  mean(rates.map((row, problem) => (row[one] as number) * (failures[problem] as number)));

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function checkRates(rates: readonly (readonly number[])[], costs: readonly number[]): void {
  if (rates.length === 0 || costs.length === 0 || !rates.every((row) => row.length === costs.length))
    throw new RangeError(
      "Cannot fit a mix of samples as 'rates' must have a row for each problem, with one entry for each configuration, and 'costs' as many",
    );
  for (const row of rates)
    for (const rate of row) checkNumber("a mix of samples", "rates", rate, { least: 0, most: 1 });
  for (const cost of costs) checkNumber("a mix of samples", "costs", cost, { above: 0 });
}
