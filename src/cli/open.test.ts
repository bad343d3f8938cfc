import { expect, test } from "vitest";
import { openai } from "../models/openai/index.ts";
import type { CliContext } from "./context.ts";
import { openNamed } from "./open.ts";
import { UsageError } from "./report.ts";

const opens = (price?: { dollarsPerPromptToken: number; dollarsPerToken: number }): CliContext =>
  ({
    openModel: async () => openai({ baseUrl: "http://127.0.0.1:9/v1", model: "m", ...(price && { price }) }),
  }) as unknown as CliContext;

test("a budget in dollars for a server without a price is wrong usage, before anything is sent", async () => {
  await expect(openNamed(opens(), "http://127.0.0.1:9/v1#m", { dollars: 1 })).rejects.toThrow(UsageError);
  await openNamed(opens(), "http://127.0.0.1:9/v1#m", { tokens: 9 });
  await openNamed(opens({ dollarsPerPromptToken: 0, dollarsPerToken: 0 }), "http://127.0.0.1:9/v1#m", { dollars: 1 });
});
