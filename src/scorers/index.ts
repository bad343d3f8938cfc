export { checkerOf, type CheckerOptions } from "./checks/checker-of.ts";
export { code, type CodeOptions, extractProgram } from "./code.ts";
export {
  gated,
  type GatedOptions,
  lexicographic,
  paretoFront,
  weighted,
  type WeightedPart,
} from "./compose.ts";
export { constraint, type Automaton } from "./constraints/constraint.ts";
export { grammar } from "./constraints/grammar.ts";
export { regular } from "./constraints/regular.ts";
export { type WordList, words } from "./constraints/words.ts";
export { custom } from "./custom.ts";
export { entailment } from "./entailment.ts";
export {
  joinedFeatures,
  likelihoodFeatures,
  scoreFeature,
  vectorFeatures,
  type VectorOptions,
} from "./features.ts";
export { givenAnswer } from "./given-answer.ts";
export { likelihood, type LikelihoodOptions } from "./likelihood.ts";
export { canonicalMath, isSameMath, mathEqual, type MathEqualOptions } from "./math-equal.ts";
export { finalAnswer } from "./math/extract.ts";
export { outcome, type OutcomeOptions } from "./outcome.ts";
export { byScore, pairwise, type PairwiseOptions, preferenceOf } from "./pairwise.ts";
export { learnPreference, type LearnedPreference, type Preference, type PreferenceOptions } from "./preference.ts";
export { byLine, type ProcessAggregate, type ProcessOptions, processReward } from "./process.ts";
export { pIk, type PIkOptions } from "./p-ik.ts";
export { pTrue, type PTrueOptions } from "./p-true.ts";
export { type FeatureReader, learnReadOut, readOut, type ReadOut } from "./read-out.ts";
export { replayScores } from "./replay.ts";
export { batched, reward } from "./reward.ts";
export { gradeOf, rubric, type RubricOptions } from "./rubric.ts";
export { openSandbox, type SandboxOptions } from "./sandbox/open-sandbox.ts";
export type { Backend, Ending, Execution, Language, Limits, RunRequest, Sandbox } from "./sandbox/sandbox.ts";
export { type Case, type Suite, type TestOptions, type TestReport, unitTests } from "./sandbox/unit-tests.ts";
export { ngrams, similarity, type SimilarityOptions } from "./similarity.ts";
export {
  type ErringOptions,
  noisy,
  type NoisyOptions,
  simulated,
  type SimulatedOptions,
  verifierCeiling,
} from "./simulated.ts";
export { valueToken, type ValueTokenOptions } from "./value-token.ts";
export { readConfidence, verbalConfidence, type VerbalConfidenceOptions } from "./verbal-confidence.ts";
export { verifier } from "./verifier.ts";
export { cached, type CachedOptions, withTimeout } from "./wrap.ts";
