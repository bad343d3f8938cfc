import { expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { entropy } from "../math/information.ts";
import { random } from "../math/random.ts";
import { randomTabular } from "../models/tabular.ts";
import type { Node } from "../node.ts";
import { semanticEntropy } from "./semantic-entropy.ts";

const node = (text: string, logProb: number, i: number): Node<string> =>
  ({ id: `0#${i}`, state: text, totalLogProb: logProb, length: text.length + 1 }) as Node<string>;
const meaning = ({ state }: Node<string>) => state[0] ?? "nothing";

test("by likelihood it is exact once every answer of an enumerable model was drawn", () => {
  for (let seed = 0; seed < 20; seed++) {
    const texts = randomTabular({ key: fold(key(1), seed), maxLength: 3 }).enumerate();
    const candidates = texts.flatMap(({ text, logProb }, i) => [
      node(text, logProb, 2 * i),
      node(text, logProb, 2 * i + 1),
    ]);
    const mass = Map.groupBy(texts, ({ text }) => text[0] ?? "nothing");
    const exact = [...mass.values()].map((group) => group.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0));
    const found = semanticEntropy({ meaning, weighing: "likelihood" }).aggregate(candidates);
    expect(found.entropy).toBeCloseTo(entropy(exact), 10);
    expect(found.tally[0]?.weight).toBeCloseTo(Math.max(...exact), 10);
    expect(found.confidence).toBeCloseTo(Math.exp(-entropy(exact)), 10);
  }
});

test("by count it tends to the same, from below", () => {
  const texts = randomTabular({ key: key(2), maxLength: 2 }).enumerate();
  const mass = Map.groupBy(texts, ({ text }) => text[0] ?? "nothing");
  const exact = entropy(
    [...mass.values()].map((group) => group.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0)),
  );
  const stream = random(key(7));
  const weights = texts.map(({ logProb }) => Math.exp(logProb));
  const meanOf = (n: number, repeats: number): number => {
    let sum = 0;
    for (let r = 0; r < repeats; r++) {
      const drawn = Array.from({ length: n }, (_, i) =>
        node(texts[stream.weighted(weights)]?.text ?? "", Number.NaN, i),
      );
      sum += (semanticEntropy({ meaning }).aggregate(drawn).entropy as number) / repeats;
    }
    return sum;
  };
  // Miller's bias of a plug-in entropy: −(meanings − 1) / (2 n).
  expect(meanOf(10, 400)).toBeLessThan(exact - 0.03);
  expect(Math.abs(meanOf(2000, 20) - exact)).toBeLessThan(0.02);
});

test("by hand: lengths, unreadable answers, unknown log-probabilities", () => {
  const candidates = [node("aa", -6, 0), node("b", -2, 1), node("", Number.NaN, 2)];
  const perToken = semanticEntropy<string>({ meaning, weighing: "likelihood-per-token" }).aggregate(candidates);
  // −6 / 3 = −2, −2 / 2 = −1; the third has no log-probability.
  expect(perToken.tally.map(({ answer, weight }) => [answer, weight])).toEqual([
    ["b", expect.closeTo(1 / (1 + Math.exp(-1)), 12)],
    ["a", expect.closeTo(1 / (1 + Math.E), 12)],
  ]);
  const counted = semanticEntropy<string>({ meaning: ({ state }) => state[0] }).aggregate(candidates);
  expect(counted.entropy).toBeCloseTo(Math.log(2), 12);
  const none = semanticEntropy<string>({ meaning: () => undefined }).aggregate(candidates);
  expect([none.answer, none.entropy, none.confidence]).toEqual([undefined, undefined, undefined]);
});
