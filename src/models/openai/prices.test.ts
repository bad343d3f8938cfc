import { expect, test } from "vitest";
import { requirePrice } from "../../price.ts";
import { openai } from "../openai.ts";
import { priceIn, readPrices } from "./prices.ts";

const table = readPrices({
  qwen: { prompt: 0.25, cached: 0.025, completion: 2 },
  "http://10.0.0.7:8000/v1#qwen": { prompt: 0, completion: 0 },
});

test("dollars per million tokens, by the model's name; an address goes before", () => {
  expect(priceIn(table, "https://api.example.com/v1#qwen")).toEqual({
    dollarsPerPromptToken: 0.25e-6,
    dollarsPerCachedToken: expect.closeTo(0.025e-6, 12),
    dollarsPerToken: 2e-6,
  });
  expect(priceIn(table, "http://10.0.0.7:8000/v1#qwen")).toEqual({ dollarsPerPromptToken: 0, dollarsPerToken: 0 });
  expect(priceIn(table, "http://10.0.0.7:8000/v1#llama")).toBeUndefined();
});

test.each([
  [[1], /no object/],
  [{ m: 3 }, /price of m as 'prompt'/],
  [{ m: { prompt: -1, completion: 1 } }, /current value is -1/],
  [{ m: { prompt: 1, completion: "2" } }, /'completion'.*"2"/],
])("%j is no table", (json, message) => {
  expect(() => readPrices(json)).toThrow(message);
});

test("a budget in dollars is refused where the price is not known, before anything is sent", () => {
  const server = openai({ baseUrl: "http://127.0.0.1:9/v1", model: "qwen" });
  expect(() => requirePrice(server, [{ tokens: 9 }, { dollars: 1 }])).toThrow(/price of http.*#qwen is not known/);
  requirePrice(server, [{ tokens: 9 }]);
  requirePrice({ id: "sapling" }, [{ dollars: 1 }]); // in this process: free
  const price = { dollarsPerPromptToken: 0, dollarsPerToken: 0 };
  requirePrice(openai({ baseUrl: "http://127.0.0.1:9/v1", model: "qwen", price }), [{ dollars: 1 }]);
});
