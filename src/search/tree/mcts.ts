/**
 * Monte Carlo tree search: spend the next evaluation where the ones so far, the prior and what is still unknown point to.
 *
 * A simulation walks from the root down by a rule of selection, evaluates one new node, and backs its value up to the root:
 * Coulom 2006 (CG), Kocsis & Szepesvári 2006 (ECML; `uct`), Silver et al. 2018 (Science 362; `puct`), Danihelka et al. 2022
 * (ICLR; `gumbel`). A node is whatever the policy's step makes of it: tokens, lines, whole answers (then it is a bandit of
 * depth one), moves of a game. The rules, backups and the tree are in mcts/; `plan` runs the same without effects.
 *
 * Children are the most probable steps (`draw: "top"`), with their probabilities as priors; or `branch` draws at a node's
 * second visit; or draws one by one as visits grow (`widening`: at most ⌈c · N^α⌉ of them, at the N-th visit below the node.
 * Coulom 2007, "Computing Elo ratings of move patterns in the game of Go"; this form as in Couëtoux et al. 2011, LION 5).
 * Drawn children have equal priors, as chance has weighted them by coming up; equal ones can be merged (`distinct`), their
 * prior the number of their draws. A new node is worth its score by `scorer`, or with `rollout` that of an answer completed
 * from it; a finished one is worth its score by `verifier`, is never extended, and is not scored again when visits come back.
 *
 * `workers` leaves at a time are picked one after the other, visits underway counting as lost (virtual loss: Chaslot et al.
 * 2008, CG, here the worst value so far), evaluated side by side and backed up in the order of picking: the same tree whatever
 * the timing; 1 is the classical algorithm. Workers that meet at one leaf share its evaluation.
 *
 * Departures: the root is evaluated before the first simulation; a node is extended when it is visited for the second time,
 * not the first, which leaves the statistics as they are and saves the extensions of leaves. A node that could not be scored,
 * or has no children, is closed: never chosen again, its visit not counted. Ties: the more probable, then the earlier child.
 * Cost: a score (or a roll-out) a simulation and one for the root, and an extension for each node that is visited twice; a few
 * microseconds of its own a node. Not for whole answers with an exact verifier: there is nothing to learn between them.
 */
import { fold } from "../../key.ts";
import type { Node } from "../../node.ts";
import { comparePlaces } from "../../node.ts";
import type { Draw } from "../../policy.ts";
import type { Score, Scorer } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { BudgetSpent, Outcome, Program, Search } from "../../search.ts";
import { extend, propose, score } from "../../search.ts";
import { affordable, allAffordable } from "../../program.ts";
import { complete } from "../../program.ts";
import { type Backup, meanBackup } from "./mcts/backup.ts";
import { type PlannedMove, rootMoves } from "./mcts/plan.ts";
import { descend, mostValued, mostVisited, puct, type Select, type SelectRule } from "./mcts/select.ts";
import { Status, Tree } from "./mcts/tree.ts";
import { checkWhole } from "../../options.ts";

export interface MctsOptions<S> {
  /** @default 100 */
  readonly simulations?: number;
  /** Rule of selection: `uct`, `puct`, `gumbel`. @default puct() */
  readonly select?: Select;
  /** `top`: the most probable steps, with priors (tokens, games); `sample`: draws. @default "sample" */
  readonly draw?: Draw;
  /** Children of a node; for a game no fewer than there are legal moves. @default 4 draws, or the 32 most probable */
  readonly branch?: number;
  /** Draws children one by one, ⌈c · N^alpha⌉ in all, in place of `branch` at once. */
  readonly widening?: Widening;
  /** Merges drawn siblings that are equal by this key. */
  readonly distinct?: (state: S) => string;
  /** Scores new nodes. @default the run's scorer */
  readonly scorer?: Scorer<S> | undefined;
  /** Judges finished answers, on the same scale. @default the scorer */
  readonly verifier?: Scorer<S> | undefined;
  /** What a score is worth, for the first player; values should span about 1 for `uct`. @default rankOf */
  readonly value?: (score: Score) => number;
  /** Whose turn it is: −1 minimises. @default always 1 */
  readonly turn?: (state: S) => 1 | -1;
  /** Values a new node by completing it with the policy and scoring the end. @default false */
  readonly rollout?: boolean;
  /** @default meanBackup */
  readonly backup?: Backup;
  /** Leaves evaluated side by side. @default 1 */
  readonly workers?: number;
  /** Ends once a finished answer is worth at least this. @default never */
  readonly enough?: number;
  /**
   * `finished`: the finished answer of the best score. `move`: the root's child to play, which need not be finished.
   * @default "move" where `turn` is given, else "finished"
   */
  readonly answer?: "finished" | "move";
  /** What the move is chosen by, where the rule has no say of its own. @default "visits" */
  readonly choose?: "visits" | "value";
}

