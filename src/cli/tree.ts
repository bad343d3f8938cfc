/**
 * The tree of a run as it is drawn: by lines of text. Samples that begin alike share their beginning, whatever the step of
 * the search was: sixteen whole answers make a tree as sixteen line-wise ones do. Nothing here writes to anything.
 */
import type { Failure } from "../errors.ts";
import type { Node } from "../node.ts";
import { rankOf, type Score } from "../scorer.ts";

/** A piece of text in the tree: at most one line. */
export interface Twig<S> {
  /** As the model wrote it; at most one line break, at its end. */
  readonly text: string;
  readonly parent: Twig<S> | undefined;
  /** In order of arrival. */
  readonly twigs: Map<string, Twig<S>>;
  /** Answers that go through it, partial ones included. */
  samples: number;
  /** Those of them that are being written. */
  writing: number;
  /** Those of them that a verifier found right. */
  right: number;
  /** Nodes whose text ends here. */
  readonly nodes: Node<S>[];
  readonly failures: Failure[];
}

/** A tree that grows with its run. */
export interface Sketch<S> {
  readonly root: Twig<S>;
  /** Ends of answers that are a step of their own, as in a search over tokens: most are possible, but no one's choice. */
  readonly bareEnds: ReadonlySet<Node<S>>;
  /** Takes over the nodes that are new since the last call. Cost: the new text, once. */
  grow(nodes: readonly Node<S>[]): void;
  /** Text of a sample that is being written from the root on. */
  write(id: string, delta: string): void;
  /** From the root to where the node's text ends. */
  pathTo(node: Node<S>): Twig<S>[];
  /** What is known of all that grew here, in words; absent where the score of what ends here is what to say. */
  noteOf?(twig: Twig<S>): string | undefined;
}

export function sketch<S>(textOf: (state: S) => string): Sketch<S> {
  const root = twig<S>("", undefined);
  const ends = new Map<Node<S>, Twig<S>>();
  const grown = new Set<Node<S>>();
  const bareEnds = new Set<Node<S>>();
  const drafts = new Map<string, { at: Twig<S>; line: string }>();
  /** Finished, but not judged when they came. */
  let unjudged: Node<S>[] = [];
  let seen = 0;

  function take(node: Node<S>): void {
    retract(node.id);
    const end = node.parent && ends.get(node.parent);
    if (!node.parent || !end) return void ends.set(node, root);
    const before = textOf(node.parent.state);
    const after = textOf(node.state);
    // A revision of a finished answer, or a reply to another prompt, is a text of its own.
    const goesOn = node.failure !== undefined || (!node.parent.done && after.startsWith(before));
    const from = goesOn ? end : root;
    // The first child goes on from its parent's end, each further one is one more answer through all of the path.
    const further = !goesOn || grown.has(node.parent) || node.parent.parent === undefined;
    if (goesOn) grown.add(node.parent);
    if (further) for (let at: Twig<S> | undefined = from; at; at = at.parent) at.samples++;
    if (node.failure) {
      from.failures.push(node.failure);
      return void ends.set(node, from);
    }
    let at = from;
    for (const piece of piecesOf(goesOn ? after.slice(before.length) : after, node.done)) {
      at = child(at, piece);
      at.samples++;
    }
    at.nodes.push(node);
    ends.set(node, at);
    if (node.done && at === from && from !== root) bareEnds.add(node);
    if (node.done) unjudged.push(node);
  }

  /** Scores come after their nodes. */
  function judge(): void {
    for (const node of unjudged) if (isRight(node)) for (let at = ends.get(node); at; at = at.parent) at.right++;
    unjudged = unjudged.filter(({ score }) => score === undefined).slice(-maxUnjudged);
  }

  function retract(id: string): void {
    const draft = drafts.get(id);
    if (!draft) return;
    drafts.delete(id);
    for (let at: Twig<S> | undefined = draft.at; at; at = at.parent) {
      at.samples--;
      at.writing--;
      if (at.samples === 0 && at.parent) at.parent.twigs.delete(at.text);
    }
  }

  return {
    root,
    bareEnds,
    grow(nodes) {
      for (; seen < nodes.length; seen++) take(nodes[seen] as Node<S>);
      judge();
    },
    write(id, delta) {
      let draft = drafts.get(id);
      if (!draft) {
        draft = { at: root, line: "" };
        drafts.set(id, draft);
        root.samples++;
        root.writing++;
      }
      draft.line += delta;
      for (let end = draft.line.indexOf("\n"); end !== -1; end = draft.line.indexOf("\n")) {
        draft.at = child(draft.at, draft.line.slice(0, end + 1));
        draft.at.samples++;
        draft.at.writing++;
        draft.line = draft.line.slice(end + 1);
      }
    },
    pathTo(node) {
      const path: Twig<S>[] = [];
      for (let at = ends.get(node); at; at = at.parent) path.push(at);
      return path.reverse();
    },
  };
}

