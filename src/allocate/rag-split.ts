/**
 * How to split a context budget of retrieval-augmented generation over documents, worked examples and rounds of retrieval: a fitted
 * model of quality, and the best cell of it.
 *
 *     σ⁻¹(P(θ)) = (a + b ⊙ i)ᵀ log θ + c,    θ = (documents, shots, rounds)
 *
 * Yue et al. 2024, arXiv:2410.04343, §5 (the computation allocation model): i says how much one document, and one worked example,
 * add to a data set's quality over none; there is no such term for rounds. `a`, `b` and `c` belong to a model, i to a data set, so a fit on
 * some data sets predicts another from its i alone. Departures: log(1 + θ) in place of the logarithm, as no documents and no
 * shots are cells too; and the fit maximises the likelihood of the observed shares with a slight ridge instead of least squares in
 * log-odds, so that shares of 0 and 1 have a place. With one data set `b` cannot be told from `a`, which does no harm there.
 *
 * Pays where cells are dear to measure: tens of them, at small budgets, predict which to use at a larger one. It knows neither peaks
 * nor interactions: where more documents begin to hurt, it will not say so. Check the cell that it names against its neighbours.
 */
import { dot } from "../math/linear.ts";
import { logisticRegression, sigmoid } from "../math/logistic.ts";
import { checkNumber } from "../options.ts";

/** One way to spend: each a whole number >= 0, rounds >= 1. */
export interface RagCell {
  /** Retrieved documents in one prompt. */
  readonly documents: number;
  /** Worked examples in one prompt. */
  readonly shots: number;
  /** Rounds of retrieval and generation. */
  readonly rounds: number;
}

/** What one document, and one worked example, add to the quality over none, on a data set; differences of shares. */
export interface Informativeness {
  readonly documents: number;
  readonly shots: number;
}

export interface RagObservation {
  readonly cell: RagCell;
  readonly informativeness: Informativeness;
  /** Share of questions answered well, in [0, 1]. */
  readonly quality: number;
}

export interface RagModel {
  /** a_documents, a_shots, a_rounds, b_documents, b_shots, c */
  readonly weights: readonly number[];
}

const ridge = 1e-4;

/** From at least as many observations as there are coefficients, 6. @throws RangeError where there are fewer */
export function fitRagSplit(observations: readonly RagObservation[]): RagModel {
  if (observations.length < 6)
    throw new RangeError(`Cannot fit a split as it has 6 coefficients: there are ${observations.length} observations`);
  for (const { quality } of observations) checkNumber("a split", "quality", quality, { least: 0, most: 1 });
  const rows = observations.map(({ cell, informativeness }) => featuresOf(cell, informativeness));
  return {
    weights: logisticRegression(
      rows,
      observations.map(({ quality }) => quality),
      { l2: ridge },
    ).weights,
  };
}

export const predictRag = ({ weights }: RagModel, cell: RagCell, informativeness: Informativeness): number =>
  sigmoid(dot(weights, featuresOf(cell, informativeness)));

/** The cell of the highest predicted quality whose cost is within the budget, the cheaper of equals; undefined where none is. */
export function bestRagCell(
  model: RagModel,
  cells: readonly RagCell[],
  {
    informativeness,
    budget,
    cost,
  }: {
    readonly informativeness: Informativeness;
    readonly budget: number;
    /** As of tokens in all prompts of one question, and what is generated. */
    readonly cost: (cell: RagCell) => number;
  },
): { readonly cell: RagCell; readonly quality: number; readonly cost: number } | undefined {
  return cells
    .map((cell) => ({ cell, quality: predictRag(model, cell, informativeness), cost: cost(cell) }))
    .filter((one) => one.cost <= budget)
    .sort((a, b) => b.quality - a.quality || a.cost - b.cost)[0];
}

function featuresOf({ documents, shots, rounds }: RagCell, informativeness: Informativeness): number[] {
  checkNumber("a split", "documents", documents, { least: 0 });
  checkNumber("a split", "shots", shots, { least: 0 });
  checkNumber("a split", "rounds", rounds, { least: 1 });
  const logs = [documents, shots, rounds].map(Math.log1p) as [number, number, number];
  return [...logs, informativeness.documents * logs[0], informativeness.shots * logs[1], 1];
}
