/** Opens the model that was named. */
import type { Budget } from "../budget.ts";
import type { Model } from "../model.ts";
import { requirePrice } from "../price.ts";
import type { CliContext } from "./context.ts";
import { UsageError } from "./report.ts";

/** @throws UsageError for whatever keeps it from being opened: it comes of what was named, and nothing has been started */
export async function openNamed(context: CliContext, spec: string, budget: Budget = {}): Promise<Model> {
  try {
    const model = await context.openModel(spec);
    requirePrice(model, [budget]);
    return model;
  } catch (error) {
    throw error instanceof Error && !(error instanceof TypeError)
      ? new UsageError(error.message, { cause: error })
      : error;
  }
}