export interface Widening {
  /** @default 1 */
  readonly c?: number;
  /** In [0, 1]. @default 0.5 */
  readonly alpha?: number;
}

export interface MctsMove<S> extends Omit<PlannedMove, "move"> {
  readonly node: Node<S>;
}

export interface MctsNode<S> {
  readonly node: Node<S>;
  readonly visits: number;
  /** For the first player. */
  readonly value: number;
}

export interface MctsOutcome<S> extends Outcome<S> {
  /** The root's children, in order of place: what the search knows of each. */
  readonly moves: readonly MctsMove<S>[];
  /** Every node that was visited, parents before children: values of steps that nobody labelled. */
  readonly visited: readonly MctsNode<S>[];
}

export function mcts<S>(options: MctsOptions<S> = {}): Search<S, MctsOutcome<S>> {
  const { simulations = 100, select = puct(), draw = "sample", widening, distinct, scorer, turn } = options;
  const {
    verifier = scorer,
    value = rankOf,
    rollout = false,
    backup = meanBackup,
    workers = 1,
    choose = "visits",
  } = options;
  const { enough = Number.POSITIVE_INFINITY } = options;
  const { branch = draw === "top" ? 32 : 4, answer = turn ? "move" : "finished" } = options;
  const { c = 1, alpha = 0.5 } = widening ?? {};
  checkWhole("mcts", "simulations", simulations, 1, 100_000_000);
  checkWhole("mcts", "branch", branch, 1);
  checkWhole("mcts", "workers", workers, 1);
  if (Number.isNaN(enough)) throw new RangeError("Cannot use mcts as 'enough' must be a number: current value is NaN");
  if (widening) checkWidening(c, alpha, draw, select);
  const settings = {
    draw,
    branch,
    widening: widening && { c, alpha },
    distinct,
    scorer,
    verifier,
    value,
    turn,
    rollout,
  };

  return {
    name: "mcts",
    options: {
      simulations,
      select: { name: select.name, options: select.options },
      draw,
      branch: widening ? null : branch,
      widening: widening ? { c, alpha } : null,
      distinct: distinct !== undefined,
      scorer: scorer?.name ?? null,
      verifier: verifier?.name ?? null,
      value: value !== rankOf,
      players: turn ? 2 : 1,
      rollout,
      backup: backup.name,
      workers,
      enough: Number.isFinite(enough) ? enough : null,
      answer,
      choose,
    },
    *run(root, { key }) {
      const rule = select.rule({ key: fold(key, "select"), simulations });
      const search = new Growing(root, { ...settings, rule, backup, proposes: answer === "finished" });
      const { tree } = search;
      yield* search.evaluateRoot();
      for (let done = 0; done < simulations && search.best < enough && search.goesOn; done += workers) {
        yield* search.round(Math.min(workers, simulations - done));
        const most = mostVisited(tree);
        if (answer === "move" && most >= 0)
          yield* propose(search.nodeOf(most), tree.visits[tree.child[most] as number] as number);
      }
      const [moves, visited] = [search.moves(), search.visited()];
      if (answer === "finished") {
        const candidates = search.answers();
        if (search.spent && candidates.length === 0) throw search.spent;
        return { answer: candidates[0], candidates, moves, visited };
      }
      const edge = choose === "value" ? mostValued(tree) : (rule.final?.(tree) ?? mostVisited(tree));
      if (search.spent && edge < 0) throw search.spent;
      const candidates = [...moves].sort((a, b) => b.visits - a.visits).map(({ node }) => node); // stable
      return { answer: edge < 0 ? undefined : search.nodeOf(edge), candidates, moves, visited };
    },
  };
}

interface Settings<S> {
  readonly rule: SelectRule;
  readonly backup: Backup;
  readonly draw: Draw;
  readonly branch: number;
  readonly widening: Required<Widening> | undefined;
  readonly distinct: ((state: S) => string) | undefined;
  readonly scorer: Scorer<S> | undefined;
  readonly verifier: Scorer<S> | undefined;
  readonly value: (score: Score) => number;
  readonly turn: ((state: S) => 1 | -1) | undefined;
  readonly rollout: boolean;
  /** Whether finished answers are proposed. */
  readonly proposes: boolean;
}

