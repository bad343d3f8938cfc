/** Every search of the library keeps every law. One more search is one more line here. */
import { describe, test } from "vitest";
import { majority } from "../src/aggregators/majority.ts";
import { weightedVote } from "../src/aggregators/weighted-vote.ts";
import { abstaining } from "../src/allocate/abstain.ts";
import { adaptiveConsistency } from "../src/allocate/adaptive-consistency.ts";
import { byDifficulty } from "../src/allocate/by-difficulty.ts";
import { batchPrompting } from "../src/allocate/batch-prompting.ts";
import { cascade } from "../src/allocate/cascade.ts";
import { deepConf } from "../src/allocate/deep-conf.ts";
import { earlyPruning } from "../src/allocate/early-pruning.ts";
import { optimalStopping } from "../src/allocate/optimal-stopping.ts";
import { routed } from "../src/allocate/router.ts";
import { selfAssessment } from "../src/allocate/self-assessment.ts";
import { agreement, dirichletCriterion } from "../src/allocate/stopping.ts";
import type { Scorer } from "../src/scorer.ts";
import { byScore } from "../src/scorers/pairwise.ts";
import type { Node } from "../src/node.ts";
import { rankOf } from "../src/scorer.ts";
import type { Program, Search } from "../src/search.ts";
import { extend, first, score } from "../src/search.ts";
import { alphaBeta } from "../src/search/tree/alpha-beta.ts";
import { abMcts } from "../src/search/tree/ab-mcts.ts";
import { askForSearch } from "../src/search/revision/ask-for-search.ts";
import { askHarder, makeItMore } from "../src/search/revision/ask-harder.ts";
import { aStar } from "../src/search/tree/a-star.ts";
import { beam } from "../src/search/beam/beam.ts";
import { bestFirst } from "../src/search/tree/best-first.ts";
import { bestOfN } from "../src/search/sampling/best-of-n.ts";
import { hintMarginal } from "../src/search/sampling/hint-marginal.ts";
import { iteratedPrompting } from "../src/search/sampling/iterated-prompting.ts";
import { hints } from "../src/search/revision/hints.ts";
import { diverseBeam } from "../src/search/beam/diverse-beam.ts";
import { complete } from "../src/program.ts";
import { dvts } from "../src/search/beam/dvts.ts";
import { levin } from "../src/search/tree/levin.ts";
import { mcts } from "../src/search/tree/mcts.ts";
import { bestBackup } from "../src/search/tree/mcts/backup.ts";
import { gumbel } from "../src/search/tree/mcts/gumbel.ts";
import { uct } from "../src/search/tree/mcts/select.ts";
import { mostLikely } from "../src/search/tree/most-likely.ts";
import { refine } from "../src/search/revision/refine.ts";
import { reflexion } from "../src/search/revision/reflexion.ts";
import { hamming } from "../src/search/beam/penalties.ts";
import { backwardChaining } from "../src/search/programs/backward-chaining.ts";
import { chainOfThought } from "../src/search/programs/chain-of-thought.ts";
import { leastToMost } from "../src/search/programs/least-to-most.ts";
import { maieutic } from "../src/search/programs/maieutic.ts";
import type { ReasoningModule } from "../src/search/programs/module.ts";
import { selectionInference } from "../src/search/programs/selection-inference.ts";
import { oddOneOut, thinkSum } from "../src/search/programs/think-sum.ts";
import { particleFilter } from "../src/search/particles/particle-filter.ts";
import { particleGibbs } from "../src/search/particles/particle-gibbs.ts";
import { oddsWeight, potential, rewardWeight } from "../src/search/particles/potential.ts";
import { smcSteering } from "../src/search/particles/smc-steering.ts";
import { rebase } from "../src/search/beam/rebase.ts";
import { greedy, sample } from "../src/search/sampling/sample.ts";
import { stochasticBeam } from "../src/search/beam/stochastic-beam.ts";
import { treeOfThoughts } from "../src/search/tree/tree-of-thoughts.ts";
import { tournament } from "../src/search/sampling/tournament.ts";
import { semanticEntropy } from "../src/aggregators/semantic-entropy.ts";
import { semanticVote } from "../src/search/sampling/semantic-vote.ts";
import { synthesize } from "../src/search/sampling/synthesize.ts";
import { universalSelfConsistency } from "../src/search/sampling/universal-self-consistency.ts";
import { vote } from "../src/search/sampling/vote.ts";
import { searchLaws } from "../src/testing/laws.ts";

