/** Opens the model that was named. */
import type { Model } from "../model.ts";
import type { CliContext } from "./context.ts";
import { UsageError } from "./report.ts";

/** @throws UsageError for whatever keeps it from being opened: it comes of what was named, and nothing has been started */
export async function openNamed(context: CliContext, spec: string): Promise<Model> {
  try {
    return await context.openModel(spec);
  } catch (error) {
    throw error instanceof Error && !(error instanceof TypeError)
      ? new UsageError(error.message, { cause: error })
      : error;
  }
}
