/**
 * The laws that every search keeps, as checks for any test runner:
 *
 *     for (const law of searchLaws("best-of-n", () => bestOfN({ n: 8 }))) test(law.name, law.check);
 *
 * A search that brings a scorer of its own takes the one that it is given, as that is where faults are injected. The laws
 * run in the world of letters.ts, where everything can go wrong on purpose; a search over states of its own is tested in a
 * world of its own.
 *
 * A search that cancels, by `first`, may have drawn more or less of what it wanted no more: which of those lines are in its
 * journal, as replies or as `lost`, and what they cost, depends on the weather. What its result rests upon does not: the
 * replies that it needs when they are told one by one in order of place. Of such a search those are compared, and lines of
 * one id must agree. Of all others the whole journal is compared.
 */
import type { Budget } from "../budget.ts";
import { noCost } from "../budget.ts";
import type { Work } from "../driver.ts";
import { driver } from "../driver.ts";
import type { JournalEvent, ReplyEvent } from "../event.ts";
import { fold, key, seedOf } from "../key.ts";
import type { Node } from "../node.ts";
import { comparePlaces } from "../node.ts";
import type { Policy } from "../policy.ts";
import type { Problem } from "../problem.ts";
import type { Result } from "../run.ts";
import { run } from "../run.ts";
import { replyOf } from "../run/recording.ts";
import { memoryJournal } from "../runs/memory.ts";
import type { Scorer } from "../scorer.ts";
import type { Search } from "../search.ts";
import type { Weather } from "./letters.ts";
import { lettersPolicy, lettersProblem, lettersScorer } from "./letters.ts";

export interface Law {
  readonly name: string;
  check(): Promise<void>;
}

/** A world to run in: what a search is given under some weather. */
export interface World<S> {
  policy(weather: Weather): Policy<S>;
  scorer(weather: Pick<Weather, "fault">): Scorer<S>;
  readonly problem: Problem;
}

const lettersWorld: World<string> = { policy: lettersPolicy, scorer: lettersScorer, problem: lettersProblem };

