import type {
  ControlledEvaluateIndexOutput,
  ControlledEvaluateInputItem,
  LlamaContextSequence,
  Token,
} from "node-llama-cpp";
import { expect, test } from "vitest";
import { type Lease, type PrefixTree, prefixTree } from "./prefix-tree.ts";

/** An engine whose law after a text is a function of the text: the next token is the sum of all, modulo the vocabulary. */
const vocabulary = 7;
interface Engine {
  sequences: LlamaContextSequence[];
  /** Tokens of each batch, by sequence; and the sequences. */
  batches: string[][];
  places: number[][];
  fault: boolean;
}
function engine(count: number, options: { canCopy?: boolean; copyFails?: boolean; recurrent?: boolean } = {}): Engine {
  const { canCopy = true, copyFails = false, recurrent = false } = options;
  const made: Engine = { sequences: [], batches: [], places: [], fault: false };
  let batch: string[] | undefined;
  made.sequences = Array.from({ length: count }, (_, place) => {
    const sequence = {
      held: [] as number[],
      needsCheckpoints: recurrent,
      async controlledEvaluate(input: ControlledEvaluateInputItem[]) {
        if (!batch) {
          batch = [];
          made.batches.push(batch);
          made.places.push([]);
          setImmediate(() => {
            batch = undefined;
          });
        }
        made.places.at(-1)?.push(place);
        batch.push(input.map((item) => (Array.isArray(item) ? item[0] : item)).join(" "));
        await new Promise(setImmediate);
        if (made.fault) throw new Error("out of cells");
        return input.map((item): ControlledEvaluateIndexOutput | undefined => {
          sequence.held.push(Array.isArray(item) ? item[0] : item);
          const sum = sequence.held.reduce((a, b) => a + b, 0);
          const logits = new Map(
            Array.from({ length: vocabulary }, (_, i) => [i as Token, i === sum % vocabulary ? 0 : -50]),
          );
          return Array.isArray(item) ? { next: { logits } } : undefined;
        });
      },
      async clearHistory() {
        sequence.held = [];
      },
      async eraseContextTokenRanges([range]: { start: number; end: number }[]) {
        if (recurrent) throw new Error("recurrent states cannot be cut");
        expect(range?.end).toBe(sequence.held.length);
        sequence.held.length = range?.start as number;
      },
      ...(canCopy && {
        async _copyStateFromOtherSequence(from: { held: number[] }, length: number) {
          sequence.held = from.held.slice(0, length);
          return !copyFails;
        },
      }),
    };
    return sequence as unknown as LlamaContextSequence;
  });
  return made;
}

const signal = new AbortController().signal;
const long = Array.from({ length: 40 }, (_, i) => i % 5);
const treeOf = (made: Engine): PrefixTree => prefixTree(made.sequences, { contextTokens: 600, vocabulary });
const best = ({ law }: Lease): number => law.logProbs.indexOf(Math.max(...law.logProbs));
const sumOf = (tokens: readonly number[]): number => tokens.reduce((a, b) => a + b, 0) % vocabulary;

test.each([
  ["copies", {}, 3, 40],
  ["no way to copy", { canCopy: false }, 0, 160],
  ["copies that fail", { copyFails: true }, 0, 160],
])("four leases of one prompt, with %s", async (_, options, copies, promptTokens) => {
  const tree = treeOf(engine(4, options));
  const leases = await Promise.all([1, 2, 3, 4].map(() => tree.lease(long, { group: {}, signal })));
  expect(leases.map(best)).toEqual(Array(4).fill(sumOf(long)));
  expect(tree.counts).toEqual({ copies, moves: 0, promptTokens });
  expect(leases.reduce((sum, { evaluated }) => sum + evaluated, 0)).toBe(promptTokens);
  for (const lease of leases) expect(lease.evaluated + lease.cached).toBe(40);
});

test("branches of a tree evaluate what is new", async () => {
  const made = engine(3);
  const tree = treeOf(made);
  const grown = await tree.lease(long, { group: {}, signal });
  await grown.append(3);
  await grown.append(4);
  const branch = await tree.lease([...long, 3, 6], { group: {}, signal });
  expect([branch.cached, branch.evaluated, best(branch)]).toEqual([41, 1, sumOf([...long, 3, 6])]);
  grown[Symbol.dispose]();
  branch[Symbol.dispose]();
  const again = await tree.lease([...long, 3, 6], { group: {}, signal }); // its law is remembered
  expect([again.cached, again.evaluated, best(again)]).toEqual([42, 0, sumOf([...long, 3, 6])]);
  expect(await again.score([5, 1, 2])).toEqual(
    [5, 1, 2].map((token, i, all) => {
      const expected = sumOf([...long, 3, 6, ...all.slice(0, i)]);
      return expect.closeTo(token === expected ? 0 : -50, 9);
    }),
  );
});

