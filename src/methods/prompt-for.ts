/** A problem in the form of its model. */
import { fold, key } from "../key.ts";
import type { Model } from "../model.ts";
import type { Problem } from "../problem.ts";
import type { Task } from "../task.ts";

/**
 * The problem as this model is to see it. A model of conversations knows nothing of the task: it is told what to do, and
 * shown three worked examples, as turns. Others continue the bare prompt; free text becomes a message where that is taken.
 */
export function promptFor(
  { problem, task }: { readonly problem: Problem; readonly task?: Task | undefined },
  model: Model,
): Problem {
  if (!model.capabilities.messages || typeof problem.prompt !== "string") return problem;
  if (!task) return { ...problem, prompt: [{ role: "user", content: problem.prompt }] };
  const examples = [0, 1, 2].flatMap((i) => {
    const example = task.make(fold(fold(key(0), "examples"), i), { split: "train" });
    const answer = task.solve(example, fold(key(0), i)) ?? "";
    return [
      { role: "user" as const, content: String(example.prompt).trim() },
      { role: "assistant" as const, content: answer.trim() },
    ];
  });
  const rules = `${task.title}\nAnswer with the steps alone, one a line, in exactly the form of the examples.`;
  return {
    ...problem,
    prompt: [{ role: "system", content: rules }, ...examples, { role: "user", content: problem.prompt.trim() }],
  };
}
