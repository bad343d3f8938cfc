/** What is settled before the first run: the methods that are compared, the record that is kept, and that it is the same as before. */
import { Failed } from "../errors.ts";
import type { Model } from "../model.ts";
import type { Json } from "../problem.ts";
import type { EvaluationRecord } from "../record.ts";
import type { Store } from "../runs/store/index.ts";
import { madeFor } from "./cell.ts";
import { type Contender, missingBaselines } from "./contenders.ts";
import { budgetLabel, configOf, type Evaluation } from "./evaluation.ts";
import type { Origin } from "./load.ts";
import type { Questions } from "./problems.ts";
import { revisionNow, versionsNow } from "./versions.ts";

/** The methods that are run, each made once for the first problem: what cannot work is said before anything is spent. */
export function compared(
  { contenders, budgets, baselines }: Evaluation,
  { problems, task, checker }: Questions,
  model: Model,
): { contenders: readonly Contender[]; notes: readonly string[] } {
  const [first] = problems;
  if (!first) throw new RangeError("Cannot evaluate as there are no problems: current value is 0");
  const { problem } = first;
  const made = (one: Contender) => ({ one, made: madeFor(one, { model, problem, task, checker }) });
  const listed = contenders.map(made);
  const notes: string[] = [];
  const added = (baselines ? missingBaselines(contenders, budgets, model) : []).flatMap((one) => {
    try {
      return [made(one)];
    } catch (error) {
      if (!(error instanceof Failed && error.code === "unsupported")) throw error;
      notes.push(`The baseline ${one.label} is left out: ${error.message}`);
      return [];
    }
  });
  if (added.length > 0) notes.push(`Added to compare with: ${added.map(({ one }) => one.label).join(", ")}.`);
  const all = [...added, ...listed];
  for (const budget of budgets) {
    const hopeless = all.filter(({ made: { policy } }) => {
      const { tokens } = policy.bound(policy.root(problem), problem);
      return budget.tokens !== undefined && tokens > budget.tokens;
    });
    if (hopeless.length > 0)
      notes.push(
        `Nothing is drawn under ${budgetLabel(budget)} by ${hopeless.map(({ one }) => one.label).join(", ")}, as one answer may take more: set a smaller max-tokens.`,
      );
  }
  return { contenders: all.map(({ one }) => one), notes };
}

export function recordOf(
  evaluation: Evaluation,
  parts: { contenders: readonly Contender[]; questions: Questions; model: Model; origin: Origin | undefined },
): EvaluationRecord {
  const { contenders, questions, model, origin } = parts;
  const isData = typeof evaluation.model === "string" && contenders.every((one) => "method" in one);
  const { name, budgets, seeds } = evaluation;
  const config: Json = {
    ...configOf(evaluation),
    ...(model.revision !== undefined && { modelRevision: model.revision }),
    ...(!isData && { file: origin?.file ?? null }),
  };
  return {
    id: name,
    name,
    task: questions.name,
    model: typeof evaluation.model === "string" ? evaluation.model : model.id,
    parameters: model.parameters ?? null,
    methods: contenders.map(({ label }) => label),
    budgets,
    problems: questions.problems,
    seeds,
    config,
    versions: versionsNow(),
    revision: revisionNow(),
    startedAt: Date.now(),
    finishedAt: null,
  };
}

/** @throws RangeError that names the first difference to what was begun under this name */
export async function checkSame(now: EvaluationRecord, store: Store): Promise<void> {
  const begun = await store.evaluation(now.id);
  if (!begun) return;
  const [before, after] = [comparable(begun), comparable(now)];
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [shown(before[field]), shown(after[field])];
    if (was === is) continue;
    const change = Math.max(was.length, is.length) > 200 ? "is not what it was" : `was ${was} and is ${is} now`;
    throw new RangeError(`Cannot go on with "${now.id}" as '${field}' ${change}: give the new evaluation another name`);
  }
}

const comparable = ({ config, methods, problems }: EvaluationRecord): Readonly<Record<string, unknown>> => ({
  ...(config as Readonly<Record<string, Json>>),
  methods,
  questions: problems.map(({ problem }) => problem),
});

/** With sorted names, as a database may give an object back in another order. */
const shown = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, part) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