/** For searches over words. */
export function searchLaws(name: string, make: (scorer: Scorer<string>) => Search<string>): Law[];
/** For searches over states of one's own. */
export function searchLaws<S>(name: string, make: (scorer: Scorer<S>) => Search<S>, world: World<S>): Law[];
export function searchLaws<S>(
  name: string,
  make: (scorer: Scorer<S>) => Search<S>,
  world = lettersWorld as unknown as World<S>,
): Law[] {
  const seed = 11;

  async function trial(
    { scoring, ...weather }: Weather & { scoring?: Pick<Weather, "fault"> },
    options: { budget?: Budget; events?: readonly JournalEvent[]; timeoutMs?: number; concurrency?: number } = {},
  ) {
    const journal = memoryJournal(options.events);
    const scorer = world.scorer(scoring ?? {});
    const result = await run(make(scorer), world.problem, {
      policy: world.policy(weather),
      scorer,
      seed,
      journal,
      clock: () => 0,
      budget: options.budget ?? {},
      timeoutMs: options.timeoutMs ?? 10_000,
      concurrency: options.concurrency ?? 16,
    });
    return { result, events: journal.events };
  }

  /** What the result of a journal rests upon, and whether the search cancelled anything. */
  function basisOf(events: readonly JournalEvent[]): { basis: readonly ReplyEvent[]; cancels: boolean } {
    const [policy, scorer] = [world.policy({}), world.scorer({})];
    const replies = new Map(events.filter(isReply).map((event) => [event.id, event]));
    const d = driver(make(scorer), {
      state: policy.root(world.problem),
      problem: world.problem,
      key: key(seed),
      scorer,
    });
    const basis: ReplyEvent[] = [];
    const open = new Map<string, Work<S>>();
    let cancels = false;
    for (;;) {
      for (const work of d.ask()) open.set(work.id, work);
      for (const id of d.unwanted()) cancels = open.delete(id) || cancels;
      if (d.result) return { basis, cancels };
      const [id = ""] = [...open.keys()].sort(comparePlaces);
      const [work, event] = [open.get(id), replies.get(id)];
      if (!work || !event) throw new Error(`The journal should have a reply to '${id}', which its result rests upon`);
      d.tell(id, replyOf(event, work, (work.type === "extend" && work.policy) || policy));
      open.delete(id);
      basis.push(event);
    }
  }

  /** Two journals of one run under different weather. */
  function sameRun(actual: readonly JournalEvent[], expected: readonly JournalEvent[], what: string): void {
    const [a, b] = [basisOf(actual), basisOf(expected)];
    equal(a.cancels, b.cancels, `cancelling in the ${what}`);
    if (!b.cancels) {
      equal(a.basis.length, actual.filter(isReply).length, `number of replies that are needed in the ${what}`);
      return equal(bytes(actual), bytes(expected), what);
    }
    equal(bytes([...a.basis, ...frame(actual)]), bytes([...b.basis, ...frame(expected)]), what);
    const lines = new Map(expected.filter(isReply).map((event) => [event.id, event]));
    for (const event of actual.filter(isReply))
      if (lines.has(event.id)) equal(event, lines.get(event.id), `line '${event.id}' of the ${what}`);
  }

  return [
    {
      name: `${name}: same key, same run, whatever the order and batching of replies`,
      async check() {
        const calm = await trial({});
        for (const [disorder, batch, concurrency] of [
          [1, 1, 1],
          [2, 1, 64],
          [3, 3, 7],
          [4, 100, 100],
        ] as const) {
          const stormy = await trial({ disorder, batch }, { concurrency });
          sameRun(stormy.events, calm.events, `journal with disorder ${disorder}, batch ${batch}`);
        }
      },
    },
    {
      name: `${name}: killed after any event and resumed, the result is the same and nothing is asked twice`,
      async check() {
        const whole = await trial({});
        const { cancels } = basisOf(whole.events);
        const end = whole.events.findIndex((event) => event.type === "run-end");
        const stride = Math.max(1, Math.floor(end / 60));
        for (let kept = 1; kept <= end; kept += stride) {
          const events = whole.events.slice(0, kept);
          const asked: string[] = [];
          const onAsk = (state: string, sample: number, rank: number) => asked.push(`${state} ${sample} ${rank}`);
          const resumed = await trial({ disorder: kept, onAsk }, { events });
          equal(
            summary(resumed.result, cancels),
            summary(whole.result, cancels),
            `result when resumed after event ${kept}`,
          );
          const due = cancels ? resumed.events : whole.events; // what a search that cancels asks depends on the weather
          const lost = count(due, "lost") - count(events, "lost");
          equal(
            asked.length,
            count(due, "extension") -
              count(events, "extension") +
              count(due, "absent") -
              count(events, "absent") +
              lost,
            `samples asked after event ${kept}`,
          );
          const ids = resumed.events.filter(isReply).map(({ id }) => id);
          equal(ids.length, new Set(ids).size, `number of replies, each once, when resumed after event ${kept}`);
          sameRun(resumed.events, whole.events, `journal when resumed after event ${kept}`);
        }
        const again = await trial({}, { events: whole.events });
        equal(again.events, whole.events, "journal of an ended run that is looked at again");
      },
    },
    {
      name: `${name}: the budget is never exceeded, and the ending says what limited it`,
      async check() {
        const free = await trial({});
        const { basis } = basisOf(free.events);
        const { spent } = free.result;
        for (const limit of ["tokens", "promptTokens", "calls"] as const)
          for (const share of [0, 0.1, 0.34, 0.5, 0.9, 1]) {
            const most = Math.floor(spent[limit] * share);
            const { result, events } = await trial({ disorder: 5 }, { budget: { [limit]: most } });
            holds(result.spent[limit] <= most, `spent ${result.spent[limit]} of ${most} ${limit}`);
            equal(sum(events, limit), result.spent[limit], `sum of recorded ${limit}`);
            if (most < sum(basis, limit) / 2)
              equal(result.stopped, { why: "budget-spent", limit }, `ending with ${most} ${limit}`);
          }
      },
    },
    {
      name: `${name}: what was finished before the budget ended is not lost`,
      async check() {
        const { spent } = (await trial({})).result;
        for (const limit of ["tokens", "calls"] as const) {
          const stride = Math.max(1, Math.floor(spent[limit] / 24));
          for (let most = 0; most < spent[limit]; most += stride) {
            const { result } = await trial({}, { budget: { [limit]: most } });
            if (result.stopped.why !== "budget-spent") continue;
            const finished = result.nodes.filter(usable);
            const answer = result.answer ?? (finished.length === 0 ? "none is due" : undefined);
            holds(answer !== undefined, `there is an answer with ${most} ${limit}`);
            holds(
              result.answer === undefined || result.answer.score !== undefined || !finished.some(({ score }) => score),
              `the answer with ${most} ${limit} is one that was scored`,
            );
          }
        }
      },
    },
    {
      name: `${name}: ends when every draw fails, when every score fails, and without a budget`,
      async check() {
        const fault = () => "fail" as const;
        const failed = (await trial({ fault, scoring: { fault } })).result;
        equal([failed.answer?.id, failed.stopped.why], [undefined, "all-failed"], "answer and ending when all fails");
        const unscored = (await trial({ scoring: { fault } })).result;
        holds(!unscored.answer?.score, "no answer has a score when every score fails");
        const poor = (await trial({}, { budget: { tokens: 0, promptTokens: 0, calls: 0 } })).result;
        equal([poor.answer?.id, poor.stopped.why], [undefined, "budget-spent"], "answer and ending without a budget");
      },
    },
    {
      name: `${name}: a failing, empty, NaN-scored or hanging reply harms only its node`,
      async check() {
        const { cancels } = basisOf((await trial({})).events);
        const faults = [
          ["fail", "drawing"],
          ["empty", "drawing"],
          ["hang", "drawing"],
          ["fail", "scoring"],
          ["nan", "scoring"],
          ["hang", "scoring"],
        ] as const;
        for (const [kind, where] of faults) {
          const struck = new Set<number>();
          const fault = (sample: number) => {
            if (seedOf(fold(key(sample), "fault")) % 4 !== 0) return undefined;
            struck.add(sample);
            return kind;
          };
          const weather = where === "drawing" ? { fault } : { scoring: { fault } };
          const { result, events } = await trial({ ...weather, disorder: 6 }, kind === "hang" ? { timeoutMs: 10 } : {});
          const failures = events.filter((event) => event.type === "failure");
          // Empty is a legal reply; a hanging one takes along what the same call still owed; what is cancelled is lost.
          const lost = count(events, "lost");
          holds(cancels || lost === 0, `nothing is lost when ${where} under '${kind}'`);
          if (kind === "hang") holds(failures.length + lost >= struck.size, `hanging replies fail when ${where}`);
          else if (kind === "empty") equal(failures.length, 0, `failures when ${where} under 'empty'`);
          else {
            holds(failures.length <= struck.size, `only what was struck fails when ${where} under '${kind}'`);
            holds(failures.length + lost >= struck.size, `all that was struck fails when ${where} under '${kind}'`);
          }
          equal(sum(events, "tokens"), result.spent.tokens, `sum of recorded tokens when ${where} under '${kind}'`);
          holds(
            result.answer === undefined || result.answer.failure === undefined,
            `a failed node is no answer when ${where} under '${kind}'`,
          );
          const scored = result.nodes.some((node) => usable(node) && node.score);
          const unscored = result.answer && result.answer.score === undefined;
          holds(
            !(scored && unscored && failures.length > 0 && where === "scoring"),
            "an unscored answer does not win over a scored one",
          );
          const survivors = result.nodes.filter(usable).length;
          holds(
            survivors === 0 || result.answer !== undefined || result.stopped.why !== "answered",
            `living answers are used when ${where} under '${kind}'`,
          );
        }
      },
    },
    {
      name: `${name}: the answer is available from any moment on`,
      async check() {
        const whole = await trial({});
        const scores = whole.events.some((event) => event.type === "score");
        const journal = memoryJournal();
        const scorer = world.scorer({});
        const running = run(make(scorer), world.problem, {
          policy: world.policy({ disorder: 8 }),
          scorer,
          seed,
          journal,
          concurrency: 3,
        });
        for await (const event of running) {
          const candidates = running.nodes.filter(usable).filter((node) => !scores || node.score);
          if (candidates.length > 0 && event.type !== "text-delta")
            holds(running.best !== undefined, `a best answer exists once ${candidates[0]?.id} is finished`);
        }
        // Stopped half-way, the run ends at once with what it has.
        const half = new AbortController();
        let replies = 0;
        const onAsk = () => void (++replies * 2 > count(whole.events, "extension") && half.abort());
        const stopped = await run(make(scorer), world.problem, {
          policy: world.policy({ onAsk }),
          scorer,
          seed,
          signal: half.signal,
          concurrency: 1,
        });
        const early = stopped.nodes.filter(usable).filter((node) => !scores || node.score);
        holds(early.length === 0 || stopped.answer !== undefined, "a stopped run answers with its best so far");
      },
    },
  ];
}

