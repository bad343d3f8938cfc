/** One cell: a run, and what is kept of it. */
import type { Budget, Cost } from "../budget.ts";
import type { Failure } from "../errors.ts";
import type { Journal, JournalEvent } from "../event.ts";
import type { Key } from "../key.ts";
import { type MethodContext, planOf } from "../methods.ts";
import { comparePlaces, type Node } from "../node.ts";
import type { TextState } from "../policies/text.ts";
import type { CandidateRecord, RunRecord } from "../record.ts";
import { run } from "../run.ts";
import type { FinishedRun } from "../runs/store/store.ts";
import { rankOf } from "../scorer.ts";
import type { Outcome } from "../search.ts";
import type { Contender, MadeContender } from "./contenders.ts";
import type { Cell } from "./plan.ts";

/** An engine of this process answers when it comes to it, and many cells wait for it; this is for one that hangs. */
const engineTimeoutMs = 3_600_000;

/** What is known of an answer. */
export interface Judged {
  readonly canonical: string | null;
  readonly correct: boolean | null;
}

export interface CellOptions {
  readonly evaluation: string;
  readonly contender: Contender;
  readonly context: MethodContext;
  readonly budget: Budget;
  readonly seed: number;
  readonly key: Key;
  readonly judge: (answer: string) => Judged | Promise<Judged>;
  /** What was really paid so far by this cell alone. */
  readonly paid: () => Cost;
  /** Samples in flight, of a server; engines of this process are asked for all that the policy wants. */
  readonly concurrency?: number | undefined;
  readonly signal: AbortSignal;
}

/** @throws Failed `unsupported` where the method cannot be made for this model and problem */
export const madeFor = (contender: Contender, context: MethodContext): MadeContender =>
  "method" in contender ? planOf(contender.method, contender.settings, context) : contender.make(context);

/** Undefined where it was aborted: such a run is no result. */
export async function runCell(cell: Cell, options: CellOptions): Promise<FinishedRun | undefined> {
  const { contender, context, budget, key, concurrency, signal } = options;
  const { search, policy, scorer } = madeFor(contender, context);
  const tally = tallyJournal();
  const result = await run(search, context.problem, {
    policy,
    scorer,
    seed: key,
    budget,
    journal: tally,
    signal,
    ...(concurrency === undefined ? { timeoutMs: engineTimeoutMs } : { concurrency }),
  });
  if (result.stopped.why === "aborted") return undefined;
  const { text, confidence, outcome, stopped, spent, nodes } = result;
  const abstained = (outcome as (Outcome<TextState> & { abstained?: boolean }) | undefined)?.abstained ?? false;
  const judged = text === undefined ? undefined : await options.judge(text);
  const failedSamples = nodes.filter(({ id }) => tally.failed.has(id)).length;
  const record: RunRecord = {
    id: cell.id,
    evaluation: options.evaluation,
    method: cell.method,
    budget: cell.budget,
    problem: context.problem.id,
    seed: options.seed,
    answer: text ?? null,
    canonical: judged?.canonical ?? null,
    correct: judged ? judged.correct : false,
    abstained,
    confidence: confidence ?? null,
    stopped,
    spent,
    paid: options.paid(),
    failedSamples,
    failedScores: tally.failed.size - failedSamples,
    denied: tally.denied,
    failure: tally.failure ?? null,
  };
  return {
    record,
    candidates: await candidatesOf(nodes, { id: cell.id, tally, text: policy.text, judge: options.judge }),
  };
}

interface Tally extends Journal {
  /** Ids of the work that failed. */
  readonly failed: ReadonlySet<string>;
  readonly denied: number;
  readonly failure: Failure | undefined;
  /** Node → scorer → the score from the latest place of the program. */
  readonly scores: ReadonlyMap<string, ReadonlyMap<string, Scored>>;
}

interface Scored {
  readonly place: string;
  readonly rank: number;
}

/** A journal that keeps only what a record needs: a cell that was cut short is run again, out of the ledger. */
function tallyJournal(): Tally {
  const failed = new Set<string>();
  const scores = new Map<string, Map<string, Scored>>();
  let denied = 0;
  let failure: { readonly id: string; readonly failure: Failure } | undefined;
  return {
    failed,
    scores,
    get denied() {
      return denied;
    },
    get failure() {
      return failure?.failure;
    },
    read: () => [],
    append(event: JournalEvent) {
      if (event.type === "denied") denied++;
      else if (event.type === "failure") {
        failed.add(event.id);
        if (!failure || comparePlaces(event.id, failure.id) < 0) failure = event;
      } else if (event.type === "score") {
        const own = scores.get(event.node) ?? new Map<string, Scored>();
        const before = own.get(event.scorer);
        if (!before || comparePlaces(event.id, before.place) > 0)
          own.set(event.scorer, { place: event.id, rank: rankOf(event.score) });
        scores.set(event.node, own);
      }
    },
  };
}

async function candidatesOf(
  nodes: readonly Node<TextState>[],
  {
    id,
    tally,
    text,
    judge,
  }: { id: string; tally: Tally; text: (state: TextState) => string; judge: CellOptions["judge"] },
): Promise<CandidateRecord[]> {
  const finished = nodes.filter(({ done, failure }) => done && !failure).sort((a, b) => comparePlaces(a.id, b.id));
  const candidates: CandidateRecord[] = [];
  for (const node of finished) {
    const answer = text(node.state);
    const judged = judge(answer);
    const { canonical, correct } = judged instanceof Promise ? await judged : judged;
    candidates.push({
      run: id,
      node: node.id,
      text: answer,
      canonical,
      correct,
      logProb: Number.isFinite(node.totalLogProb) ? node.totalLogProb : null,
      length: node.length,
      scores: Object.fromEntries([...(tally.scores.get(node.id) ?? [])].map(([scorer, { rank }]) => [scorer, rank])),
    });
  }
  return candidates;
}
