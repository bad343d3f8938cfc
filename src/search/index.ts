export { aStar, type AStarOptions, type AStarOutcome } from "./tree/a-star.ts";
export { abMcts, type AbMctsOptions, type AnswerAction } from "./tree/ab-mcts.ts";
export { type BetaPrior, type GaussianPrior } from "./tree/ab-mcts/beliefs.ts";
export { alphaBeta, type AlphaBetaOptions, type AlphaBetaOutcome } from "./tree/alpha-beta.ts";
export { askForSearch, type AskForSearchOptions, type AskForSearchOutcome } from "./revision/ask-for-search.ts";
export {
  askHarder,
  type AskHarderOptions,
  type AskHarderOutcome,
  makeItMore,
  type Strengthened,
} from "./revision/ask-harder.ts";
export { beam, type BeamOptions } from "./beam/beam.ts";
export { bestFirst, type BestFirstOptions } from "./tree/best-first.ts";
export { bestOfN, type BestOfNOptions, type BestOfNOutcome } from "./sampling/best-of-n.ts";
export { drawAnswers } from "./draw.ts";
export { diverseBeam, type DiverseBeamOptions, type DiverseBeamOutcome } from "./beam/diverse-beam.ts";
export { dvts, type DvtsOptions } from "./beam/dvts.ts";
export {
  type AnswerLaw,
  hintMarginal,
  type HintMarginalOptions,
  type HintMarginalOutcome,
} from "./sampling/hint-marginal.ts";
export { hints, type HintsOptions, type HintsOutcome } from "./revision/hints.ts";
export {
  iteratedPrompting,
  type IteratedPromptingOptions,
  type IteratedPromptingOutcome,
} from "./sampling/iterated-prompting.ts";
export { levin, type LevinOptions } from "./tree/levin.ts";
export { mcts, type MctsMove, type MctsNode, type MctsOptions, type MctsOutcome, type Widening } from "./tree/mcts.ts";
export { type Backup, bestBackup, meanBackup } from "./tree/mcts/backup.ts";
export { gumbel, type GumbelOptions } from "./tree/mcts/gumbel.ts";
export { type Evaluation, plan, type PlannedMove, type Planned, type PlanOptions } from "./tree/mcts/plan.ts";
export { puct, type PuctOptions, type Select, type SelectRule, uct, type UctOptions } from "./tree/mcts/select.ts";
export type { Tree } from "./tree/mcts/tree.ts";
export { mostLikely, type MostLikelyOptions, type MostLikelyOutcome } from "./tree/most-likely.ts";
export { cumulative, embedding, hamming, ngram, type Penalty } from "./beam/penalties.ts";
export {
  backwardChaining,
  type BackwardChainingOptions,
  type BackwardChainingOutcome,
  type GoalVerdict,
  type ProofStep,
  type Theory,
} from "./programs/backward-chaining.ts";
export {
  chainOfThought,
  type ChainOfThoughtOptions,
  type ChainOfThoughtOutcome,
} from "./programs/chain-of-thought.ts";
export {
  type Answered,
  leastToMost,
  type LeastToMostOptions,
  type LeastToMostOutcome,
} from "./programs/least-to-most.ts";
export {
  type Claim,
  type Explanation,
  maieutic,
  type MaieuticOptions,
  type MaieuticOutcome,
  type Relation,
} from "./programs/maieutic.ts";
export { type FailedStep, type ReasoningModule, type Reading } from "./programs/module.ts";
export {
  type InferenceStep,
  selectionInference,
  type SelectionInferenceOptions,
  type SelectionInferenceOutcome,
} from "./programs/selection-inference.ts";
export {
  type Associate,
  oddOneOut,
  type OddOneOutOptions,
  thinkSum,
  type ThinkSumOptions,
  type ThinkSumOutcome,
  type WeighedChoice,
} from "./programs/think-sum.ts";
export { type ParticleOutcome } from "./particles/outcome.ts";
export { entropic, particleFilter, type ParticleFilterOptions } from "./particles/particle-filter.ts";
export {
  particleGibbs,
  type ParticleGibbsOptions,
  type ParticleGibbsOutcome,
} from "./particles/particle-gibbs.ts";
export {
  likelihoodWeight,
  oddsWeight,
  type Potential,
  potential,
  probabilityWeight,
  rewardWeight,
  verdictWeight,
  type WeightMap,
} from "./particles/potential.ts";
export { semanticVote, type SemanticVoteOptions, type SemanticVoteOutcome } from "./sampling/semantic-vote.ts";
export { smcSteering, type SmcSteeringOptions } from "./particles/smc-steering.ts";
export {
  bootstrapFilter,
  type BootstrapFilterOptions,
  type Filtered,
  type StateSpaceModel,
} from "./particles/state-space.ts";
export { type Anneal, type StepReport, type TargetOptions } from "./particles/sweep.ts";
export { balancedWidths, rebase, type RebaseOptions, type RebaseOutcome } from "./beam/rebase.ts";
export { refine, type RefineOptions, type RefineOutcome, type Revise } from "./revision/refine.ts";
export { reflexion, type ReflexionOptions, type ReflexionOutcome } from "./revision/reflexion.ts";
export { greedy, sample, type SampleOptions } from "./sampling/sample.ts";
export { tournament, type TournamentOptions, type TournamentOutcome } from "./sampling/tournament.ts";
export { stochasticBeam, type StochasticBeamOptions, type StochasticBeamOutcome } from "./beam/stochastic-beam.ts";
export { synthesize, type SynthesizeOptions, type SynthesizeOutcome } from "./sampling/synthesize.ts";
export { treeOfThoughts, type TreeOfThoughtsOptions } from "./tree/tree-of-thoughts.ts";
export {
  universalSelfConsistency,
  type UniversalSelfConsistencyOptions,
  type UniversalSelfConsistencyOutcome,
} from "./sampling/universal-self-consistency.ts";
export { vote, type VoteOptions, type VoteOutcome } from "./sampling/vote.ts";
export { cmaEs, type CmaEsOptions, type CmaEsOutcome } from "./latent/cma-es.ts";
export { gradientAscent, type GradientAscentOptions } from "./latent/gradient-ascent.ts";
export {
  changesAlong,
  latentDirection,
  type LatentDirectionOptions,
  type LatentDirectionOutcome,
} from "./latent/latent-direction.ts";
export type { Gradient, Space } from "./latent/space.ts";
