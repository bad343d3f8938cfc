/**
 * One dial for how hard to try: a number in [0, 1] becomes the most draws and the threshold of an adaptive vote.
 *
 * `most` grows geometrically from 1 to `ceiling`; the threshold is what 1 + 6·effort answers that all agree reach under the Beta
 * criterion, 1 − 2^−(2 + 6·effort). Both only ever rise with the effort, and a draw is the same draw at every effort, so on every
 * single problem more effort never draws less (of one seed, batch and policy): a stopping time min(most, first time that the
 * certainty reaches the threshold) is monotone in both. The quality is so on average only.
 *
 *     adaptiveConsistency({ aggregator, ...dial(0.7) })
 */
import { checkBetween, checkWhole } from "../options.ts";
import { betaCriterion, type Criterion } from "./stopping.ts";

export interface Dial {
  readonly most: number;
  /** Of the criterion, for those who want another with it. */
  readonly threshold: number;
  readonly criterion: Criterion;
}

/** 0: one draw. 0.5, the default: at most 8, and 4 that agree suffice. 1: at most 64, and 7 that agree suffice. */
export function dial(effort = 0.5, { ceiling = 64 }: { /** @default 64 */ readonly ceiling?: number } = {}): Dial {
  checkBetween("the dial", "effort", effort, [0, 1]);
  checkWhole("the dial", "ceiling", ceiling, 1);
  const threshold = 1 - 2 ** -(2 + 6 * effort);
  return { most: Math.round(ceiling ** effort), threshold, criterion: betaCriterion({ threshold }) };
}
