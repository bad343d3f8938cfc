import { expect, test } from "vitest";
import { drawnAt } from "../../test/helpers/pool.ts";
import { random } from "../math/random.ts";
import { majority } from "./majority.ts";
import { medoid, wordOverlap } from "./medoid.ts";

const canonical = ({ state }: { state: string }) => (state === "?" ? undefined : state);
const pool = (...states: string[]) => states.map((state, place) => drawnAt(place, state));

test("with the utility of being equal it is the majority vote, tally and all", () => {
  const stream = random(3);
  const byEquality = medoid({ canonical, utility: (a, b) => Number(a === b) });
  for (let i = 0; i < 200; i++) {
    const votes = stream.shuffled(
      pool(...Array.from({ length: stream.integer(12) }, () => stream.pick(["a", "b", "c", "?"]))),
    );
    const [vote, risk] = [majority({ canonical }).aggregate(votes), byEquality.aggregate(votes)];
    const cast = vote.tally.reduce((sum, { weight }) => sum + weight, 0);
    expect(risk.answer).toBe(vote.answer);
    expect(risk.confidence).toBe(vote.confidence);
    expect(risk.tally).toEqual(vote.tally.map((one) => ({ ...one, weight: one.weight / cast })));
  }
});

test("with a squared loss it is the answer nearest to the mean, with an absolute one the median", () => {
  const numbers = ["1", "2", "3", "4", "30"]; // mean 8, median 3
  const by = (loss: (d: number) => number) =>
    medoid({ canonical, utility: (a, b) => -loss(Number(a) - Number(b)) }).aggregate(pool(...numbers));
  expect([by((d) => d * d).answer?.state, by(Math.abs).answer?.state]).toEqual(["4", "3"]);
  expect(by(Math.abs).confidence).toBeUndefined(); // a loss is no share
});

test("no two sentences are equal, and yet one is like most others", () => {
  const { answer, confidence, tally } = medoid({ canonical, utility: wordOverlap }).aggregate(
    pool("Bananas are yellow.", "The cat sat on a mat", "the cat sat on the mat.", "A cat is on the mat", "?"),
  );
  // It shares five words of six with each of the other two about the cat, and these four with one another.
  expect(answer?.state).toBe("The cat sat on a mat");
  expect(confidence).toBe(tally[0]?.weight);
  expect(tally.at(-1)?.answer).toBe("Bananas are yellow.");
});

test("the utility is asked once for each pair of different answers", () => {
  let asked = 0;
  const counted = medoid({ canonical, utility: (a, b) => (asked++, Number(a === b)) });
  counted.aggregate(pool("a", "a", "a", "b", "b", "a"));
  expect(asked).toBe(4);
});

test("a hypothesis is not a reference", () => {
  // A longer answer is worth something where a shorter one is right, not the other way round.
  const { answer } = medoid({ canonical, utility: (a, b) => Number(a.startsWith(b)) }).aggregate(
    pool("x", "xy", "xyz"),
  );
  expect(answer?.state).toBe("xyz");
});

test("word overlap: F1 by hand, case and marks aside", () => {
  expect(wordOverlap("The cat", "the dog.")).toBe(0.5);
  expect(wordOverlap("a a b", "a c")).toBe(2 / 5);
  expect([wordOverlap("", "…"), wordOverlap("", "x"), wordOverlap("Größe 12", "größe, 12!")]).toEqual([1, 0, 1]);
});

test("a utility that is no number is refused by name", () => {
  const broken = medoid({ canonical, utility: () => Number.NaN });
  expect(() => broken.aggregate(pool("a"))).toThrow("'utility' must be a finite number: current value is NaN");
});
