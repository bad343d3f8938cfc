import { expect, test } from "vitest";
import { PrefixTree } from "./prefix-tree.ts";

const blocks = (count: number): Float32Array[] => Array.from({ length: count }, () => new Float32Array(100));
const nodeBytes = 400 + 1000;

test("the longest known prefix, by the blocks that were there first", () => {
  const tree = new PrefixTree(1e6);
  const path = blocks(3);
  const law = Float64Array.of(0);
  tree.insert([1, 2, 3], path, law);
  tree.insert([1, 2, 4], blocks(3));
  expect(tree.find([1, 2, 4, 5]).path.slice(0, 2)).toEqual(path.slice(0, 2));
  expect(tree.find([1, 2, 4, 5]).path[0]).toBe(path[0]);
  expect(tree.find([1, 2, 4, 5]).path).toHaveLength(3);
  expect(tree.find([1, 2, 3]).logProbs).toBe(law);
  expect(tree.find([1, 2, 3, 1]).logProbs).toBeUndefined();
  expect(tree.find([1, 2]).logProbs).toBeUndefined();
  expect(tree.find([2]).path).toEqual([]);
});

test("only as many tokens as there are blocks are remembered", () => {
  const tree = new PrefixTree(1e6);
  tree.insert([1, 2, 3], blocks(2));
  expect(tree.find([1, 2, 3]).path).toHaveLength(2);
});

test("the least recently used branch goes first, from its leaf; what is in use stays", () => {
  const tree = new PrefixTree(5 * nodeBytes);
  tree.insert([1, 2, 3], blocks(3));
  tree.insert([1, 4, 5], blocks(3)); // five nodes: full
  expect(tree.bytes).toBe(5 * nodeBytes);
  tree.find([1, 2, 3]); // now 1-4-5 is older
  tree.insert([1, 2, 3, 6], blocks(4));
  expect(tree.find([1, 4, 5]).path).toHaveLength(2);
  expect(tree.find([1, 2, 3, 6]).path).toHaveLength(4);
  tree.insert([7, 8, 9, 10, 11, 12], blocks(6)); // more than fits: its own end is dropped as well
  expect(tree.bytes).toBeLessThanOrEqual(5 * nodeBytes);
  expect(tree.find([7, 8, 9, 10, 11, 12]).path).toHaveLength(5);
});