/** More answers than are ever in flight; where nothing is judged, older ones need not be looked at again. */
const maxUnjudged = 4096;

const isRight = ({ score }: Node<unknown>): boolean => score?.kind === "verdict" && score.correct;

export const twig = <S>(text: string, parent: Twig<S> | undefined): Twig<S> => ({
  text,
  parent,
  twigs: new Map(),
  samples: 0,
  writing: 0,
  right: 0,
  nodes: [],
  failures: [],
});

/** The twig of that text below another, which is made if there is none. */
export function child<S>(parent: Twig<S>, text: string): Twig<S> {
  const known = parent.twigs.get(text);
  if (known) return known;
  const made = twig(text, parent);
  parent.twigs.set(text, made);
  return made;
}

/** Lines, each with its break. The last line of an answer counts as whole: models differ in whether they end it. */
function piecesOf(text: string, done: boolean): string[] {
  const pieces = text.match(/[^\n]*\n|[^\n]+/g) ?? [];
  const last = pieces.at(-1);
  return done && last && !last.endsWith("\n") ? [...pieces.slice(0, -1), `${last}\n`] : pieces;
}

export type Mark = "right" | "wrong" | "answer" | "partial" | "failed";

/** What is drawn for one or more twigs in a row. */
export interface Branch {
  /** Pieces without their line breaks; as the model wrote them. */
  readonly text: string;
  readonly branches: readonly Branch[];
  readonly samples: number;
  readonly mark: Mark;
  /** On the way to the best answer. */
  readonly best: boolean;
  /** Whether a sample is being written that ends here so far. */
  readonly writing: boolean;
  /** Answers that end here; several where samples are equal. */
  readonly answers: number;
  readonly score: Score | undefined;
  /** In place of the score. */
  readonly note: string | undefined;
  /** log p of the answer or partial answer that ends here, in nats; undefined where none does, or it is not known. */
  readonly logProb: number | undefined;
  readonly failures: readonly Failure[];
  /** Answers below that are not drawn. */
  readonly hidden: number;
}

export interface PruneOptions<S> {
  /** The best node so far. */
  readonly best?: Node<S> | undefined;
  /** Rows to draw at most, "… more" rows included. */
  readonly rows: number;
}

/**
 * At most `rows` branches, the root not counted: the way to the best, then those to right answers, then where most samples
 * went; among equals the deeper one, so that an answer is shown whole before the next is begun.
 * Cost: the part that is drawn and its children, not the tree.
 */
export function prune<S>(sketch: Sketch<S>, { best, rows }: PruneOptions<S>): Branch {
  const { root, pathTo, bareEnds } = sketch;
  const ends = [...bareEnds].sort((a, b) => b.totalLogProb - a.totalLogProb).slice(0, maxBareEnds);
  const likely = new Set(ends.filter(({ totalLogProb }) => totalLogProb > (ends[0]?.totalLogProb ?? 0) - unlikely));
  const view: Viewed<S> = {
    path: new Set(best ? pathTo(best) : []),
    shows: (node) => node === best || !bareEnds.has(node) || node.score !== undefined || likely.has(node),
    counts: bareEnds.size === 0,
    noteOf: sketch.noteOf,
  };
  const shown = new Set<Joined<S>>();
  const open: Joined<S>[] = [];
  const whole = join(root, view, 0);
  const childrenOf = (at: Joined<S>): Joined<S>[] => {
    at.children ??= growingTwigs(at.tail, view).map((next) =>
      Object.assign(join(next, view, at.rank[3] + 1), { parent: at }),
    );
    return at.children;
  };
  const visit = (at: Joined<S>) => {
    shown.add(at);
    at.hidden = childrenOf(at).length;
    if (at.parent) at.parent.hidden--;
    open.push(...childrenOf(at));
  };
  visit(whole);
  // Where all that grew is noted at each branch, only what is left out at the root has a row of its own.
  const isTold = (at: Joined<S>): boolean => view.noteOf !== undefined && at !== whole;
  const moreRow = (at: Joined<S>): number => (at.hidden > 0 && !isTold(at) ? 1 : 0);
  let used = moreRow(whole);
  for (let misses = 0; open.length > 0 && misses < maxMisses; ) {
    const next = takeBest(open);
    const saved = next.parent?.hidden === 1 ? moreRow(next.parent) : 0;
    const costs = 1 + (childrenOf(next).length > 0 && !isTold(next) ? 1 : 0) - saved;
    if (used + costs > rows) {
      misses++; // a smaller one may still fit in place of "… 1 more"
      continue;
    }
    used += costs;
    visit(next);
  }
  const draw = (at: Joined<S>): Branch => {
    const [kept, left]: [Branch[], Joined<S>[]] = [[], []];
    for (const next of childrenOf(at)) shown.has(next) ? kept.push(draw(next)) : left.push(next);
    return {
      ...describe(at, view),
      branches: kept,
      hidden: isTold(at) ? 0 : left.reduce((sum, { tail }) => sum + (view.counts ? tail.samples : 1), 0),
    };
  };
  return draw(whole);
}

