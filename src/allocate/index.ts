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
export { type Dial, dial } from "./effort.ts";
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
