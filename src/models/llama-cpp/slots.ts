/**
 * Which sequence of the context holds what, and where the next prompt goes.
 *
 * Two things count. What was evaluated once is reused or copied, not evaluated again. And sequences in use must be
 * neighbours: the engine computes a run of neighbours together, and run after run (16 scattered sequences take three times
 * as long as 16 neighbours, on a model of 16M parameters; one copy costs less than one such step).
 */
import type { LlamaContextSequence } from "node-llama-cpp";
import type { Law } from "./law.ts";
import { type Cells, cut } from "./rounds.ts";

export interface Slot extends Cells {
  /** What it was last leased for; it holds all of it when `law` is known. */
  prompt: readonly number[];
  /** The law after `prompt`. */
  law: Law | undefined;
  /** Whom it is leased to. */
  lessee: object | undefined;
  lastUsed: number;
}

export interface Slots {
  readonly all: readonly Slot[];
  readonly counts: { copies: number; moves: number };
  /** Whether state can be copied between sequences. */
  readonly copies: boolean;
  free(): Slot[];
  use(slot: Slot): void;
  /** The slot that has most of a prompt's tokens to give, and how many; all of them only if it knows the law after them. */
  donor(prompt: readonly number[]): { readonly slot: Slot; readonly length: number };
  /** Makes a free slot hold as much of the prompt as can be had. `kept`: what others want is not written over, if possible. */
  place(prompt: readonly number[], kept: ReadonlySet<Slot>): Promise<Slot>;
  /** Moves leased slots into the gaps between them. */
  pack(): Promise<void>;
}

/** Fewest tokens for which copying all cells of a sequence is quicker than evaluating. */
const worthCopying = 4;

export function slotsOf(sequences: readonly LlamaContextSequence[], copies: boolean): Slots {
  const all = sequences.map(
    (sequence, place): Slot => ({
      sequence,
      place,
      tokens: [],
      prompt: [],
      law: undefined,
      lessee: undefined,
      lastUsed: 0,
    }),
  );
  const counts = { copies: 0, moves: 0 };
  let copy = copies ? copier(sequences) : undefined;
  let time = 0;
  /** Where the leased slots begin; they follow each other, first place after last. */
  let start = 0;

  const free = (): Slot[] => all.filter(({ lessee }) => !lessee);
  const distance = ({ place }: Slot): number => (place - start + all.length) % all.length;
  const use = (slot: Slot): void => {
    slot.lastUsed = ++time;
  };

  function shared({ tokens, prompt: known, law, sequence }: Slot, prompt: readonly number[]): number {
    const common = commonLength(tokens, prompt);
    const usable = common === prompt.length && !(law && known.length === common) ? common - 1 : common;
    return usable < tokens.length && sequence.needsCheckpoints ? 0 : usable; // recurrent states cannot be cut
  }

  function donor(prompt: readonly number[]): { slot: Slot; length: number } {
    let best = { slot: all[0] as Slot, length: -1, isPath: false };
    for (const slot of copy ? all : free()) {
      const length = shared(slot, prompt);
      if (length < best.length) continue;
      const isPath = !slot.lessee && slot.tokens.length === length; // can be taken as it is
      if (length > best.length || (isPath && !best.isPath)) best = { slot, length, isPath };
    }
    return best;
  }

  /** Copies the first `length` tokens of a slot; false if the engine cannot, and then it is not tried again. */
  async function copied(from: Slot, to: Slot, length: number): Promise<boolean> {
    if (!copy) return false;
    await cut(to, 0);
    if (await copy(to.sequence, from.sequence, length)) {
      to.tokens = from.tokens.slice(0, length);
      return true;
    }
    copy = undefined;
    await to.sequence.clearHistory();
    return false;
  }

  async function place(prompt: readonly number[], kept: ReadonlySet<Slot>): Promise<Slot> {
    const open = free();
    if (open.length === all.length) start = least(open, ({ lastUsed }) => lastUsed).place;
    const { slot: from, length } = donor(prompt);
    const inUse = all.length - open.length;
    const next = least(open, (slot) => distance(slot) + (kept.has(slot) && slot !== from ? all.length : 0));
    const isNear = !from.lessee && from.tokens.length === length && distance(from) <= inUse;
    const to = isNear || !copy ? from : next;
    use(to);
    const isCopy = length - shared(to, prompt) >= Math.min(worthCopying, prompt.length);
    if (isCopy && (await copied(from, to, length))) {
      counts.copies++;
      to.law = length === prompt.length ? from.law : undefined;
    } else {
      await cut(to, shared(to, prompt));
      if (to.tokens.length < prompt.length) to.law = undefined;
    }
    to.prompt = prompt;
    return to;
  }

  async function pack(): Promise<void> {
    for (;;) {
      const open = free();
      if (!copy || open.length === 0 || open.length === all.length) return;
      const gap = least(open, distance);
      const last = least(
        all.filter(({ lessee }) => lessee),
        (slot) => -distance(slot),
      );
      if (distance(gap) > distance(last) || !(await copied(last, gap, last.tokens.length))) return;
      counts.moves++;
      // The two change places; what the free one now stands for is still there as well.
      [last.sequence, gap.sequence] = [gap.sequence, last.sequence];
      [last.place, gap.place] = [gap.place, last.place];
      [gap.prompt, gap.law] = [last.prompt, last.law];
    }
  }

  return {
    all,
    counts,
    get copies() {
      return copy !== undefined;
    },
    free,
    use,
    donor,
    place,
    pack,
  };
}

export function commonLength(a: readonly number[], b: readonly number[]): number {
  if (a === b) return a.length;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return length;
}

function least<T>(items: readonly T[], value: (item: T) => number): T {
  return items.reduce((best, item) => (value(item) < value(best) ? item : best));
}

type Copy = (to: LlamaContextSequence, from: LlamaContextSequence, length: number) => Promise<boolean>;

/** The engine can copy state between sequences, but does not publish how; without it, prefixes are evaluated again. */
function copier([sequence]: readonly LlamaContextSequence[]): Copy | undefined {
  interface Copying {
    _copyStateFromOtherSequence(from: LlamaContextSequence, length: number): Promise<boolean>;
  }
  const canCopy = (one: unknown): one is Copying =>
    typeof (one as Partial<Copying> | undefined)?._copyStateFromOtherSequence === "function";
  if (!canCopy(sequence)) return undefined;
  return (to, from, length) => (to as unknown as Copying)._copyStateFromOtherSequence(from, length).catch(() => false);
}
