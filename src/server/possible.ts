/** Which methods can be made for which models: found out before the first request, so that nothing is offered in vain. */
import { key } from "../key.ts";
import type { SetMethod } from "../methods/compact.ts";
import type { Model } from "../model.ts";
import { shippedModels } from "../open-model.ts";
import { tasks } from "../tasks/index.ts";
import { ApiError } from "./api-error.ts";
import type { Configuration } from "./configuration.ts";
import type { ModelEntry } from "./options.ts";
import type { Log } from "./log.ts";
import { planFor } from "./perform.ts";
import { questionOf } from "./question.ts";

/**
 * The configuration with the methods of every model. Those that the operator named must be possible; of the others what is not
 * is left out, and the log says why.
 * @throws RangeError that names the model, the method and the reason
 */
export function withPossible(
  configuration: Configuration,
  models: ReadonlyMap<string, Model>,
  log: Log,
): Configuration {
  const { methods, defaultMethod } = configuration;
  const narrowed = Object.entries(configuration.models).map(([name, entry]) => {
    const model = models.get(name);
    if (!model) throw new RangeError(`Cannot serve ${name} as it was not opened`);
    const named = new Set([...(entry.methods ?? []), ...(defaultMethod === undefined ? [] : [defaultMethod])]);
    const possible = (entry.methods ?? Object.keys(methods)).filter((method) => {
      const reason = whyNot(model, entry, methods[method] as SetMethod);
      if (reason === undefined) return true;
      if (named.has(method)) throw new RangeError(`Cannot offer ${name}+${method}: ${reason}`);
      log("not-offered", { model: name, method, reason });
      return false;
    });
    return [name, { ...entry, methods: possible }] as const;
  });
  return { ...configuration, models: Object.fromEntries(narrowed) };
}

/** Undefined where it is possible. */
function whyNot(model: Model, entry: ModelEntry, method: SetMethod): string | undefined {
  const isShipped = shippedModels.some(({ name }) => name === entry.spec);
  const task = tasks.find(({ name }) => name === entry.task) ?? (isShipped ? tasks[0] : undefined);
  const content = task ? String(task.make(key(0)).prompt) : "?";
  try {
    planFor({ model, question: questionOf({ messages: [{ role: "user", content }] }, entry, model), method, stop: [] });
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}
