/** The searches over vectors keep the laws that every search keeps, in a world of vectors. */
import { describe, test } from "vitest";
import { dot, type Vector } from "../src/math/linear.ts";
import { latent } from "../src/policies/latent.ts";
import type { Policy } from "../src/policy.ts";
import type { Scorer } from "../src/scorer.ts";
import type { Search } from "../src/search.ts";
import { bestOfN } from "../src/search/sampling/best-of-n.ts";
import { cmaEs } from "../src/search/latent/cma-es.ts";
import { gradientAscent } from "../src/search/latent/gradient-ascent.ts";
import { latentDirection } from "../src/search/latent/latent-direction.ts";
import type { Space } from "../src/search/latent/space.ts";
import { searchLaws, type World } from "../src/testing/laws.ts";
import { faultyScorer, type Weather } from "../src/testing/letters.ts";
import { weathered } from "./helpers/weather.ts";

const dimension = 3;
const calm = latent({ dimension });

/** The weather of the run that was begun last: a search's own points meet it too. */
let weather: Weather = {};
const space: Space = { dimension, at: (points): Policy<Vector> => weathered(calm.at(points), weather) };

const world: World<Vector> = {
  problem: { id: "vectors", prompt: "" },
  policy(now) {
    weather = now;
    return weathered(calm, now);
  },
  scorer: (faults) => faultyScorer("near", (z) => -dot(z, z) + 2 * (z[0] as number), faults),
};

const searches: Record<string, (scorer: Scorer<Vector>) => Search<Vector>> = {
  "best-of-n over vectors": (scorer) => bestOfN({ n: 6, scorer }),
  "cma-es": (scorer) => cmaEs({ space, generations: 4, scorer }),
  "gradient ascent": (scorer) => gradientAscent({ space, starts: 3, steps: 3, scorer }),
  "gradient ascent by exact slopes": (scorer) =>
    gradientAscent({ space, starts: 3, steps: 4, gradient: (z) => z.map((x, i) => (i === 0 ? 2 : 0) - 2 * x), scorer }),
  "latent direction": (scorer) => latentDirection({ space, samples: 3, rounds: 2, scorer }),
};

describe.each(Object.entries(searches))("%s", (name, make) => {
  for (const law of searchLaws(name, make, world)) test(law.name, law.check);
});
