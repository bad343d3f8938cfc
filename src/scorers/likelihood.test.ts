import { expect, test } from "vitest";
import { solve } from "../../test/helpers/solve.ts";
import { key } from "../key.ts";
import { randomTabular } from "../models/tabular.ts";
import type { TextState } from "../policies/text.ts";
import { memoryJournal } from "../runs/memory.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { likelihood } from "./likelihood.ts";

const model = randomTabular({ key: key(9), maxLength: 3 });

test.each(["sequence", "token"] as const)(
  "per %s: log p of the answer, by the number of its tokens, the end included; it costs nothing",
  async (per) => {
    for (const step of ["answer", "token"] as const) {
      const journal = memoryJournal();
      const { outcome, spent } = await solve(model, bestOfN<TextState>({ n: 5, scorer: likelihood({ per }) }), {
        step,
        journal,
      });
      const drawn = await solve(model, bestOfN<TextState>({ n: 5, scorer: likelihood() }), { step });
      expect(spent.calls).toBe(drawn.spent.calls); // as many calls as without a score: one a step
      for (const { state, score } of outcome?.candidates ?? []) {
        const logProb = model.enumerate("").find(({ text }) => text === state.text)?.logProb as number;
        const tokens = state.text.length + 1;
        expect(score).toMatchObject({
          kind: "log-likelihood",
          value: expect.closeTo(per === "token" ? logProb / tokens : logProb, 10),
        });
      }
      expect(
        journal.events.flatMap((event) => (event.type === "score" ? [event.cost.calls, event.scorer] : [])).slice(0, 2),
      ).toEqual([0, per === "token" ? "likelihood-per-token" : "likelihood"]);
    }
  },
);

test("where the model does not tell, nothing is scored", async () => {
  const mute = {
    ...model,
    async *generate(request: Parameters<typeof model.generate>[0]) {
      for await (const part of model.generate(request))
        yield part.type === "completion" ? { ...part, completion: { ...part.completion, logProb: Number.NaN } } : part;
    },
  };
  const { outcome } = await solve(mute, bestOfN<TextState>({ n: 2, scorer: likelihood() }), { step: "answer" });
  expect(outcome?.unscored).toBe(true);
});