test("recurrent states are reused whole or not at all", async () => {
  const tree = treeOf(engine(2, { recurrent: true }));
  const lease = await tree.lease(long, { group: {}, signal });
  await lease.append(1);
  lease[Symbol.dispose]();
  const longer = await tree.lease([...long, 1, 2], { group: {}, signal });
  expect(longer.cached).toBe(41);
  const shorter = await tree.lease(long, { group: {}, signal });
  expect([shorter.cached, best(shorter)]).toEqual([0, sumOf(long)]);
});

test("all who ask at the same time share batches; long prompts come in pieces", async () => {
  const made = engine(3);
  const tree = treeOf(made);
  const prompts = [[1, 2], [3], Array.from({ length: 300 }, () => 1)];
  const leases = await Promise.all(prompts.map((prompt) => tree.lease(prompt, { group: {}, signal })));
  await Promise.all(leases.map((lease) => lease.append(5)));
  expect(made.batches.map((batch) => batch.map((tokens) => tokens.split(" ").length))).toEqual([
    [2, 1, 256],
    [44],
    [1, 1, 1],
  ]);
});

test("when sequences run out, groups take turns", async () => {
  const tree = treeOf(engine(2));
  const order: string[] = [];
  const use = async (group: { name: string }, prompt: number[]): Promise<void> => {
    using lease = await tree.lease(prompt, { group, signal });
    order.push(group.name);
    await lease.append(1);
  };
  const [a, b] = [{ name: "a" }, { name: "b" }];
  await Promise.all([
    ...[1, 2, 3, 4, 5].map((token) => use(a, [token, token])),
    ...[1, 2].map((token) => use(b, [token, token, token])),
  ]);
  expect(order.slice(0, 4)).toEqual(["a", "b", "a", "b"]);
  expect(order.sort().join("")).toBe("aaaaabb");
});

test("an abort frees the sequence and drops what was asked; a failure of the engine fails its lease alone", async () => {
  const made = engine(1);
  const tree = treeOf(made);
  const stop = new AbortController();
  const first = tree.lease(long, { group: {}, signal: stop.signal });
  const second = tree.lease([1, 2, 3], { group: {}, signal });
  stop.abort(new Error("enough"));
  await expect(first).rejects.toThrow("enough");
  using lease = await second;
  expect(best(lease)).toBe(6);
  made.fault = true;
  await expect(lease.append(1)).rejects.toThrow("The engine failed: out of cells");
  made.fault = false;
  lease[Symbol.dispose]();
  using fresh = await tree.lease([1, 2, 3], { group: {}, signal });
  expect([fresh.cached, best(fresh)]).toEqual([0, 6]);
});

test("sequences in use stay neighbours: a gap is filled from the end", async () => {
  const made = engine(8);
  const tree = treeOf(made);
  const prompts = [0, 1, 2, 3, 4].map((token) => [...long, token]);
  const leases = await Promise.all(prompts.map((prompt) => tree.lease(prompt, { group: {}, signal })));
  const [, gone, ...rest] = leases as [Lease, Lease, ...Lease[]];
  gone[Symbol.dispose]();
  await Promise.all([leases[0], ...rest].map((lease) => lease?.append(6)));
  expect(tree.counts.moves).toBe(1);
  expect(made.places.at(-1)).toEqual([0, 1, 2, 3]);
  const sums = [prompts[0], ...prompts.slice(2)].map((prompt) => sumOf([...(prompt ?? []), 6]));
  expect([leases[0] as Lease, ...rest].map(best)).toEqual(sums);
  const again = await tree.lease(prompts[4] as number[], { group: {}, signal }); // what was moved is in its old place, too
  expect([again.evaluated, best(again)]).toEqual([0, sumOf(prompts[4] as number[])]);
});

test("closing ends all who wait", async () => {
  const tree = treeOf(engine(1));
  const held = await tree.lease([1], { group: {}, signal });
  const waits = tree.lease([2], { group: {}, signal });
  const appends = held.append(3);
  const both = Promise.allSettled([waits, appends]);
  await tree[Symbol.asyncDispose]();
  expect((await both).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await expect(held.append(3)).rejects.toThrow("closed");
  await expect(tree.lease([1], { group: {}, signal })).rejects.toThrow("closed");
});
