import { describe, expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { majority } from "../../aggregators/majority.ts";
import { fold, key, split } from "../../key.ts";
import { random } from "../../math/random.ts";
import { randomTabular, type TabularModel, tabular } from "../../models/tabular.ts";
import type { Node } from "../../node.ts";
import type { TextState } from "../../policies/text.ts";
import type { Scorer } from "../../scorer.ts";
import { beam } from "./beam.ts";
import { stochasticBeam } from "./stochastic-beam.ts";
import { vote } from "../sampling/vote.ts";

const ids = (nodes: readonly Node<TextState>[] | undefined) => nodes?.map(({ id }) => id);

const confidence = (of: (text: string) => number): Scorer<TextState> => ({
  name: "confidence",
  kind: "probability",
  score: ({ state }) => ({ kind: "probability", value: of(state.text) }),
});
const sure = confidence(() => 1);

test("without confidence and temperature it is beam search, node for node", async () => {
  for (const [seed, model] of split(key(31), 60)
    .map((place) => randomTabular({ key: place, symbols: 4, maxLength: 4 }))
    .entries())
    for (const draw of ["sample", "top"] as const) {
      const settings = { width: 3, branch: 4, draw };
      const plain = await solve(model, beam<TextState>(settings), { seed });
      for (const normalized of [
        { confidenceWeight: 0, scorer: confidence((text) => 1 / (1 + text.length)) },
        { scorer: sure },
      ]) {
        const search = stochasticBeam<TextState>({ ...settings, ...normalized, temperature: 0 });
        const { outcome } = await solve(model, search, { seed });
        expect(ids(outcome?.candidates)).toEqual(ids(plain.outcome?.candidates));
      }
    }
});

test("E is the product of P^(1 - w) C^w over the steps, by hand", async () => {
  // E at w: a 0.6^(1-w) 0.2^w, b 0.3^(1-w) 0.9^w, c 0.1^(1-w) 0.95^w; equal for a and b at w = ln 2 / ln 9 = 0.3155.
  const model = tabular({ alphabet: "abc.", maxLength: 1, conditional: () => [0.6, 0.3, 0.1, 0] });
  const scorer = confidence((text) => ({ a: 0.2, b: 0.9, c: 0.95 })[text] ?? 0);
  const winner = async (confidenceWeight: number) => {
    const search = stochasticBeam<TextState>({
      scorer,
      confidenceWeight,
      temperature: 0,
      width: 1,
      branch: 3,
      draw: "top",
    });
    return (await solve(model, search)).text;
  };
  expect([await winner(0), await winner(0.31), await winner(0.32), await winner(0.9), await winner(1)]).toEqual([
    "a",
    "a",
    "b",
    "b",
    "c",
  ]);
});

test("normalized it takes P per token and E per step: long answers lose nothing by their length", async () => {
  // "" has one step of 0.5; "aa" three of 0.5, 0.9 and 1, E = 0.45. Per step: 0.5 against 0.45^(1/3) = 0.77.
  const model = tabular({
    alphabet: "a.",
    maxLength: 2,
    conditional: (text) => (text === "" ? [0.499, 0.501] : [0.9, 0.1]),
  });
  const winner = async (normalize: boolean) => {
    const search = stochasticBeam<TextState>({
      scorer: sure,
      confidenceWeight: 0,
      temperature: 0,
      width: 4,
      branch: 2,
      draw: "top",
      normalize,
    });
    return (await solve(model, search)).text;
  };
  expect([await winner(false), await winner(true)]).toEqual(["", "aa"]);
});

describe("drawing", () => {
  const probabilities = [0.4, 0.3, 0.2, 0.1];
  const model = tabular({ alphabet: "abcd.", maxLength: 1, conditional: () => [...probabilities, 0] });

  test.each([1, 0.2])(
    "at temperature %d pairs are kept as often as drawing without replacement says",
    async (temperature) => {
      const runs = 800;
      const counts = new Map<string, number>();
      const search = stochasticBeam<TextState>({
        scorer: sure,
        confidenceWeight: 0,
        temperature,
        width: 2,
        branch: 4,
        draw: "top",
      });
      for (let seed = 0; seed < runs; seed++) {
        const { outcome } = await solve(model, search, { seed });
        const pair = outcome?.candidates.map(({ state }) => state.text).join("") ?? "";
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
      const weights = probabilities.map((p) => Math.exp(p / temperature));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let i = 0; i < 4; i++)
        for (let j = i + 1; j < 4; j++) {
          const [x, y] = [weights[i] as number, weights[j] as number];
          const expected = (x / total) * (y / (total - x)) + (y / total) * (x / (total - y));
          const standardError = Math.sqrt((expected * (1 - expected)) / runs);
          const share = (counts.get(("abcd"[i] as string) + "abcd"[j]) ?? 0) / runs;
          expect(Math.abs(share - expected)).toBeLessThan(5 * standardError); // false alarm: 6e-7 a pair
        }
    },
  );

  test("annealed to nothing, only the first step is left to chance", async () => {
    const long = tabular({ alphabet: "ab.", maxLength: 3, conditional: () => [0.6, 0.4, 0] });
    const settings = { scorer: sure, confidenceWeight: 0, temperature: 50, width: 1, branch: 2, draw: "top" as const };
    const found = async (anneal: number) => {
      const texts = new Set<string>();
      for (let seed = 0; seed < 60; seed++)
        texts.add((await solve(long, stochasticBeam<TextState>({ ...settings, anneal }), { seed })).text ?? "");
      return [...texts].sort();
    };
    expect(await found(0)).toEqual(["aaa", "baa"]);
    expect(await found(1)).toHaveLength(8); // misses one of eight: 8 · (7/8)^60 = 0.003, fixed by the seeds
  });
});

test("with a calibrated confidence it is right where likelihood is wrong, and it names the step that is not sure", async () => {
  // The truth is "bba". The model prefers a at each step; confidence is the share of right texts below.
  const model: TabularModel = tabular({ alphabet: "ab.", maxLength: 3, conditional: () => [0.8, 0.2, 0] });
  const scorer = confidence((text) => ("bba".startsWith(text) ? 0.95 : text.startsWith("bb") ? 0.3 : 0.1));
  const at = async (confidenceWeight: number) =>
    await solve(
      model,
      stochasticBeam<TextState>({ scorer, confidenceWeight, temperature: 0, width: 2, branch: 2, draw: "top" }),
    );
  expect((await at(0)).text).toBe("aaa");
  const right = await at(0.6);
  expect(right.text).toBe("bba");
  const doubtful = confidence((text) => (text === "ab" ? 0.2 : 0.9));
  const forced = tabular({
    alphabet: "ab.",
    maxLength: 3,
    conditional: (text) => (text.length === 1 ? [0, 1, 0] : [1, 0, 0]),
  });
  const { outcome } = await solve(forced, stochasticBeam<TextState>({ scorer: doubtful, width: 2 }));
  expect([outcome?.answer?.state.text, outcome?.weakest?.node.state.text, outcome?.weakest?.confidence]).toEqual([
    "aba",
    "ab",
    0.2,
  ]);
});

describe("with a calibrated but noisy confidence, on answers that the model mostly gets wrong", () => {
  // Five letters, "a" is right each time and has 0.35, "b" 0.45, "c" 0.2. A check says yes to 0.95 of the right letters
  // and to 0.05 of the wrong ones; the confidence is what follows by Bayes, 0.911 after a yes and 0.028 after a no.
  const model = tabular({ alphabet: "abc.", maxLength: 5, conditional: () => [0.35, 0.45, 0.2, 0] });
  const accuracy = 0.95;
  const posterior = (ofRight: number) => (ofRight * 0.35) / (ofRight * 0.35 + (1 - ofRight) * 0.65);
  const check = (problem: number) =>
    confidence((text) => {
      const isRight = text.endsWith("a");
      const isHonest = random(fold(key(problem), text)).uniform() < accuracy;
      return posterior(isRight === isHonest ? accuracy : 1 - accuracy);
    });

  test("it is above a vote at equal cost, and the step it names is wrong more often than others are", async () => {
    const problems = 120;
    let [right, voted, spent, named, expected, variance] = [0, 0, 0, 0, 0, 0];
    for (let problem = 0; problem < problems; problem++) {
      const search = stochasticBeam<TextState>({
        scorer: check(problem),
        width: 4,
        branch: 4,
        confidenceWeight: 0.8,
        temperature: 0.05,
      });
      const guided = await solve(model, search, { seed: problem });
      spent += guided.spent.tokens;
      const n = Math.ceil(guided.spent.tokens / 6);
      const aggregator = majority<TextState>({ canonical: ({ state }) => state.text });
      if ((await solve(model, vote({ n, aggregator }), { seed: problem })).text === "aaaaa") voted++;
      const { text = "", outcome } = guided;
      if (text === "aaaaa") right++;
      else {
        // Any of its letters, picked blindly, would be wrong with this chance.
        const share = [...text].filter((letter) => letter !== "a").length / text.length;
        expected += share;
        variance += share * (1 - share);
        if (!outcome?.weakest?.node.state.text.endsWith("a")) named++;
      }
    }
    expect(spent / problems).toBeLessThan(90);
    expect(right).toBeGreaterThan(voted + 5 * Math.sqrt(problems / 4)); // five standard errors of a difference, at most
    expect(named).toBeGreaterThan(expected + 3 * Math.sqrt(variance));
  });
});

test("what could not be scored is kept only where nothing else is", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 1, conditional: () => [0.9, 0.1, 0] });
  const half = confidence((text) => (text === "a" ? Number.NaN : 0.5));
  const settings = { width: 1, branch: 2, draw: "top" as const, temperature: 0.5 };
  for (let seed = 0; seed < 20; seed++)
    expect((await solve(model, stochasticBeam<TextState>({ ...settings, scorer: half }), { seed })).text).toBe("b");
  const never = confidence(() => Number.NaN);
  expect((await solve(model, stochasticBeam<TextState>({ ...settings, scorer: never }))).text).toBe("a");
});

test("a scorer that gives no probabilities is refused by name", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 1, conditional: () => [0.9, 0.1, 0] });
  const reward: Scorer<TextState> = { name: "reward", kind: "reward", score: () => ({ kind: "reward", value: 3 }) };
  await expect(solve(model, stochasticBeam<TextState>({ scorer: reward }))).rejects.toThrow("must give probabilities");
});

test.each([
  ["width", 0],
  ["confidenceWeight", 1.1],
  ["temperature", -1],
  ["anneal", 2],
])("refuses %s = %d by name", (name, value) => {
  expect(() => stochasticBeam({ [name]: value })).toThrow(`'${name}'`);
});
