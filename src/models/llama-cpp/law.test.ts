import type { ControlledEvaluateIndexOutput, Token } from "node-llama-cpp";
import { expect, test } from "vitest";
import { random } from "../../math/random.ts";
import type { Sampling } from "../../model.ts";
import { transform } from "../sampling.ts";
import { type Drawn, drawFrom, drawRest, scoreOf, topLaw, wholeLaw } from "./law.ts";

const vocabulary = 12;
const logits = [0.3, 2.5, -1, 0.9, 0.1, 3.1, -0.4, 1.7, 0.2, -2, 0, 1.1];
const sorted = logits.map((logit, token) => [token as Token, logit] as const).sort((a, b) => b[1] - a[1]);
const output = (top: number): ControlledEvaluateIndexOutput => ({
  next: {
    logits: new Map(sorted.slice(0, top)),
    totalLogitWeight: logits.reduce((sum, logit) => sum + Math.exp(logit - Math.max(...logits)), 0),
  },
});
const whole = wholeLaw(output(vocabulary), vocabulary);
const top = topLaw(output(4));

const draws = 5000;
const sampleBoth = (sampling: Sampling, stream = random(3)): Drawn => {
  const first = drawFrom(top, sampling, stream);
  if (typeof first === "object") return first;
  return first === "rest" ? drawRest(whole, top, stream) : (drawFrom(whole, sampling, stream) as Drawn);
};

test.each<[Sampling, "top" | "rest" | "whole"]>([
  [{}, "rest"],
  [{ temperature: 0 }, "top"],
  [{ topK: 3 }, "top"],
  [{ topK: 3, topP: 0.5, temperature: 0.7 }, "top"],
  [{ topK: 4 }, "whole"], // no room to see that the fourth is the last
  [{ topP: 0.6 }, "top"],
  [{ topP: 0.99 }, "whole"],
  [{ minP: 0.3 }, "top"],
  [{ minP: 0.01 }, "whole"],
  [{ temperature: 1.3 }, "whole"],
  [{ temperature: 0.01 }, "top"],
])("%o from the top tokens is the law of the whole: %s", (sampling, expected) => {
  const law = transform(whole.logProbs, sampling);
  const stream = random(11);
  const counts = new Array<number>(vocabulary).fill(0);
  const needs = new Set<string>();
  for (let i = 0; i < draws; i++) {
    const first = drawFrom(top, sampling, random(i));
    needs.add(typeof first === "object" ? "top" : first);
    const { token, logProb, logProposal } = sampleBoth(sampling, stream);
    counts[token] = (counts[token] as number) + 1;
    expect(logProb).toBeCloseTo(whole.logProbs[token] as number, 12);
    expect(logProposal).toBeCloseTo(law[token] as number, 8);
  }
  expect(needs).toEqual(new Set(expected === "rest" ? ["top", "rest"] : [expected]));
  for (const [token, count] of counts.entries()) {
    const p = Math.exp(law[token] as number);
    expect(Math.abs(count / draws - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / draws) + 1e-12); // false alarm: 6e-7 each
  }
});

test("a score is the whole law's", () => {
  for (const [token, logProb] of whole.logProbs.entries()) {
    const { totalLogitWeight } = output(1).next;
    const asked = new Map([...sorted.slice(0, 1), [token as Token, logits[token] as number]]);
    expect(scoreOf({ next: { logits: asked, totalLogitWeight: totalLogitWeight as number } }, token)).toBeCloseTo(
      logProb,
      12,
    );
  }
});
