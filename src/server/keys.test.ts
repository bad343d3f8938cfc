import { expect, test } from "vitest";
import { keyOf } from "../../test/helpers/served.ts";
import { accountOf, keysOf } from "./keys.ts";

const now = Date.UTC(2026, 0, 2);
const entries = [
  keyOf("shop", "secret-1"),
  keyOf("old", "secret-2", { expires: "2026-01-01T00:00:00Z" }),
  keyOf("new", "secret-3", { expires: "2026-01-03T00:00:00Z" }),
];

test("a key is known by its hash", () => {
  const keys = keysOf(entries, () => now);
  expect(keys.callerOf("Bearer secret-1").name).toBe("shop");
  expect(keys.callerOf("bearer  secret-3").name).toBe("new");
});

test.each([
  undefined,
  "",
  "Bearer ",
  "Bearer secret-2",
  "Bearer secret",
  "Bearer secret-11",
  "Basic secret-1",
  "secret-1",
  "Bearer secret-1 secret-1",
  `Bearer ${entries[0]?.sha256}`,
  "Bearer ' or 1=1 --",
  `Bearer ${"x".repeat(2_000_000)}`,
])("any other is refused, in the same words: %.40s", (authorization) => {
  const keys = keysOf(entries, () => now);
  expect(() => keys.callerOf(authorization)).toThrow(
    expect.objectContaining({
      code: "invalid_api_key",
      message: "Cannot accept this key: send a valid one as Authorization: Bearer …",
    }),
  );
});

test("other keys: those that went, and those of another hash, are named", () => {
  const keys = keysOf(entries, () => now);
  expect(keys.replace([keyOf("shop", "secret-1"), keyOf("new", "another"), keyOf("more", "secret-4")])).toEqual([
    "old",
    "new",
  ]);
  expect(keys.callerOf("Bearer secret-4").name).toBe("more");
  expect(() => keys.callerOf("Bearer secret-3")).toThrow("Cannot accept");
});

test("accounts are per day or month of UTC, or for good", () => {
  const at = Date.UTC(2026, 2, 9, 23, 59);
  expect(accountOf({ name: "a" }, at)).toBe("a");
  expect(accountOf({ name: "a", budget: { tokens: 1, per: "day" } }, at)).toBe("a 2026-03-09");
  expect(accountOf({ name: "a", budget: { tokens: 1, per: "month" } }, at)).toBe("a 2026-03");
});
