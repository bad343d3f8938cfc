export type { Contender, MadeContender } from "./contenders.ts";
export { evaluate, type Evaluated, type EvaluateEvent, type EvaluateOptions } from "./evaluate.ts";
export {
  budgetLabel,
  defineEvaluation,
  type Evaluation,
  type EvaluationOptions,
  type MadeEntry,
  type MadeProblems,
  type MethodEntry,
  type ProblemFile,
  readEvaluation,
} from "./evaluation.ts";
export { optionsFrom, type Origin } from "./load.ts";
export { type Progress, progressOf } from "./progress.ts";
export type { RunNews } from "./session.ts";
