/** `--abstain`: by which rule an answer is given or held back, and in what words. */
import { answerThreshold, riskThreshold } from "../allocate/abstain.ts";
import { isotonic } from "../allocate/calibrate.ts";
import { nearest } from "../nearest.ts";
import { type Calibration, tabulated } from "./calibrations.ts";
import { numberOf } from "../methods/typed.ts";
import { UsageError } from "./report.ts";

/**
 * `risk`: at most this share of the answers given is wrong, but for a share `delta` of calibrations. `price`: what a wrong answer
 * costs, where a right one brings 1. `confidence`: a threshold on what the method says, whatever it means.
 */
export type AbstainRule =
  | { readonly by: "risk"; readonly risk: number; readonly delta: number }
  | { readonly by: "price"; readonly price: number }
  | { readonly by: "confidence"; readonly least: number };

/** How often the promise of a risk may be broken, over calibrations. */
const defaultDelta = 0.1;

/** Fixed before any data; closer where scorers crowd. */
const thresholds = [...Array.from({ length: 50 }, (_, i) => i / 50), 0.99, 0.995, 0.998, 0.999, 1];

/** `risk=0.05`, `risk=0.05,delta=0.1`, `price=4`, `confidence=0.8`. @throws UsageError */
export function readAbstainRule(text: string): AbstainRule {
  const given = text.split(",").map((part) => {
    const [, name = "", value = ""] = /^\s*([a-z]+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    return { name, value: numberOf(value), part };
  });
  const [first, second, ...more] = given;
  const wrong = given.find(({ name, value }) => name === "" || Number.isNaN(value)) ?? more[0];
  if (!first || wrong)
    throw new UsageError(
      `Cannot read ${JSON.stringify(wrong?.part)} as a part of --abstain: write it as in risk=0.05 or risk=0.05,delta=0.1`,
    );
  if (second && !(first.name === "risk" && second.name === "delta"))
    throw new UsageError(
      `Cannot use ${second.name} with ${first.name} in --abstain: only risk takes a second part, delta`,
    );
  const within = (name: string, value: number, isIn: boolean, range: string): number => {
    if (isIn) return value;
    throw new UsageError(`Cannot use ${value} as ${name} of --abstain: it must be a number ${range}`);
  };
  const inside = (name: string, value: number) => within(name, value, value > 0 && value < 1, "in (0, 1)");
  const { name, value } = first;
  if (name === "risk")
    return { by: name, risk: inside(name, value), delta: second ? inside("delta", second.value) : defaultDelta };
  if (name === "price") return { by: name, price: within(name, value, value >= 0, ">= 0") };
  if (name === "confidence") return { by: name, least: within(name, value, value >= 0 && value <= 1, "in [0, 1]") };
  const near = nearest(name, ["risk", "price", "confidence"]);
  throw new UsageError(
    `Cannot abstain by ${JSON.stringify(name)}: ${near === undefined ? "there are risk, price and confidence" : `did you mean ${near}?`}`,
  );
}

/** Whether an answer is given, and why. */
export interface Decision {
  readonly abstained: boolean;
  /** As the end of a sentence, after "I don't know" where it abstained. */
  readonly reason: string;
  /** That the answer is right, by the calibration; null without one. */
  readonly probability: number | null;
  /** From which confidence on answers are given, by `price` from which probability on; null where none are. */
  readonly threshold: number | null;
}

/**
 * What a rule says to a confidence. `calibration` is needed by `risk` and `price`. The probability is that of an isotonic map of the
 * table; the guarantee of `risk` does not rest on it.
 */
export function decide(rule: AbstainRule, said: number | undefined, calibration?: Calibration): Decision {
  const confidence = said !== undefined && calibration ? tabulated(said) : said;
  const right = calibration?.correct.map((one) => one === 1) ?? [];
  const probability =
    calibration && confidence !== undefined ? isotonic(calibration.confidences, right).at(confidence) : null;
  if (confidence === undefined)
    return { abstained: true, reason: "the method gave no confidence", probability, threshold: null };
  const compared = (name: string, value: number, threshold: number, why = ""): Decision => {
    const abstained = value < threshold;
    const digits = value.toFixed(2) === threshold.toFixed(2) ? 4 : 2;
    const shown = (one: number) => Number(one.toFixed(digits));
    const reason = `${name} ${shown(value)} is ${abstained ? "" : "not "}below ${shown(threshold)}${why}`;
    return { abstained, reason, probability, threshold };
  };
  if (rule.by === "confidence") return compared("confidence", confidence, rule.least);
  if (!calibration) throw new TypeError(`Cannot abstain by ${rule.by} without a calibration`);
  if (rule.by === "price")
    return compared(
      "the probability of being right",
      probability ?? 0,
      answerThreshold({ wrong: -rule.price }),
      `, from which on answers are worth it where a wrong one costs ${rule.price}`,
    );
  const { risk, delta } = rule;
  const share = `${Number((100 * risk).toPrecision(3))}%`;
  const { threshold } = riskThreshold(calibration.confidences, right, { risk, delta, thresholds });
  if (threshold !== undefined)
    return compared("confidence", confidence, threshold, `, from which on at most ${share} of answers are wrong`);
  const reason = `no confidence was shown to keep the risk at ${share}, on ${right.length} graded answers`;
  return { abstained: true, reason, probability, threshold: null };
}
