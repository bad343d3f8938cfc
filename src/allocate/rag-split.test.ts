import { expect, test } from "vitest";
import { random } from "../math/random.ts";
import {
  bestRagCell,
  fitRagSplit,
  type Informativeness,
  predictRag,
  type RagCell,
  type RagModel,
} from "./rag-split.ts";

const planted: RagModel = { weights: [0.25, 0.1, 0.4, 1.5, 0.8, -2] };
const datasets: readonly Informativeness[] = [
  { documents: 0.3, shots: 0.05 },
  { documents: 0.1, shots: 0.3 },
  { documents: 0.5, shots: 0.2 },
];
const cells: RagCell[] = [0, 1, 2, 5, 10, 20, 50, 100].flatMap((documents) =>
  [0, 1, 2, 4, 8, 16, 32].flatMap((shots) => [1, 2, 3, 5].map((rounds) => ({ documents, shots, rounds }))),
);
/** Tokens: a document has 1,000, a worked example 500 and as many documents less a tenth, a question 100. */
const cost = ({ documents, shots, rounds }: RagCell) => rounds * (100 + 1000 * documents + 600 * shots);

test("a planted law is recovered, and its best cell at a budget that was never seen", () => {
  const stream = random(3);
  const questions = 400;
  const observed = datasets.flatMap((informativeness) =>
    cells
      .filter((cell) => cost(cell) <= 16_000)
      .map((cell) => {
        const p = predictRag(planted, cell, informativeness);
        let right = 0;
        for (let i = 0; i < questions; i++) right += Number(stream.uniform() < p);
        return { cell, informativeness, quality: right / questions };
      }),
  );
  const fitted = fitRagSplit(observed);
  const unseen: Informativeness = { documents: 0.2, shots: 0.15 };
  for (const budget of [32_000, 128_000]) {
    const within = cells.filter((cell) => cost(cell) <= budget);
    const best = Math.max(...within.map((cell) => predictRag(planted, cell, unseen)));
    const chosen = bestRagCell(fitted, cells, { informativeness: unseen, budget, cost });
    if (!chosen) throw new Error("some cells are within the budget");
    expect(chosen.cost).toBeLessThanOrEqual(budget);
    expect(predictRag(planted, chosen.cell, unseen)).toBeGreaterThan(best - 0.01);
    // Everything on documents, which is retrieval without the rest, is far from it.
    const plain = Math.max(
      ...within
        .filter(({ shots, rounds }) => shots === 0 && rounds === 1)
        .map((cell) => predictRag(planted, cell, unseen)),
    );
    expect(best).toBeGreaterThan(plain + 0.05);
  }
});

test("without noise the coefficients come back", () => {
  const observed = datasets.flatMap((informativeness) =>
    cells.map((cell) => ({ cell, informativeness, quality: predictRag(planted, cell, informativeness) })),
  );
  for (const [i, weight] of fitRagSplit(observed).weights.entries())
    expect(Math.abs(weight - (planted.weights[i] as number))).toBeLessThan(0.01);
});

test("shares of 0 and 1 are data, too few observations are not, and nothing within the budget is said", () => {
  const informativeness = { documents: 0.1, shots: 0.1 };
  const observed = cells.map((cell) => ({ cell, informativeness, quality: Number(cell.documents >= 10) }));
  const fitted = fitRagSplit(observed);
  expect(predictRag(fitted, { documents: 100, shots: 0, rounds: 1 }, informativeness)).toBeGreaterThan(0.9);
  expect(() => fitRagSplit(observed.slice(0, 5))).toThrow("6 coefficients");
  expect(bestRagCell(fitted, cells, { informativeness, budget: 50, cost })).toBeUndefined();
});
