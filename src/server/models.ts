/** The models that are served, opened once. */
import type { Model, Price } from "../model.ts";
import { openModel } from "../open-model.ts";
import type { Configuration, ModelEntry, ServedPrice } from "./configuration.ts";

export type Environment = Readonly<Partial<Record<string, string>>>;

/** @throws RangeError where one cannot be opened, or its key is not in the environment */
export async function openModels(
  { models }: Configuration,
  environment: Environment,
): Promise<ReadonlyMap<string, Model>> {
  const opened = new Map<string, Model>();
  try {
    for (const [name, entry] of Object.entries(models)) opened.set(name, await openEntry(name, entry, environment));
  } catch (error) {
    await closeModels(opened);
    throw error;
  }
  return opened;
}

export async function closeModels(models: ReadonlyMap<string, Model>): Promise<void> {
  for (const model of models.values()) await model[Symbol.asyncDispose]?.();
}

async function openEntry(name: string, entry: ModelEntry, environment: Environment): Promise<Model> {
  const { spec, apiKeyEnv } = entry;
  const price = entry.price && priceOf(entry.price);
  if (typeof spec === "function") return spec();
  const apiKey = apiKeyEnv === undefined ? undefined : environment[apiKeyEnv];
  if (apiKeyEnv !== undefined && !apiKey)
    throw new RangeError(`Cannot open models.${name} as the environment variable ${apiKeyEnv} is not set`);
  if (!/^https?:\/\//.test(spec)) {
    const model = await openModel(spec);
    return price ? { ...model, price } : model;
  }
  const { openaiFromUrl } = await import("../models/openai/index.ts");
  return openaiFromUrl(spec, { ...(apiKey !== undefined && { apiKey }), ...(price && { price }) });
}

const priceOf = ({ prompt, cached = prompt, completion }: ServedPrice): Price => ({
  dollarsPerPromptToken: prompt / 1e6,
  dollarsPerCachedToken: cached / 1e6,
  dollarsPerToken: completion / 1e6,
});
