import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reservation } from "./account.ts";
import { Account, checkBudget } from "./account.ts";
import type { Budget, Cost } from "./budget.ts";
import { addCosts, cost, noCost } from "./budget.ts";

const granted = (account: Account, worstCase: Cost): Reservation => {
  const grant = account.reserve(worstCase);
  if ("denied" in grant) throw new Error(`denied by ${grant.denied}`);
  return grant.granted;
};

describe("reserve and settle", () => {
  test("200 that race for the last units: exactly floor(budget / cost) pass", () => {
    for (const [tokens, each] of [
      [100, 7],
      [99, 100],
      [100, 100],
      [0, 1],
      [1400, 7],
    ] as const) {
      const account = new Account({ tokens });
      const grants = Array.from({ length: 200 }, () => account.reserve(cost({ tokens: each })));
      expect(grants.filter((grant) => "granted" in grant)).toHaveLength(Math.min(200, Math.floor(tokens / each)));
      expect(
        grants.filter((grant) => "denied" in grant).every((grant) => "denied" in grant && grant.denied === "tokens"),
      ).toBe(true);
    }
  });

  test("any interleaving: settled + reserved <= limit at every instant, and the sums are exact", () => {
    const limits = { tokens: 50, promptTokens: 60, calls: 9, dollars: 40e-9 } as const;
    const units = { tokens: 50, promptTokens: 60, calls: 9, nanodollars: 40 } as const;
    const amount = fc.record({
      tokens: fc.nat(20),
      promptTokens: fc.nat(20),
      cachedTokens: fc.nat(20),
      calls: fc.nat(2),
      nanodollars: fc.nat(15),
    });
    const step = fc.oneof(
      fc.record({ reserve: amount }),
      fc.record({ settle: fc.nat(20), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const account = new Account(limits);
        const open: Reservation[] = [];
        let settled = noCost;
        for (const step of steps) {
          if ("reserve" in step) {
            const before = addCosts(account.settled, account.reserved);
            const fits = Object.entries(units).every(([unit, most]) => {
              const ask = step.reserve[unit as keyof typeof units];
              return ask === 0 || before[unit as keyof typeof units] + ask <= most;
            });
            const grant = account.reserve(step.reserve);
            expect("granted" in grant).toBe(fits); // never more than fits, and never less
            if ("granted" in grant) open.push(grant.granted);
          } else if (open.length > 0) {
            const [reservation] = open.splice(step.settle % open.length, 1) as [Reservation];
            const part = (value: number) => Math.floor(value * step.share);
            const { reserved } = reservation;
            const actual = cost({
              tokens: part(reserved.tokens),
              promptTokens: part(reserved.promptTokens),
              calls: reserved.calls,
              nanodollars: part(reserved.nanodollars),
            });
            reservation.settle(actual);
            settled = addCosts(settled, actual);
          }
          for (const [unit, most] of Object.entries(units))
            expect(account.settled[unit as keyof Cost] + account.reserved[unit as keyof Cost]).toBeLessThanOrEqual(
              most,
            );
          expect(account.settled).toEqual(settled);
          expect(account.reserved).toEqual(open.reduce((sum, { reserved }) => addCosts(sum, reserved), noCost));
        }
        expect(account.overrun).toBeUndefined();
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  test("all or nothing: a denial by the second limit holds nothing of the first", () => {
    const account = new Account({ tokens: 10, calls: 1 });
    expect(account.reserve(cost({ tokens: 5, calls: 2 }))).toEqual({ denied: "calls" });
    expect(account.reserved).toEqual(noCost);
    granted(account, cost({ tokens: 10, calls: 1 }));
  });

  test("what costs nothing passes a spent budget", () => {
    const account = new Account({ tokens: 0, calls: 0 });
    granted(account, noCost).settle(noCost);
    expect(account.reserve(cost({ calls: 1 }))).toEqual({ denied: "calls" });
  });

  test("a reservation is settled once", () => {
    const account = new Account({ tokens: 10 });
    const reservation = granted(account, cost({ tokens: 4 }));
    reservation.settle(cost({ tokens: 1 }));
    expect(() => reservation.settle(cost({ tokens: 1 }))).toThrow(/twice/);
    expect(account.settled.tokens).toBe(1);
  });

  test("the limit in dollars is exact to the nanodollar", () => {
    const account = new Account({ dollars: 0.1 + 0.2 }); // 0.30000000000000004
    granted(account, cost({ nanodollars: 300_000_000 }));
    expect(account.reserve(cost({ nanodollars: 1 }))).toEqual({ denied: "dollars" });
    granted(new Account({ dollars: 0.29 }), cost({ nanodollars: 290_000_000 })); // 0.29 * 1e9 is 289999999.99999994
  });
});

describe("an upstream that charges more than its worst case", () => {
  test("is booked in full, and nothing more is granted, not even in other units", () => {
    const account = new Account({ tokens: 10, calls: 10 });
    const first = granted(account, cost({ tokens: 5 }));
    const second = granted(account, cost({ tokens: 5 }));
    first.settle(cost({ tokens: 30 }));
    expect(account.settled.tokens).toBe(30);
    expect(account.overrun).toBe("tokens");
    expect(account.reserve(cost({ calls: 1 }))).toEqual({ denied: "tokens" });
    second.settle(cost({ tokens: 5 }));
    expect(account.settled.tokens).toBe(35);
  });

  test("within the limit it is no overrun", () => {
    const account = new Account({ tokens: 10 });
    granted(account, cost({ tokens: 2 })).settle(cost({ tokens: 4 }));
    expect(account.overrun).toBeUndefined();
    granted(account, cost({ tokens: 6 }));
  });
});

describe("hostile numbers", () => {
  const hostile = [Number.NaN, -1, 1.5, 1e308, Infinity, "3", undefined, null] as number[];

  test.each(hostile)("a cost of %o is refused by unit, and nothing moves", (value) => {
    for (const unit of ["tokens", "promptTokens", "cachedTokens", "calls", "nanodollars"] as const) {
      const account = new Account({ tokens: 10 });
      const bad = { ...noCost, [unit]: value };
      expect(() => account.reserve(bad)).toThrow(`'${unit}'`);
      expect(() => account.charge(bad)).toThrow(`'${unit}'`);
      const reservation = granted(account, cost({ tokens: 4 }));
      expect(() => reservation.settle(bad)).toThrow(`'${unit}'`);
      expect([account.settled, account.reserved]).toEqual([noCost, cost({ tokens: 4 })]); // still held, so still settleable
      reservation.settle(cost({ tokens: 4 }));
      expect([account.settled, account.reserved]).toEqual([cost({ tokens: 4 }), noCost]);
    }
  });

  test.each([Number.NaN, -1, 1.5, 1e308, Infinity, "8", null])(
    "a limit of %o is refused by name and range",
    (value) => {
      for (const limit of ["tokens", "promptTokens", "calls"] as const)
        expect(() => checkBudget({ [limit]: value })).toThrow(
          new RegExp(`'${limit}' must be a whole number .*: current value is`),
        );
      if (value === 1.5) return;
      for (const limit of ["seconds", "dollars"] as const)
        expect(() => checkBudget({ [limit]: value })).toThrow(`'${limit}' must be a number`);
    },
  );

  test("a limit that is none is refused with those there are", () => {
    expect(() => checkBudget({ token: 5 } as Budget)).toThrow(
      "'token' is no limit: use tokens, promptTokens, calls, seconds, dollars",
    );
  });

  test("0 and -0 are limits: they let nothing pass", () => {
    for (const zero of [0, -0])
      expect(new Account({ calls: zero }).reserve(cost({ calls: 1 }))).toEqual({ denied: "calls" });
  });
});