/** The first of n words that the scorer likes; the others are cancelled. If it likes none, one word more. */
const firstLiked = (n: number, scorer: Scorer<string>, enough: number): Search<string> => ({
  name: "first-liked",
  options: { n, enough },
  *run(root) {
    function* word(): Program<string, Node<string> | undefined> {
      let node: Node<string> | undefined = root;
      while (node && !node.done) [node] = yield* extend(node);
      if (!node) return undefined;
      const [judged] = yield* score([node], { by: scorer });
      return judged && rankOf(judged) >= enough ? node : undefined;
    }
    const [liked] = yield* first(1, Array.from({ length: n }, word));
    const answer = liked ?? (yield* complete(root, "sample"));
    return { answer, candidates: answer ? [answer] : [] };
  },
});

/** A reward through the logistic function. */
const asProbability = (scorer: Scorer<string>): Scorer<string> => ({
  ...scorer,
  kind: "probability",
  async score(node, request) {
    const given = await scorer.score(node, request);
    const { score: judged, cost } = "score" in given ? given : { score: given };
    return { score: { kind: "probability", value: 1 / (1 + Math.exp(-rankOf(judged))) }, ...(cost && { cost }) };
  },
});

/** A question put to the world's own policy; what its letters mean. */
const asked = <Input, Output>(read: (word: string) => Output): ReasoningModule<string, Input, Output> => ({
  name: "asked",
  ask: () => undefined,
  read: (word) => (word.endsWith("d") ? { why: "no program understands d" } : { value: read(word) }),
});

const lastLetter = ({ state }: Node<string>): string | undefined => state.at(-1);

