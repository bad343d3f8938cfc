export { type Law, searchLaws, type World } from "./laws.ts";
export {
  type Fault,
  faultyScorer,
  lettersPolicy,
  lettersProblem,
  lettersScorer,
  type Weather,
  wordLength,
} from "./letters.ts";
export {
  type SimulatedReply,
  simulatedSolver,
  type SimulatedSolverOptions,
  type SimulatedState,
  successLaw,
} from "./simulated-solver.ts";
export {
  type SyntheticEvaluation,
  syntheticEvaluation,
  type SyntheticEvaluationOptions,
} from "./synthetic-evaluation.ts";
export {
  chatChunk,
  chatReply,
  chatStream,
  completionReply,
  events,
  type Told,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamCall,
  upstream,
  type UpstreamReply,
} from "./upstream.ts";
