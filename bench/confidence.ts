/**
 * Which confidence tells right answers from wrong ones:
 *
 *     npx node bench/confidence.ts [--task countdown] [--train 1000] [--held 600]
 *
 * One sampled answer to each of so many problems, graded by the task's checker. Read-outs and maps are fitted on the first `train`
 * answers of sapling; all figures are of held-out problems, answered by sapling and by its weaker sibling seedling, and
 * always read by sapling. 95% intervals; the calibration error has none, beside it what chance alone would show.
 */
import { parseArgs } from "node:util";
import { platt } from "../src/allocate/calibrate.ts";
import { fold, key } from "../src/key.ts";
import { sigmoid } from "../src/math/logistic.ts";
import { auroc, brier, expectedCalibrationError } from "../src/measure/calibration.ts";
import { openHiddenStates } from "../src/models/llama-js/hidden-states.ts";
import type { Node } from "../src/node.ts";
import { openModel, shippedModels } from "../src/open-model.ts";
import { text } from "../src/policies/text.ts";
import type { Problem } from "../src/problem.ts";
import { run } from "../src/run.ts";
import { type FeatureReader, learnReadOut } from "../src/scorers/read-out.ts";
import { likelihoodFeatures, scoreFeature, vectorFeatures } from "../src/scorers/features.ts";
import { valueToken } from "../src/scorers/value-token.ts";
import { sample } from "../src/search/sampling/sample.ts";
import { taskNamed } from "../src/tasks/index.ts";

const { values: flags } = parseArgs({
  options: {
    task: { type: "string", default: "countdown" },
    train: { type: "string", default: "1000" },
    held: { type: "string", default: "600" },
  },
});
const [train, held] = [Number(flags.train), Number(flags.held)];
const task = taskNamed(flags.task);
const problems = distinctProblems(train + held);
const [sapling, seedling] = await Promise.all([openModel("sapling"), openModel("seedling")]);
const hidden = await openHiddenStates(shippedModels[0]?.path ?? "");

const readers: Readonly<Record<string, FeatureReader<string>>> = {
  likelihood: likelihoodFeatures(sapling),
  value: scoreFeature(valueToken(sapling)),
  hidden: vectorFeatures(hidden),
  asked: vectorFeatures(hidden, { asked: "?" }),
  question: vectorFeatures(hidden, { of: "question" }),
};

interface Graded {
  readonly right: boolean;
  /** By reader. */
  readonly features: Readonly<Record<string, readonly number[]>>;
}

const [own, theirs] = [await graded(sapling, problems), await graded(seedling, problems.slice(train))];
const [fit, ownHeld] = [own.slice(0, train), own.slice(train)];
const labels = fit.map(({ right }) => right);
const logProb = ({ features }: Graded): number => features.likelihood?.[0] as number;
const logOdds = ({ features }: Graded): number => features.value?.[0] as number;

const byLikelihood = platt(fit.map(logProb), labels);
const byValue = platt(fit.map(logOdds), labels);
/** Features side by side; the ridge is chosen by nothing but habit. */
const readOutOf = (...names: string[]) => {
  const row = ({ features }: Graded) => names.flatMap((name) => features[name] as readonly number[]);
  const { at } = learnReadOut(fit.map(row), labels.map(Number), { l2: 10 });
  return (one: Graded): number => at(row(one));
};
const methods: readonly (readonly [name: string, confidence: (one: Graded) => number])[] = [
  ["probability of the answer", (one) => Math.exp(logProb(one))],
  ["the same, Platt's map", (one) => byLikelihood.at(logProb(one))],
  ["value token", (one) => sigmoid(logOdds(one))],
  ["the same, Platt's map", (one) => byValue.at(logOdds(one))],
  ["read-out of the question alone, P(IK)", readOutOf("question")],
  ["read-out of likelihoods", readOutOf("likelihood")],
  ["read-out of the last hidden state", readOutOf("hidden")],
  ["read-out of the hidden state when asked", readOutOf("asked")],
  ["read-out of likelihoods, value and that", readOutOf("likelihood", "value", "asked")],
];

for (const [title, items] of [
  ["sapling's answers", ownHeld],
  ["seedling's answers", theirs],
] as const) {
  const correct = items.map(({ right }) => right);
  console.log(`\n${title}: ${correct.filter(Boolean).length} of ${correct.length} right\n`);
  console.log("| confidence | AUROC | Brier score | calibration error | by chance |\n|---|---|---|---|---|");
  for (const [name, confidence] of methods) {
    const said = items.map(confidence);
    const error = expectedCalibrationError(said, correct, { binning: "equal-mass" });
    const [area, score] = [auroc(said, correct), brier(said, correct)];
    const cells = [area, score].map((one) => `${two(one.value)} (${two(one.low)} to ${two(one.high)})`);
    console.log(`| ${[name, ...cells, two(error.value), two(error.whenCalibrated)].join(" | ")} |`);
  }
}

function two(x: number | undefined): string {
  return x === undefined ? "–" : x.toFixed(3);
}

function distinctProblems(count: number): Problem[] {
  const found = new Map<string, Problem>();
  for (let i = 0; found.size < count; i++) {
    const problem = task.make(fold(fold(key(2), "confidence"), i), { split: "test" });
    found.set(problem.id, problem);
  }
  return [...found.values()];
}

async function graded(model: Awaited<ReturnType<typeof openModel>>, asked: readonly Problem[]): Promise<Graded[]> {
  const policy = text(model, { maxTokens: 100, stream: false });
  const all: Graded[] = [];
  for (let from = 0; from < asked.length; from += 32)
    all.push(
      ...(await Promise.all(
        asked.slice(from, from + 32).map(async (problem, i): Promise<Graded> => {
          const { text: answer = "" } = await run(sample(), problem, { policy, seed: from + i });
          const node = { state: answer } as Node<string>;
          const request = { problem, text: (state: string) => state, seed: 0, signal: new AbortController().signal };
          const read = await Promise.all(
            Object.entries(readers).map(
              async ([name, reader]) => [name, (await reader.read(node, request)).values] as const,
            ),
          );
          return { right: task.check(problem, answer).correct, features: Object.fromEntries(read) };
        }),
      )),
    );
  return all;
}
