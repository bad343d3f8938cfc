/** The study of `bench/gsm8k.ts` as functions: ways to choose among stored solutions, what each gets right and what it costs. */
import { type CascadeStep, fitCascade, type StageRecord } from "../src/allocate/cascade.ts";
import { bestArm } from "../src/allocate/best-arm.ts";
import { fitRouter, routeThreshold } from "../src/allocate/router.ts";
import { fold, type Key } from "../src/key.ts";
import { logisticRegression } from "../src/math/logistic.ts";
import { random } from "../src/math/random.ts";
import { activeRanking } from "../src/measure/active-ranking.ts";
import { type Question, type Solved, systems } from "./gsm8k-solutions.ts";

const dearest = systems.length - 1;

/** What a way answers: the probability that it is right (0 or 1 but for lots), and the price of all systems that it asked. */
export interface Told {
  readonly right: number;
  readonly cost: number;
}
type Way = (question: Question) => Told;

/** Probability of a label by logistic regression on features that are brought to mean 0 and deviation 1. */
function fitProbability(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
): (row: readonly number[]) => number {
  const columns = rows[0]?.map((_, i) => rows.map((row) => row[i] as number)) ?? [];
  const means = columns.map((column) => column.reduce((a, b) => a + b, 0) / column.length);
  const spreads = columns.map((column, i) =>
    Math.max(1e-9, Math.sqrt(column.reduce((sum, x) => sum + (x - (means[i] as number)) ** 2, 0) / column.length)),
  );
  const scaled = (row: readonly number[]) => row.map((x, i) => (x - (means[i] as number)) / (spreads[i] as number));
  const { suffices } = fitRouter(rows.map(scaled), labels);
  return (row) => suffices(scaled(row));
}

const priceOf = (asked: readonly number[]): number =>
  asked.reduce((sum, system) => sum + (systems[system]?.price as number), 0);

const alone =
  (system: number): Way =>
  ({ solved }) => ({ right: Number((solved[system] as Solved).right), cost: priceOf([system]) });

interface Candidate {
  readonly right: boolean;
  /** [voters] 1 where the system gave this answer. */
  readonly votes: readonly number[];
}

/** The answers that some systems gave, each once. */
function candidatesOf({ solved }: Question, voters: readonly number[]): Candidate[] {
  const given = voters.map((system) => solved[system] as Solved);
  const answers = new Set(given.flatMap(({ answer }) => (answer === undefined ? [] : [answer])));
  return Array.from(answers, (answer) => ({
    right: given.some((one) => one.answer === answer && one.right),
    votes: given.map((one) => Number(one.answer === answer)),
  }));
}

const leaderBy = (candidates: readonly Candidate[], weight: (candidate: Candidate) => number): Candidate | undefined =>
  candidates.reduce<Candidate | undefined>((best, one) => (best && weight(best) > weight(one) ? best : one), undefined);

/** Equal votes go to the dearest voter. */
const countVotes = ({ votes }: Candidate): number =>
  votes.reduce((sum, vote, i) => sum + vote * (1 + 1e-6 * 2 ** i), 0);

/** Weights of a vote that tell best on recorded questions which answer is right. */
function votingWeights(train: readonly Question[], voters: readonly number[]): number[] {
  const candidates = train.flatMap((question) => candidatesOf(question, voters));
  const rows = candidates.map(({ votes }) => [...votes, 1]);
  return [
    ...logisticRegression(
      rows,
      candidates.map(({ right }) => Number(right)),
    ).weights,
  ];
}
const weigh =
  (weights: readonly number[]) =>
  ({ votes }: Candidate): number =>
    votes.reduce((sum, vote, i) => sum + vote * (weights[i] as number), weights.at(-1) as number);

function vote(voters: readonly number[], weight: (candidate: Candidate) => number): Way {
  return (question) => ({
    right: Number(leaderBy(candidatesOf(question, voters), weight)?.right ?? false),
    cost: priceOf(voters),
  });
}

/** The records of stages go through the steps, as `evaluateCascade` does for many. */
function along(steps: readonly CascadeStep[], recordOf: (question: Question) => readonly StageRecord[]): Way {
  return (question) => {
    const records = recordOf(question);
    let cost = 0;
    for (const { stage, threshold } of steps) {
      const { score, right, cost: paid } = records[stage] as StageRecord;
      cost += paid;
      if (score >= threshold) return { right: Number(right), cost };
    }
    throw new RangeError("The last step of a cascade accepts everything");
  };
}

