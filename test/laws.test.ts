/** Every search of the library keeps every law. One more search is one more line here. */
import { describe, test } from "vitest";
import { majority } from "../src/aggregators/majority.ts";
import type { Scorer } from "../src/scorer.ts";
import type { Node } from "../src/node.ts";
import { rankOf } from "../src/scorer.ts";
import type { Program, Search } from "../src/search.ts";
import { extend, first, score } from "../src/search.ts";
import { beam } from "../src/search/beam.ts";
import { bestOfN } from "../src/search/best-of-n.ts";
import { mostLikely } from "../src/search/most-likely.ts";
import { greedy, sample } from "../src/search/sample.ts";
import { vote } from "../src/search/vote.ts";
import { searchLaws } from "../src/testing/laws.ts";

/** The first of n words that the scorer likes; the others are cancelled. */
const firstLiked = (n: number, scorer: Scorer<string>, liked: number): Search<string> => ({
  name: "first-liked",
  options: { n, liked },
  *run(root) {
    function* word(): Program<string, Node<string> | undefined> {
      let node: Node<string> | undefined = root;
      while (node && !node.done) [node] = yield* extend(node);
      if (!node) return undefined;
      const [judged] = yield* score([node], { by: scorer });
      return judged && rankOf(judged) >= liked ? node : undefined;
    }
    const [answer] = yield* first(1, Array.from({ length: n }, word));
    return { answer, candidates: answer ? [answer] : [] };
  },
});

const searches: Record<string, (scorer: Scorer<string>) => Search<string>> = {
  greedy: () => greedy(),
  sample: () => sample({ n: 5 }),
  "best-of-n": () => bestOfN({ n: 8 }),
  vote: () => vote({ n: 9, aggregator: majority({ canonical: (node) => node.state }) }),
  "beam over tokens": () => beam({ width: 3, branch: 4 }),
  "beam over steps, scored": (scorer) =>
    beam({ width: 2, branch: 3, draw: "sample", scorer, distinct: (state) => state }),
  "first of 8 that is liked": (scorer) => firstLiked(8, scorer, 1),
  "most-likely": () => mostLikely({ branch: 4 }),
};

describe.each(Object.entries(searches))("%s", (name, make) => {
  for (const law of searchLaws(name, make)) test(law.name, law.check);
});