/** A search under way: the tree of numbers, and the nodes that its numbers stand for. */
class Growing<S> {
  readonly tree: Tree;
  /** Set once something could not be afforded. */
  spent: BudgetSpent | undefined;
  /** What the best finished answer is worth. */
  best: number = Number.NEGATIVE_INFINITY;
  readonly #settings: Settings<S>;
  readonly #rule: SelectRule;
  /** [nodes of the tree] */
  readonly #nodes: Node<S>[];
  /** Every child there is; the action of an edge is a place in it. */
  readonly #children: Node<S>[] = [];
  readonly #finished = new Map<Node<S>, number>();

  constructor(root: Node<S>, settings: Settings<S>) {
    this.#settings = settings;
    this.#rule = settings.widening ? unvisitedFirst(settings.rule) : settings.rule;
    this.tree = new Tree(settings.turn?.(root.state) ?? 1);
    this.#nodes = [root];
  }

  get goesOn(): boolean {
    return !this.spent && this.tree.status[0] !== Status.closed;
  }

  *evaluateRoot(): Program<S, void> {
    const { tree } = this;
    this.spent = (yield* affordable(this.#evaluate(0))).spent;
    tree.status[0] = Status.leaf; // also where it has no value: its children may
    const raw = tree.raw[0] as number;
    if (!Number.isNaN(raw)) this.#settings.backup.update(tree, 0, raw);
  }

  /** Picks a leaf for each worker, evaluates them side by side, and backs their values up. */
  *round(workers: number): Program<S, void> {
    const { tree } = this;
    /** Where each worker stands; -1 before it sets out. */
    const places = new Array<number>(workers).fill(-1);
    const evaluated = new Set<number>();
    for (let walking = [...places.keys()]; walking.length > 0; ) {
      /** Node → how many children it is to get. */
      const growing = new Map<number, number>();
      const fresh: number[] = [];
      for (const worker of walking) {
        const at = this.#walk(places[worker] as number, growing);
        if (at < 0) return; // all is closed
        places[worker] = at;
        tree.mark(at, 1);
        if (tree.status[at] === Status.fresh && !evaluated.has(at)) fresh.push(at);
        evaluated.add(at);
      }
      const { draw } = this.#settings;
      const { results: grown, spent } = yield* allAffordable<S, Node<S>[] | undefined>([
        ...Array.from(growing, ([at, count]) => extend(this.#nodes[at] as Node<S>, { count, draw })),
        ...fresh.map((at) => this.#evaluate(at)),
      ]);
      this.spent ??= spent;
      for (const [i, at] of [...growing.keys()].entries()) {
        this.#add(at, grown[i] ?? []);
        if (tree.status[at] === Status.leaf && at > 0) tree.status[at] = Status.closed; // the root may try again
      }
      walking = walking.filter((worker) => tree.status[places[worker] as number] === Status.expanded);
    }
    for (const at of places) this.#backUp(at);
  }

  /** On from where a worker stands; children that are needed first are noted in `growing`. */
  #walk(from: number, growing: Map<number, number>): number {
    const { tree } = this;
    const { widening, branch } = this.#settings;
    if (from >= 0) tree.mark(from, -1);
    const drawn = (node: number) => (tree.mass[node] as number) + (growing.get(node) ?? 0);
    const isDue = (node: number) =>
      widening !== undefined && drawn(node) < Math.ceil(widening.c * (tree.playsOf(node) + 1) ** widening.alpha);
    const at = descend(
      tree,
      this.#rule,
      (action) => this.#turnAfter(action),
      (node) => node !== from && isDue(node), // where it stands it has just had its draw
      Math.max(0, from),
    );
    if (at >= 0 && (tree.status[at] === Status.leaf || tree.status[at] === Status.expanded)) {
      const wanted = widening ? Number(isDue(at)) : growing.has(at) ? 0 : branch;
      growing.set(at, (growing.get(at) ?? 0) + wanted);
    }
    return at;
  }

  #turnAfter(action: number): number {
    const node = this.#children[action] as Node<S>;
    this.#nodes.push(node);
    return this.#settings.turn?.(node.state) ?? 1;
  }

  /** Finds the value of a node, if it can be had. */
  *#evaluate(at: number): Program<S, undefined> {
    const { rollout, scorer, verifier, value, proposes } = this.#settings;
    const from = this.#nodes[at] as Node<S>;
    const node = rollout ? yield* complete(from, "sample") : from;
    if (!node) return;
    if (node.done) this.#finished.set(node, Number.NEGATIVE_INFINITY);
    const [judged] = yield* score([node], { by: node.done ? verifier : scorer });
    const worth = judged ? value(judged) : Number.NaN;
    if (!Number.isFinite(worth)) return;
    this.tree.raw[at] = worth;
    if (!node.done) return;
    this.#finished.set(node, worth);
    this.best = Math.max(this.best, worth);
    if (proposes) yield* propose(node, worth);
  }

  /** Gives a node its new children; equal ones become weight of the first of them. */
  #add(at: number, grown: readonly Node<S>[]): void {
    const { draw, widening, distinct } = this.#settings;
    const { tree } = this;
    const actionOf = (child: Node<S>) => this.#children.push(child) - 1;
    if (widening) {
      for (const child of grown) {
        const edge = distinct ? this.#edgeTo(at, distinct(child.state), distinct) : -1;
        if (edge >= 0) tree.weigh(at, edge);
        else tree.widen(at, actionOf(child));
      }
      return;
    }
    const weights = new Map<Node<S>, number>();
    const firsts = new Map<string, Node<S>>();
    for (const [i, weight] of (draw === "top" ? priorsOf(grown) : grown.map(() => 1)).entries()) {
      const child = grown[i] as Node<S>;
      const same = distinct?.(child.state);
      const first = (same === undefined ? undefined : firsts.get(same)) ?? child;
      if (same !== undefined) firsts.set(same, first);
      weights.set(first, (weights.get(first) ?? 0) + weight);
    }
    if (weights.size > 0) tree.expand(at, [...weights.keys()].map(actionOf), [...weights.values()]);
  }

  #edgeTo(at: number, same: string, distinct: (state: S) => string): number {
    const [from, to] = this.tree.edgesOf(at);
    for (let edge = from; edge < to; edge++) if (distinct(this.nodeOf(edge).state) === same) return edge;
    return -1;
  }