const isReply = (event: JournalEvent): event is ReplyEvent => "id" in event && event.type !== "lost";

/** Start and end of a journal, but for what was spent. */
const frame = (events: readonly JournalEvent[]): JournalEvent[] =>
  events
    .filter(({ type }) => type === "run-start" || type === "run-end")
    .map((event) => (event.type === "run-end" ? { ...event, spent: { ...noCost, seconds: 0 } } : event));

const usable = <S>(node: Node<S>): boolean => node.done && !node.failure;

/** A journal as text, its lines in order of work id; the marks of resuming left out. */
function bytes(events: readonly JournalEvent[]): string {
  return events
    .filter((event) => event.type !== "run-resume")
    .map(
      (event) =>
        [`${event.type === "run-start" ? "" : "id" in event ? event.id : "~"}`, JSON.stringify(event)] as const,
    )
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, line]) => line)
    .join("\n");
}

const count = (events: readonly JournalEvent[], type: JournalEvent["type"]): number =>
  events.filter((event) => event.type === type).length;

function sum(events: readonly JournalEvent[], unit: "tokens" | "promptTokens" | "calls"): number {
  return events.reduce((total, event) => total + ("cost" in event ? event.cost[unit] : 0), 0);
}

const summary = <S>({ answer, text, confidence, stopped, spent }: Result<S>, cancels: boolean) => ({
  answer: answer?.id,
  text,
  confidence,
  stopped,
  ...(cancels ? {} : { spent }),
});

function equal(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a === b) return;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  throw new Error(
    `The ${what} should be\n  …${b.slice(Math.max(0, at - 80), at + 200)}\nbut is\n  …${a.slice(Math.max(0, at - 80), at + 200)}`,
  );
}

function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(`It should hold that ${what}`);
}
