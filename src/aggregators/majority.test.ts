import { expect, test } from "vitest";
import type { Node } from "../node.ts";
import { random } from "../math/random.ts";
import { majority } from "./majority.ts";

const node = (place: number, state: string): Node<string> => ({
  id: `0.${place}.0#0`,
  parent: undefined,
  state,
  depth: 1,
  logProb: 0,
  logProposal: 0,
  totalLogProb: 0,
  length: 1,
  done: true,
  failure: undefined,
  score: undefined,
});
const cast = (...states: string[]) => states.map((state, place) => node(place, state));
const { aggregate } = majority<string>({
  canonical: ({ state }) => (state === "?" ? undefined : state.trim().toLowerCase()),
});

test("the most voted answer wins; its first voter stands for it; confidence is its share of the votes cast", () => {
  const { answer, confidence, tally } = aggregate(cast("x", "Y", "?", " y", "z", "y "));
  expect([answer?.id, confidence]).toEqual(["0.1.0#0", 3 / 5]); // "?" cannot be read and does not vote
  expect(tally.map(({ answer, weight, node }) => [answer, weight, node.id])).toEqual([
    ["y", 3, "0.1.0#0"],
    ["x", 1, "0.0.0#0"],
    ["z", 1, "0.4.0#0"],
  ]);
});

test("of a tie the answer that was drawn first, not the one that came first; two digits or one", () => {
  const votes = cast("b", "a", "c", "a", "b", "c", ...Array.from({ length: 6 }, () => "?"), "d", "d");
  const stream = random(1);
  for (let i = 0; i < 20; i++)
    expect(aggregate(stream.shuffled(votes)).tally.map(({ answer }) => answer)).toEqual(["b", "a", "c", "d"]);
});

test("no readable answer is no answer", () => {
  for (const votes of [[], cast("?", "?")])
    expect(aggregate(votes)).toEqual({ answer: undefined, confidence: undefined, tally: [] });
});

test("all alike are certain, as far as votes go", () => {
  expect(aggregate(cast("x", "x")).confidence).toBe(1);
});

test("names that objects have are answers like others", () => {
  expect(
    aggregate(cast("__proto__", "constructor", "__proto__")).tally.map(({ answer, weight }) => [answer, weight]),
  ).toEqual([
    ["__proto__", 2],
    ["constructor", 1],
  ]);
});
