export {
  abstaining,
  type AbstainingOutcome,
  type Answered,
  answerThreshold,
  riskAtMost,
  type RiskOptions,
  riskThreshold,
  type RiskThreshold,
  type Stakes,
  utilityAt,
} from "./abstain.ts";
export {
  adaptiveConsistency,
  type AdaptiveConsistencyOptions,
  type AdaptiveOutcome,
} from "./adaptive-consistency.ts";
export {
  accuracyByPlace,
  type BatchedAnswer,
  batchPrompting,
  type BatchPromptingOptions,
  type BatchPromptingOutcome,
  type PlaceAccuracy,
} from "./batch-prompting.ts";
export { type BestArm, bestArm, type BestArmOptions } from "./best-arm.ts";
export {
  byDifficulty,
  type ByDifficultyOptions,
  type ByDifficultyOutcome,
  type DifficultyRecord,
  evaluateByDifficulty,
  fitByDifficulty,
  type FittedByDifficulty,
  type StrategyByDifficulty,
  strategyFor,
} from "./by-difficulty.ts";
export { type CalibrationMap, histogram, isotonic, platt, temperature } from "./calibrate.ts";
export {
  cascade,
  type CascadeFigures,
  type CascadeOutcome,
  type CascadeStage,
  type CascadeStep,
  evaluateCascade,
  type EvaluateOptions,
  fitCascade,
  type FitOptions,
  type FittedCascade,
  type StageRecord,
} from "./cascade.ts";
export { answerSet, type ConformalOptions, conformalThreshold, type PacOptions, pacThreshold } from "./conformal.ts";
export { deepConf, type DeepConfOptions, type DeepConfOutcome } from "./deep-conf.ts";
export { earlyPruning, type EarlyPruningOptions, type EarlyPruningOutcome } from "./early-pruning.ts";
export { type Dial, dial } from "./effort.ts";
export { type LabelShiftData, type LabelShiftOptions, labelShiftThreshold, labelWeights } from "./label-shift.ts";
export {
  learnSetRule,
  type LearnSetsOptions,
  measureSetRule,
  pacSetRule,
  type SetExample,
  type SetRule,
} from "./learned-sets.ts";
export {
  knownScores,
  normalScores,
  optimalStopping,
  type OptimalStoppingOptions,
  type OptimalStoppingOutcome,
  reservationValue,
  type ScoreLaw,
} from "./optimal-stopping.ts";
export {
  bestRagCell,
  fitRagSplit,
  type Informativeness,
  predictRag,
  type RagCell,
  type RagModel,
  type RagObservation,
} from "./rag-split.ts";
export {
  type FittedRouter,
  fitRouter,
  routed,
  type RoutedOptions,
  type RoutedOutcome,
  routeThreshold,
  routingCurve,
  type RoutingPoint,
  type RoutingRecord,
  sufficed,
} from "./router.ts";
export { fitMix, type MixOptions, mixSuccess, type SampleMix } from "./sample-mix.ts";
export {
  type AskedQuestion,
  type BetaBelief,
  betaSuccessCurve,
  nextQuestion,
  type SharedBudget,
  shareSamples,
  type ShareOptions,
  successCurve,
} from "./share-budget.ts";
export { selfAssessment, type SelfAssessmentOptions, type SelfAssessmentOutcome } from "./self-assessment.ts";
export {
  agreement,
  betaCriterion,
  type Criterion,
  dirichletCriterion,
  probabilityOfMost,
  probabilityToLead,
  type ThresholdOptions,
  type Votes,
} from "./stopping.ts";
export {
  bestCell,
  type BudgetedRecords,
  standardStakes,
  type UtilityCell,
  utilityGrid,
  type UtilityGridOptions,
} from "./utility-grid.ts";
