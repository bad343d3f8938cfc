import { expect, test } from "vitest";
import { placeOf } from "./log.ts";

test("of a defect kind and place are told; of its message nothing, whatever lines it has", () => {
  const error = new TypeError("Cannot read\n    at home with a prompt");
  const told = placeOf(error, false);
  expect(told).toMatchObject({ name: "TypeError" });
  expect(JSON.stringify(told)).toContain("log.test.ts");
  expect(JSON.stringify(told)).not.toContain("home");
  error.message = "another than in the stack";
  expect(JSON.stringify(placeOf(error, false))).not.toContain("home");
  expect(placeOf("a prompt", false)).toBe("string");
});
