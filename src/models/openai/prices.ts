/**
 * What tokens cost, as a table that the user keeps: prices change too often for a package to know them.
 *
 * ```json
 * { "gpt-5-mini": { "prompt": 0.25, "cached": 0.025, "completion": 2 }, "http://10.0.0.7:8000/v1#qwen": { "prompt": 0, "completion": 0 } }
 * ```
 * US dollars per million tokens, by the model's name, or by address and name, which goes before. A model that is not in it has no known price.
 */
import type { Price } from "../../model.ts";
import { isRecord } from "./http.ts";

export type PriceTable = ReadonlyMap<string, Price>;

/** @throws RangeError naming the entry */
export function readPrices(json: unknown): PriceTable {
  if (!isRecord(json)) throw new RangeError("Cannot read prices as they are no object of models");
  return new Map(Object.entries(json).map(([name, entry]) => [name, priceOf(name, entry)]));
}

export const priceIn = (table: PriceTable, id: string): Price | undefined =>
  table.get(id) ?? table.get(id.replace(/^[^#]*#/, ""));

function priceOf(name: string, entry: unknown): Price {
  const { prompt, cached, completion } = isRecord(entry) ? entry : {};
  const each = (field: string, value: unknown): number => {
    if (typeof value === "number" && value >= 0 && value <= 1e6) return value / 1e6;
    throw new RangeError(
      `Cannot use the price of ${name} as '${field}' must be dollars per million tokens in [0, 1000000]: current value is ${JSON.stringify(value)}`,
    );
  };
  return {
    dollarsPerPromptToken: each("prompt", prompt),
    dollarsPerToken: each("completion", completion),
    ...(cached !== undefined && { dollarsPerCachedToken: each("cached", cached) }),
  };
}
