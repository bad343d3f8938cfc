/** A puzzle that greedy decoding gets wrong and best-of-n with a verifier gets right: node examples/01-best-of-n.ts */
import { bestOfN, fold, greedy, key, openModel, run, type TextState, text, verifier } from "ponderosa";
import { countdown } from "ponderosa/tasks";

const model = await openModel("sapling");
const policy = text(model, { maxTokens: 100 });
const scorer = verifier<TextState>(countdown);

let [greedyRight, searchRight] = [0, 0];
const problems = Array.from({ length: 20 }, (_, i) => countdown.make(fold(key(1), i)));
for (const problem of problems) {
  const one = await run(greedy<TextState>(), problem, { policy });
  if (countdown.check(problem, one.text ?? "").correct) greedyRight++;

  const many = await run(bestOfN<TextState>({ n: 16 }), problem, { policy, scorer, budget: { tokens: 1600 } });
  const { score } = many.answer ?? {};
  if (score?.kind === "verdict" && score.correct) searchRight++;
}
console.log(`of ${problems.length} puzzles: greedy ${greedyRight}, best of 16 with a verifier ${searchRight}`);
