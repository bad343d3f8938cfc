/** The phenomena. One more is one file and one line here. */
import { coverage } from "./coverage.ts";
import { difficultyDecides } from "./difficulty.ts";
import { greedyMisses } from "./greedy.ts";
import { imperfectVerifier } from "./verifier.ts";
import { monotoneDial } from "./dial.ts";
import { noWinner } from "./winner.ts";
import { perplexityConsistency } from "./consistency.ts";
import type { Phenomenon } from "./phenomenon.ts";
import { quantisation } from "./quantisation.ts";
import { smallWithSearch } from "./size.ts";
import { stepsHelp } from "./locality.ts";
import { temperature } from "./temperature.ts";
import { weightedSampling } from "./noise.ts";

export const phenomena: readonly Phenomenon[] = [
  greedyMisses,
  coverage,
  imperfectVerifier,
  difficultyDecides,
  smallWithSearch,
  stepsHelp,
  temperature,
  weightedSampling,
  perplexityConsistency,
  noWinner,
  quantisation,
  monotoneDial,
];