  #backUp(at: number): void {
    const { tree } = this;
    tree.mark(at, -1);
    const raw = tree.raw[at] as number;
    if (tree.status[at] === Status.fresh)
      if (Number.isNaN(raw)) tree.status[at] = Status.closed;
      else tree.status[at] = (this.#nodes[at] as Node<S>).done ? Status.terminal : Status.leaf;
    // A worker that is still at the root, or at a closed node, got nowhere.
    if (at > 0 && tree.status[at] !== Status.closed) this.#settings.backup.update(tree, at, raw);
  }

  nodeOf(edge: number): Node<S> {
    return this.#children[this.tree.action[edge] as number] as Node<S>;
  }

  /** What is known of the root's children, in order of place. */
  moves(): MctsMove<S>[] {
    const moves = rootMoves(this.tree, this.#rule).map(({ move, ...known }) => ({
      node: this.#children[move] as Node<S>,
      ...known,
    }));
    return moves.sort((a, b) => comparePlaces(a.node.id, b.node.id));
  }

  visited(): MctsNode<S>[] {
    const { visits, value } = this.tree;
    const known = this.#nodes.map((node, at) => ({ node, visits: visits[at] as number, value: value[at] as number }));
    return known.filter((one) => one.visits > 0);
  }

  /** Finished answers, best first; those without a value, or that were never visited, last. */
  answers(): Node<S>[] {
    const unvisited = this.#children.filter((node) => node.done && !this.#finished.has(node));
    const valueOf = (node: Node<S>) => this.#finished.get(node) ?? Number.NEGATIVE_INFINITY;
    return [...this.#finished.keys(), ...unvisited].sort((a, b) => {
      const [x, y] = [valueOf(a), valueOf(b)];
      return x === y ? comparePlaces(a.id, b.id) : y - x;
    });
  }
}

/** Priors of the most probable steps; equal ones where the policy does not tell, or all are impossible. */
function priorsOf<S>(nodes: readonly Node<S>[]): number[] {
  const priors = nodes.map(({ logProb }) => Math.exp(logProb));
  const sum = priors.reduce((total, prior) => total + prior, 0);
  return sum > 0 && sum < Infinity ? priors : nodes.map(() => 1);
}

/** Where children are drawn one by one, the one just drawn is visited. */
const unvisitedFirst = (rule: SelectRule): SelectRule => ({
  ...rule,
  choose(tree, node) {
    const opened = tree.opened[node] as number;
    return opened < (tree.count[node] as number) ? (tree.first[node] as number) + opened : rule.choose(tree, node);
  },
});

function checkWidening(c: number, alpha: number, draw: Draw, select: Select): void {
  if (!(c > 0 && c < Infinity && alpha >= 0 && alpha <= 1))
    throw new RangeError(
      `Cannot use mcts as 'widening' must have c > 0 and alpha in [0, 1]: current values are ${c} and ${alpha}`,
    );
  if (draw === "top") throw new RangeError(`Cannot use mcts as 'widening' draws children: use draw "sample" with it`);
  if (select.name === "gumbel")
    throw new RangeError("Cannot use mcts as 'widening' and gumbel exclude each other: gumbel compares a fixed set");
}
