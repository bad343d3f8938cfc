/** The problems of an evaluation, and who knows which answers are right. */
import { existsSync } from "node:fs";
import { fold, key } from "../key.ts";
import { promptFor } from "../methods/prompt-for.ts";
import type { Model } from "../model.ts";
import type { AskedProblem } from "../record.ts";
import type { Checker, Task } from "../task.ts";
import { taskNamed } from "../tasks/index.ts";
import type { Evaluation } from "./evaluation.ts";

export interface Questions {
  /** Of the task or of the file's format. */
  readonly name: string;
  readonly problems: readonly AskedProblem[];
  readonly checker: Checker;
  /** Where the checker is a task of the package. */
  readonly task: Task | undefined;
}

/** Each in the form that its model is asked in. The same for the same evaluation. @throws RangeError where there are too few */
export async function questionsOf(
  { task: source, problems: count, key: evaluationKey }: Pick<Evaluation, "task" | "problems" | "key">,
  model: Model,
): Promise<Questions> {
  if ("name" in source) {
    const task = taskNamed(source.name);
    const made = madeProblems(task, source.levels, count ?? 100, evaluationKey);
    const problems = made.map((asked) => ({ ...asked, problem: promptFor({ problem: asked.problem, task }, model) }));
    return { name: task.name, problems, checker: task, task };
  }
  const { openProblemSet, promptsFor } = await import("../tasks/formats/index.ts");
  const { checkerOf } = await import("../scorers/checks/checker-of.ts");
  const { file, format, shots = 0 } = source;
  if (!existsSync(file)) throw new RangeError(`Cannot read ${file} as there is no such file`);
  const set = promptsFor(await openProblemSet(file, format === undefined ? {} : { format }), model, { shots });
  const problems = chosen(set.problems, count, { evaluationKey, file });
  return { name: set.name, problems, checker: checkerOf(set), task: undefined };
}

/** So often a task may make a problem again that is there already, before it is taken to have no more. */
const mostRepeats = 1000;

function madeProblems(task: Task, levels: readonly string[], count: number, evaluationKey: number): AskedProblem[] {
  const place = fold(key(evaluationKey), "problems");
  const made = new Map<string, AskedProblem>();
  let repeats = 0;
  for (let i = 0; made.size < count; i++) {
    const level = levels[i % levels.length] as string;
    const problem = task.make(fold(place, i), { level, split: "test" });
    if (!made.has(problem.id)) {
      made.set(problem.id, { problem, level, cluster: null });
      repeats = 0;
    } else if (++repeats > mostRepeats)
      throw new RangeError(
        `Cannot ask ${count} problems of ${task.name} (${levels.join(", ")}) as there are only ${made.size}: ask fewer`,
      );
  }
  return [...made.values()];
}

/** Those with the smallest hash, so that the first lines of a file, which are often alike, are not preferred; in their order. */
function chosen(
  all: readonly AskedProblem[],
  count: number | null,
  { evaluationKey, file }: { readonly evaluationKey: number; readonly file: string },
): readonly AskedProblem[] {
  if (count === null || count === all.length) return all;
  if (count > all.length) throw new RangeError(`Cannot ask ${count} problems as ${file} has ${all.length}: ask fewer`);
  const place = fold(key(evaluationKey), "problems");
  const rank = new Map(all.map((asked) => [asked, fold(place, asked.problem.id)]));
  const byHash = (a: AskedProblem, b: AskedProblem) => {
    const [x, y] = [rank.get(a), rank.get(b)] as [readonly number[], readonly number[]];
    return (x[0] as number) - (y[0] as number) || (x[1] as number) - (y[1] as number);
  };
  const kept = new Set([...all].sort(byHash).slice(0, count));
  return all.filter((asked) => kept.has(asked));
}
