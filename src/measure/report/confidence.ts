/** How good the stated confidences are, a method at a time. */
import type { RunRecord } from "../../record.ts";
import { aurc, auroc, brier, expectedCalibrationError, reliability, riskCoverage } from "../calibration.ts";
import { outcomeOf, type Setting } from "./cells.ts";
import type { Confidence } from "./report.ts";

export function confidencesOf(setting: Setting): Confidence[] {
  const { methods, budgets } = setting.evaluation;
  return methods.flatMap((method) => {
    const stated = [...budgets.keys()].map((budget) => ({ budget, items: itemsOf(setting, method, budget) }));
    const last = stated.findLast(({ items }) => items.length > 0);
    return last ? [confidenceOf(method, last.budget, last.items, setting.level)] : [];
  });
}

interface Item {
  readonly confidence: number;
  readonly correct: boolean;
}

/** Of each problem the first seed that answered with a confidence. */
function itemsOf({ evaluation, runsOf }: Setting, method: string, budget: number): Item[] {
  const runs = runsOf(method, budget);
  return evaluation.problems.flatMap(({ problem }) => {
    const first = (runs.get(problem.id) ?? []).find(isStated);
    return first ? [{ confidence: first.confidence, correct: outcomeOf(first) === true }] : [];
  });
}

const isStated = (run: RunRecord): run is RunRecord & { readonly confidence: number } =>
  run.confidence !== null && !run.abstained && outcomeOf(run) !== undefined;

function confidenceOf(method: string, budget: number, items: readonly Item[], level: number): Confidence {
  const confidences = items.map(({ confidence }) => confidence);
  const correct = items.map((item) => item.correct);
  return {
    method,
    budget,
    items: items.length,
    bins: reliability(confidences, correct, { level }),
    calibrationError: expectedCalibrationError(confidences, correct),
    brier: brier(confidences, correct, { level }),
    auroc: auroc(confidences, correct, { level }),
    riskCoverage: riskCoverage(confidences, correct),
    aurc: aurc(confidences, correct, { level }),
  };
}
