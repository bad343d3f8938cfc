/** Where nothing can be checked, let answers vote: node examples/02-vote.ts */
import { fold, key, majority, openModel, run, type TextState, text, vote } from "ponderosa";
import { productChain } from "ponderosa/tasks";

const model = await openModel("sapling");
const problem = productChain.make(fold(key(3), 0));
const aggregator = majority<TextState>({ canonical: ({ state }) => productChain.canonical(problem, state.text) });

const { outcome, confidence, stopped } = await run(vote({ n: 16, aggregator }), problem, {
  policy: text(model, { maxTokens: 100 }),
  budget: { tokens: 1600, seconds: 60 },
});
console.log(JSON.stringify(problem.prompt), stopped.why, `${Math.round((confidence ?? 0) * 100)}% of the votes`);
for (const { answer, weight, node } of outcome?.tally ?? [])
  console.log(`${weight} × ${answer}`, productChain.check(problem, node.state.text).correct ? "right" : "wrong");
