/**
 * Asking harder, and making it more: the prompt itself is the search, turned up until something else breaks.
 *
 * `askHarder` asks the same question with growing strength k = 0, 1, 2, …: "a waterfall", "a very beautiful waterfall", "a very
 * very …". `makeItMore` asks for more of the last output instead, again and again. Both are what people do at the prompt; neither
 * is from a paper. A scorer says how much there is of what is wanted, a second one, the guard, what must not be lost on the
 * way: being on topic, readable, true. They belong to different models or rules, or the guard falls for what fools the scorer.
 *
 * It ends with the first output whose guard is more than `mostFall` below that of the first output, when the score has not
 * risen for `patience` outputs, or after the strength `most`. The answer is the best output whose guard held; ties: the weaker
 * prompt. An output that could not be scored or guarded is in the curve, never the answer while another is. Cost: at most
 * `most` + 1 outputs and twice as many scores, one after the other.
 */
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Score, Scorer } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { Outcome, Search } from "../../search.ts";
import { BudgetSpent, propose, score } from "../../search.ts";
import { redraw } from "../judged.ts";
import { checkNumber, checkWhole } from "../../options.ts";

export interface AskHarderOptions<S> {
  /** Asks at this strength, 0 for the plain question; `from` is the node that it extends. Undefined: the run's own policy. */
  readonly ask: (strength: number, from: Node<S>) => Policy<S> | undefined;
  /** What must not be lost. */
  readonly guard: Scorer<S>;
  /** How much there is of what is wanted. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** The strongest prompt. @default 12 */
  readonly most?: number;
  /** How far the guard may fall below its first value. @default 0 */
  readonly mostFall?: number;
  /** Outputs without a better score that make a plateau. @default 3 */
  readonly patience?: number;
  /** How far an output is from the first one, for the curve. */
  readonly distance?: (first: Node<S>, output: Node<S>) => number;
}

/** One output and what was made of it. */
export interface Strengthened<S> {
  readonly strength: number;
  readonly output: Node<S>;
  /** Undefined where the scorer failed; so too `guard`. */
  readonly score: number | undefined;
  readonly guard: number | undefined;
  /** From the first output; undefined without a `distance`. */
  readonly drift: number | undefined;
}

export interface AskHarderOutcome<S> extends Outcome<S> {
  /** By growing strength; the one at which the guard fell included. */
  readonly curve: readonly Strengthened<S>[];
  readonly ended: "guard-fell" | "plateau" | "strongest" | "budget";
}

/** Every prompt asks anew. */
export function askHarder<S>(options: AskHarderOptions<S>): Search<S, AskHarderOutcome<S>> {
  return turnedUp("ask-harder", (root) => root, options);
}

/** Every prompt edits the last output. */
export function makeItMore<S>(options: AskHarderOptions<S>): Search<S, AskHarderOutcome<S>> {
  return turnedUp("make-it-more", (_root, last) => last, options);
}

function turnedUp<S>(
  name: string,
  fromOf: (root: Node<S>, last: Node<S>) => Node<S>,
  { ask, guard, scorer, most = 12, mostFall = 0, patience = 3, distance }: AskHarderOptions<S>,
): Search<S, AskHarderOutcome<S>> {
  checkWhole(name, "most", most, 0);
  checkWhole(name, "patience", patience, 1);
  checkNumber(name, "mostFall", mostFall, { least: 0 });
  return {
    name,
    options: { most, mostFall, patience, scorer: scorer?.name ?? null, guard: guard.name },
    *run(root) {
      const curve: Strengthened<S>[] = [];
      let ended: AskHarderOutcome<S>["ended"] = "strongest";
      let best: Strengthened<S> | undefined;
      let least: number | undefined;
      let last = root;
      try {
        for (let strength = 0, waited = 0; strength <= most; strength++) {
          const from = fromOf(root, last);
          const output = yield* redraw(from, ask(strength, from));
          if (!output) continue;
          last = output;
          const drift = distance?.(curve[0]?.output ?? output, output);
          const [guarded] = yield* score([output], { by: guard });
          const [judged] = yield* score([output], { by: scorer }); // last, as it is the one that the tree shows
          const point = { strength, output, drift, score: ranked(judged), guard: ranked(guarded) };
          curve.push(point);
          if (point.guard !== undefined) {
            least ??= point.guard - mostFall;
            if (point.guard < least) {
              ended = "guard-fell";
              break;
            }
          }
          if (point.score === undefined || point.guard === undefined) continue;
          if (best?.score === undefined || point.score > best.score) {
            best = point;
            waited = 0;
            yield* propose(output, point.score);
          } else if (++waited >= patience) {
            ended = "plateau";
            break;
          }
        }
      } catch (error) {
        if (!(error instanceof BudgetSpent) || curve.length === 0) throw error;
        ended = "budget";
      }
      const standing = ended === "guard-fell" ? curve.slice(0, -1) : curve;
      const chosen = best ?? standing.find(({ score }) => score !== undefined) ?? standing[0];
      return { answer: chosen?.output, candidates: curve.map(({ output }) => output), curve, ended };
    },
  };
}

const ranked = (score: Score | undefined): number | undefined => score && rankOf(score);