/** All ways, fitted on recorded questions. `budget`: mean price of the fitted cascades and of the router. */
export function fitWays(train: readonly Question[], budget: number): Map<string, Way> {
  const all = systems.map((_, system) => system);
  const cheap = all.slice(0, -1);
  const ways = new Map<string, Way>(systems.map(({ name }, system) => [name, alone(system)]));
  const accuracyOf = (system: number) => train.filter(({ solved }) => solved[system]?.right).length;
  const best = all.reduce((a, b) => (accuracyOf(b) > accuracyOf(a) ? b : a));
  ways.set("best of the learning half", alone(best));
  ways.set("majority of the three cheaper", vote(cheap, countVotes));
  ways.set("majority of four", vote(all, countVotes));
  ways.set("weighted vote of four", vote(all, weigh(votingWeights(train, all))));

  // Each system judged by the look of question and solution.
  const judges = all.map((system) =>
    fitProbability(
      train.map(({ features, solved }) => [...features, ...(solved[system] as Solved).features]),
      train.map(({ solved }) => Number(solved[system]?.right)),
    ),
  );
  const singly = ({ features, solved }: Question): StageRecord[] =>
    solved.map((one, system) => ({
      score: (judges[system] as (row: readonly number[]) => number)([...features, ...one.features]),
      right: one.right,
      cost: priceOf([system]),
    }));
  const bySight = fitCascade(train.map(singly), { budget, levels: 16 });
  if (bySight) ways.set("cascade by the look of the solution", along(bySight.steps, singly));

  // Three cheap systems first, and a judge who sees how they agree and what their best answer looks like; then all four vote.
  const cheapWeight = weigh(votingWeights(train, cheap));
  const seen = (question: Question): { readonly row: number[]; readonly right: boolean } => {
    const leader = leaderBy(candidatesOf(question, cheap), cheapWeight);
    const first = leader ? leader.votes.lastIndexOf(1) : 0;
    const { features } = question.solved[cheap[first] as number] as Solved;
    return {
      row: [...question.features, ...features, ...(leader?.votes ?? cheap.map(() => 0))],
      right: leader?.right ?? false,
    };
  };
  const judge = fitProbability(
    train.map((question) => seen(question).row),
    train.map((question) => Number(seen(question).right)),
  );
  const whole = vote(all, weigh(votingWeights(train, all)));
  const agreeing = (question: Question): StageRecord[] => {
    const { row, right } = seen(question);
    return [
      { score: judge(row), right, cost: priceOf(cheap) },
      { score: 0, right: whole(question).right === 1, cost: priceOf([dearest]) },
    ];
  };
  // The second stage is never without the first, whose price it leaves out.
  const byAgreement = fitCascade(train.map(agreeing), { budget });
  if (byAgreement?.steps[0]?.stage === 0) ways.set("cascade by agreement and look", along(byAgreement.steps, agreeing));

  // Between the cheaper and the dearest by the question alone, and by lot.
  const small = 1;
  const share = (budget - priceOf([small])) / (priceOf([dearest]) - priceOf([small]));
  const suffices = fitProbability(
    train.map(({ features }) => features),
    train.map(({ solved }) => Number(Number(solved[small]?.right) >= Number(solved[dearest]?.right))),
  );
  const threshold = routeThreshold(
    train.map(({ features }) => suffices(features)),
    share,
  );
  ways.set("router, 175B fine-tuned or 175B verification", (question) =>
    alone(suffices(question.features) >= threshold ? small : dearest)(question),
  );
  const byLot = (one: Way, other: Way, part: number): Way => {
    return (question) => ({
      right: (1 - part) * one(question).right + part * other(question).right,
      cost: (1 - part) * one(question).cost + part * other(question).cost,
    });
  };
  ways.set("by lot, the router's two", byLot(alone(small), alone(dearest), share));
  const voteShare = (budget - priceOf(cheap)) / priceOf([dearest]);
  ways.set("by lot, votes of three or four", byLot(vote(cheap, cheapWeight), whole, voteShare));
  ways.set("any of the four (oracle)", ({ solved }) => ({
    right: Number(solved.some(({ right }) => right)),
    cost: priceOf(all),
  }));
  return ways;
}

const budgeted: readonly string[] = [
  "cascade by the look of the solution",
  "cascade by agreement and look",
  "router, 175B fine-tuned or 175B verification",
  "by lot, the router's two",
  "by lot, votes of three or four",
];

export interface WayFigures {
  readonly name: string;
  /** Whether it was fitted to the budget. */
  readonly hasBudget: boolean;
  /** [questions][splits] how likely right: each question is tested once in each split, by what the other half has learned. */
  readonly right: readonly (readonly number[])[];
  /** Mean price of a question. */
  readonly cost: number;
}

/** Random halves: each learns for the other, both ways. */
export function study(
  questions: readonly Question[],
  { key, splits, budget }: { key: Key; splits: number; budget: number },
): WayFigures[] {
  const found = new Map<string, { right: number[][]; cost: number }>();
  for (let split = 0; split < splits; split++) {
    const order = random(fold(key, split)).shuffled(questions.map((_, i) => i));
    const halves = [order.slice(0, order.length >> 1), order.slice(order.length >> 1)] as const;
    for (const [learning, testing] of [halves, [halves[1], halves[0]] as const])
      for (const [name, way] of fitWays(
        learning.map((i) => questions[i] as Question),
        budget,
      )) {
        const figures = found.get(name) ?? { right: questions.map(() => []), cost: 0 };
        found.set(name, figures);
        for (const i of testing) {
          const { right, cost } = way(questions[i] as Question);
          figures.right[i]?.push(right);
          figures.cost += cost / splits / questions.length;
        }
      }
  }
  return Array.from(found, ([name, figures]) => ({ name, hasBudget: budgeted.includes(name), ...figures }));
}

/** How many answers it takes to know the best system, asked one by one (`bestArm`) and all on each question (`activeRanking`). */
export function findBest(
  questions: readonly Question[],
  key: Key,
  delta: number,
): {
  readonly best: number | undefined;
  readonly answers: number;
  readonly ranked: number | undefined;
  readonly rankedAnswers: number;
} {
  const stream = random(key);
  const arms = bestArm(systems.length, { delta });
  while (arms.best === undefined) {
    const { solved } = stream.pick(questions);
    arms.tell(arms.next.map((system) => Number(solved[system]?.right)));
  }
  const ranking = activeRanking(systems.length, { level: 1 - delta });
  let rankedAnswers = 0;
  let ranked = -1;
  for (; ranked < 0; ranked = ranking.ranks.findIndex(({ high }) => high === 1)) {
    const { solved } = stream.pick(questions);
    const open = ranking.open;
    rankedAnswers += open.length;
    ranking.tell(solved.map(({ right }, system) => (open.includes(system) ? Number(right) : undefined)));
  }
  return { best: arms.best, answers: arms.answers.reduce((a, b) => a + b, 0), ranked, rankedAnswers };
}
