export { majority, type MajorityOptions } from "./majority.ts";
export { medoid, type MedoidOptions, wordOverlap } from "./medoid.ts";
export { rpc, type RpcOptions } from "./rpc.ts";
export {
  type SemanticAggregate,
  type SemanticAggregator,
  semanticEntropy,
  type SemanticEntropyOptions,
} from "./semantic-entropy.ts";
export {
  type SurprisinglyLikely,
  surprisinglyLikely,
  type SurprisinglyLikelyAggregator,
  type SurprisinglyLikelyOptions,
} from "./surprisingly-likely.ts";
export { leaderProbability, type VotePosterior, votePosterior, type VotePosteriorOptions } from "./vote-posterior.ts";
export { weightedVote, type WeightedVoteOptions } from "./weighted-vote.ts";