const searches: Record<string, (scorer: Scorer<string>) => Search<string>> = {
  greedy: () => greedy(),
  sample: () => sample({ n: 5 }),
  "best-of-n": () => bestOfN({ n: 8 }),
  vote: () => vote({ n: 9, aggregator: majority({ canonical: (node) => node.state }) }),
  "vote, weighted": (scorer) =>
    vote({ n: 7, scorer, aggregator: weightedVote({ canonical: ({ state }) => state.at(-1), map: rewardWeight(1) }) }),
  "hint-marginal": () =>
    hintMarginal({ canonical: ({ state }) => state.at(-1), hinted: () => undefined, n: 3, each: 2 }),
  "iterated-prompting": (scorer) => iteratedPrompting({ n: 3, given: byScore(scorer), canonical: lastLetter }),
  "semantic-vote": (scorer) =>
    semanticVote({ n: 4, same: byScore(scorer), aggregator: (meaning) => semanticEntropy({ meaning }) }),
  synthesize: (scorer) => synthesize({ from: () => undefined, n: 3, syntheses: 2, scorer }),
  "synthesize, unscored": () => synthesize({ from: () => undefined, n: 3, scorer: null }),
  "universal-self-consistency": () =>
    universalSelfConsistency({
      n: 4,
      choose: () => undefined,
      read: ({ state }) => ["a", "b", "c"].indexOf(state[0] ?? ""),
    }),
  "beam over tokens": () => beam({ width: 3, branch: 4 }),
  "beam over steps, scored": (scorer) =>
    beam({ width: 2, branch: 3, draw: "sample", scorer, distinct: (state) => state }),
  "first of 8 that is liked": (scorer) => firstLiked(8, scorer, 1),
  "alpha-beta": (scorer) => alphaBeta({ turn: (word) => (word.length % 2 === 0 ? 1 : -1), branch: 4, scorer }),
  "most-likely": () => mostLikely({ branch: 4 }),
  mcts: (scorer) => mcts({ simulations: 40, scorer }),
  "mcts by uct over roll-outs": () => mcts({ simulations: 20, select: uct(), rollout: true, backup: bestBackup }),
  "mcts by gumbel over tokens, 3 workers": () =>
    mcts({ simulations: 30, select: gumbel(), draw: "top", branch: 4, workers: 3 }),
  "mcts that widens, 4 workers": () => mcts({ simulations: 40, widening: {}, workers: 4, distinct: (state) => state }),
  "tournament by elimination": (scorer) => tournament({ n: 7, compare: byScore(scorer) }),
  "tournament of all against all": (scorer) => tournament({ n: 5, format: "round-robin", compare: byScore(scorer) }),
  "a-star": () => aStar({ branch: 4, bound: ({ state }) => (4 - state.length) * Math.log(0.4) }),
  "diverse-beam": () =>
    diverseBeam({ width: 4, groups: 2, penalty: hamming(({ state, parent }) => state.slice(parent?.state.length)) }),
  "stochastic-beam": (scorer) => stochasticBeam({ width: 2, branch: 3, scorer: asProbability(scorer) }),
  dvts: (scorer) => dvts({ trees: 2, branch: 3, scorer }),
  "particle filter": (scorer) => particleFilter({ particles: 6, potential: potential(scorer, rewardWeight(1)) }),
  "particle filter, looking ahead, tempered, to a verdict": (scorer) =>
    particleFilter({
      particles: 6,
      potential: potential(asProbability(scorer), oddsWeight),
      lookahead: true,
      temper: 3,
      terminal: potential(scorer, rewardWeight(2)),
      threshold: 1,
      canonical: ({ state }) => state.at(-1),
    }),
  "particle gibbs": (scorer) =>
    particleGibbs({
      particles: 3,
      iterations: 3,
      accumulate: "multiply",
      potential: potential(scorer, rewardWeight(0.5)),
    }),
  "smc steering": (scorer) =>
    smcSteering({ particles: 3, factor: 2, potential: potential(scorer, rewardWeight(1)), distinct: (state) => state }),
  "smc steering over the most probable": (scorer) =>
    smcSteering({ particles: 3, factor: 2, draw: "top", potential: potential(scorer, rewardWeight(1)) }),
  rebase: (scorer) => rebase({ n: 6, balance: 0.5, scorer }),
  "best-first": (scorer) => bestFirst({ branch: 3, scorer, maxNodes: 30 }),
  levin: (scorer) => levin({ branch: 3, verifier: scorer, enough: 2, maxNodes: 30 }),
  "levin by a reward": (scorer) => levin({ branch: 3, guide: { scorer, temperature: 0.5 }, maxNodes: 30 }),
  "tree-of-thoughts": (scorer) => treeOfThoughts({ branch: 3, scorer, threshold: -0.1, maxNodes: 30 }),
  // The world's own policy, which goes on from finished words, revises, reflects and asks harder.
  refine: (scorer) => refine({ scorer, revise: () => undefined, critique: () => undefined, rounds: 3, parallel: 2 }),
  "refine, unscored": () => refine({ scorer: null, revise: () => undefined }),
  reflexion: (scorer) => reflexion({ scorer, reflect: () => undefined, retry: () => undefined, enough: 2 }),
  hints: () => hints({ canonical: ({ state }) => state.at(-1), hinted: () => undefined }),
  "ask-harder": (scorer) =>
    askHarder({ scorer, guard: { ...scorer, name: "guard" }, ask: () => undefined, mostFall: 1 }),
  "make-it-more": (scorer) => makeItMore({ scorer, guard: scorer, ask: () => undefined, mostFall: 2 }),
  "ask-for-search": (scorer) =>
    askForSearch({
      ask: undefined,
      read: undefined,
      scorer,
      most: 4,
      pick: (_, tries) => tries.find((one) => one.score),
    }),
  "ab-mcts": (scorer) => abMcts({ actions: { more: () => undefined }, n: 7, scorer }),
  "ab-mcts, mixed model, three at once": (scorer) =>
    abMcts({ actions: { more: () => undefined, again: () => undefined }, n: 8, batch: 3, beliefs: "mixed", scorer }),
  "chain-of-thought": () => chainOfThought({ reason: asked((word) => word), answer: () => undefined }),
  "least-to-most": () =>
    leastToMost({ decompose: asked(() => ["1", "2"]), solve: asked((word) => word), answer: () => undefined }),
  "selection-inference": () =>
    selectionInference({
      statements: () => ["x", "y"],
      select: asked((word) => (word.endsWith("c") ? [] : [0, 1])),
      infer: asked((word) => word),
      answer: () => undefined,
      steps: 3,
    }),
  maieutic: () =>
    maieutic({
      statement: () => "Q",
      explain: asked((word) => word),
      judge: asked((word) => (word.endsWith("a") ? 0.9 : 0.2)),
      relate: asked((word) => ({ kind: word.endsWith("a") ? ("entails" as const) : ("contradicts" as const) })),
      answer: () => undefined,
      branch: [2, 1],
    }),
  "backward-chaining": () =>
    backwardChaining({
      theory: () => ({ facts: ["x"], rules: ["x>q", "y>q"], goal: "q" }),
      checkFact: asked((word) => (word.endsWith("c") ? ("proved" as const) : ("unknown" as const))),
      selectRules: asked(() => [0, 1]),
      decompose: asked((word) => [word]),
      agree: asked((word) => word.endsWith("a")),
      answer: () => undefined,
      depth: 2,
    }),
  "odd-one-out": (scorer) =>
    oddOneOut({
      items: () => ["x", "y", "z"],
      associate: () => asProbability(scorer),
      answer: () => undefined,
    }),
  "think-sum by mixture": (scorer) =>
    thinkSum({
      choices: () => ["p", "q"],
      items: () => ["x", "y"],
      associate: () => asProbability(scorer),
      sum: "mixture",
      answer: () => undefined,
    }),
  "adaptive-consistency": () => adaptiveConsistency({ aggregator: majority({ canonical: lastLetter }), most: 12 }),
  "adaptive-consistency, dirichlet, three at once": () =>
    adaptiveConsistency({
      aggregator: majority({ canonical: lastLetter }),
      criterion: dirichletCriterion({ threshold: 0.9 }),
      most: 12,
      batch: 3,
    }),
  "adaptive-consistency by agreement": () =>
    adaptiveConsistency({
      aggregator: majority({ canonical: lastLetter }),
      criterion: agreement({ window: 3 }),
      most: 11,
    }),
  "optimal-stopping": (scorer) => optimalStopping({ cost: 0.1, scorer, most: 10 }),
  "optimal-stopping, three at once": (scorer) => optimalStopping({ cost: 0.1, scorer, most: 10, batch: 3 }),
  "batch-prompting": () =>
    batchPrompting({
      questions: ["a", "b", "c", "d", "e"],
      size: 2,
      ask: () => undefined,
      read: (word, count) => Array.from({ length: count }, (_, i) => word[i]?.replace("a", "") || undefined),
    }),
  "early-pruning": (scorer) => earlyPruning({ n: 8, after: [1, 3], scorer }),
  "self-assessment": (scorer) => selfAssessment({ enough: 2, after: [2], giveUp: 0, most: 9, scorer }),
  "self-assessment, three at once": (scorer) =>
    selfAssessment({ enough: 1.5, after: [1, 2], giveUp: -0.2, most: 9, batch: 3, scorer }),
  "deep-conf": () => deepConf({ canonical: lastLetter, window: 2, warmUp: 4, keep: 0.5, most: 10, batch: 2 }),
  cascade: (scorer) => cascade({ stages: [{ scorer, accept: 3 }, {}] }),
  routed: (scorer) =>
    routed({ cheap: sample(), dear: bestOfN({ n: 4, scorer }), router: { name: "dear", suffices: () => 0 } }),
  "by-difficulty": (scorer) =>
    byDifficulty({ scorer, thresholds: [1.5], strategies: [bestOfN({ n: 4, scorer }), null], probe: 3 }),
  "abstaining from a vote": () => abstaining(vote({ n: 6, aggregator: majority({ canonical: lastLetter }) }), 0.5),
};

describe.each(Object.entries(searches))("%s", (name, make) => {
  for (const law of searchLaws(name, make)) test(law.name, law.check);
});