const maxMisses = 64;

/** What is drawn of a tree, besides what it is. */
interface Viewed<S> {
  /** To the best answer. */
  readonly path: ReadonlySet<Twig<S>>;
  readonly shows: (node: Node<S>) => boolean;
  /** Whether to count samples: those of a search over tokens are most of them stubs. */
  readonly counts: boolean;
  readonly noteOf: Sketch<S>["noteOf"];
}

/** Of a search over tokens so many finished answers are drawn: the most likely ones, */
const maxBareEnds = 12;
/** and none that is less likely than the first by a factor of e to this. */
const unlikely = 6;

/** Without the stubs: pieces of a line that were looked at and not gone on with. */
const growingTwigs = <S>({ twigs }: Twig<S>, view: Viewed<S>): Twig<S>[] =>
  [...twigs.values()].filter(
    (next) =>
      next.text.endsWith("\n") ||
      next.twigs.size > 0 ||
      next.writing > 0 ||
      view.path.has(next) ||
      isMarked(next, view),
  );

/** Twigs within a line that do not branch, as one. */
interface Joined<S> {
  readonly text: string;
  readonly tail: Twig<S>;
  readonly rank: readonly [onPath: number, right: number, samples: number, depth: number];
  parent?: Joined<S>;
  children?: Joined<S>[];
  hidden: number;
}

function join<S>(head: Twig<S>, view: Viewed<S>, depth: number): Joined<S> {
  let tail = head;
  let text = head.text;
  while (tail.parent && !text.endsWith("\n") && !isMarked(tail, view)) {
    const [only, other] = growingTwigs(tail, view);
    if (!only || other) break;
    tail = only;
    text += tail.text;
  }
  return { text, tail, hidden: 0, rank: [view.path.has(head) ? 1 : 0, tail.right > 0 ? 1 : 0, tail.samples, depth] };
}

const isMarked = <S>({ nodes, failures }: Twig<S>, { shows }: Viewed<S>): boolean =>
  failures.length > 0 || nodes.some((node) => (node.done && shows(node)) || told(node) !== undefined);

/** What is said of a node by its score: that a partial answer is not refused, as by a constraint, is nothing to say. */
const told = ({ score, done }: Node<unknown>): Score | undefined =>
  score?.kind === "verdict" && score.correct && !done ? undefined : score;

/** Removes and returns the first of highest rank. */
function takeBest<S>(open: Joined<S>[]): Joined<S> {
  let best = 0;
  for (let i = 1; i < open.length; i++) if (isAhead(open[i] as Joined<S>, open[best] as Joined<S>)) best = i;
  return open.splice(best, 1)[0] as Joined<S>;
}

function isAhead<S>(a: Joined<S>, b: Joined<S>): boolean {
  for (let i = 0; i < a.rank.length; i++)
    if (a.rank[i] !== b.rank[i]) return (a.rank[i] as number) > (b.rank[i] as number);
  return false;
}

function describe<S>({ text, tail }: Joined<S>, view: Viewed<S>): Omit<Branch, "branches" | "hidden"> {
  const answers = tail.nodes.filter((node) => node.done && view.shows(node));
  const shown = bestScored(answers) ?? bestScored(tail.nodes);
  const known = !view.noteOf && shown && isMarked(tail, view) && Number.isFinite(shown.totalLogProb);
  return {
    text: text.replaceAll("\n", "").trimEnd(),
    samples: view.counts ? tail.samples : 1,
    mark: markOf(tail, shown, answers.length > 0),
    best: view.path.has(tail),
    writing: tail.writing > [...tail.twigs.values()].reduce((sum, next) => sum + next.writing, 0),
    answers: answers.length,
    score: view.noteOf ? undefined : shown && told(shown),
    note: view.noteOf?.(tail),
    logProb: known ? shown.totalLogProb : undefined,
    failures: tail.failures,
  };
}

function bestScored<S>(nodes: readonly Node<S>[]): Node<S> | undefined {
  const rank = ({ score }: Node<S>) => (score ? rankOf(score) : Number.NEGATIVE_INFINITY);
  return nodes.reduce<Node<S> | undefined>((best, node) => (best && rank(best) >= rank(node) ? best : node), undefined);
}

function markOf<S>({ failures, twigs }: Twig<S>, shown: Node<S> | undefined, answered: boolean): Mark {
  const { score, done } = shown ?? {};
  if (score?.kind === "verdict" && !score.correct) return "wrong";
  if (score?.kind === "verdict" && done) return "right";
  if (score?.kind === "probability" && score.value === 0) return "wrong"; // refused, by a constraint say
  if (answered) return "answer";
  return failures.length > 0 && twigs.size === 0 ? "failed" : "partial";
}

/** How the best answer ends; `partial` where there is none yet. */
export function bestMark(root: Branch): Mark {
  const next = root.branches.find(({ best }) => best);
  return next ? bestMark(next) : root.mark;
}
