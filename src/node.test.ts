import fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "./math/random.ts";
import type { Node } from "./node.ts";
import { childrenOf, comparePlaces, pathTo } from "./node.ts";

const node = (id: string, parent?: Node<null>) => ({ id, parent }) as Node<null>;
const root = node("root");
const [a, b, c] = [node("0#0", root), node("0#2", root), node("0#10", root)];
const [d, e] = [node("1.9.0#0", b), node("1.10.0#0", b)];

test("the path leads from the root's child down to the node", () => {
  expect([pathTo(e), pathTo(a), pathTo(root)]).toEqual([[b, e], [a], []]);
});

test("children stand in order of place, whatever the order of arrival", () => {
  const stream = random(1);
  for (let i = 0; i < 20; i++) {
    const children = childrenOf(stream.shuffled([root, a, b, c, d, e]));
    expect([...children.keys()].sort((x, y) => comparePlaces(x.id, y.id))).toEqual([root, b]);
    expect([children.get(root), children.get(b)]).toEqual([
      [a, b, c],
      [d, e],
    ]);
  }
});

/** The definition: the ids taken apart, their parts compared as numbers, then their lengths. */
function defined(a: string, b: string): number {
  if (a === b) return 0;
  const [as, bs] = [a.split(/[./#]/), b.split(/[./#]/)];
  for (let i = 0; i < Math.min(as.length, bs.length); i++) {
    const difference = Number(as[i]) - Number(bs[i]);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return as.length - bs.length || (a < b ? -1 : 1);
}

test("places compare as their parts do", () => {
  const number = fc.oneof(fc.nat({ max: 12 }), fc.nat()).map(String);
  const part = fc.oneof({ arbitrary: number, weight: 8 }, fc.constantFrom("root", "", "007", "x1", "1x"));
  const place = fc
    .array(fc.tuple(part, fc.constantFrom(".", ".", "#", "/")), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.flat().slice(0, -1).join(""));
  const near = place.chain((a) =>
    fc.tuple(
      fc.constant(a),
      fc.oneof(
        place,
        number.map((n) => `${a}#${n}`),
        number.map((n) => a.replace(/\w+$/, n)),
      ),
    ),
  );
  fc.assert(
    fc.property(near, ([a, b]) => {
      expect(Math.sign(comparePlaces(a, b))).toBe(Math.sign(defined(a, b)));
      expect(Math.sign(comparePlaces(b, a))).toBe(Math.sign(defined(b, a)));
    }),
    { numRuns: 3000, seed: 1 },
  );
});
