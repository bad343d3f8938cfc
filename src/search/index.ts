export { beam, type BeamOptions } from "./beam.ts";
export { bestOfN, type BestOfNOptions, type BestOfNOutcome } from "./best-of-n.ts";
export { complete, drawAnswers } from "./draw.ts";
export { mostLikely, type MostLikelyOptions, type MostLikelyOutcome } from "./most-likely.ts";
export { greedy, sample, type SampleOptions } from "./sample.ts";
export { vote, type VoteOptions, type VoteOutcome } from "./vote.ts";
