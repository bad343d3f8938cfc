/**
 * A budget with its books: reserve the worst case before a call, settle what it really cost after.
 *
 * Synchronous and in whole numbers, so that no two callers can both take the last unit and no sum drifts. The invariant,
 * at every instant: settled + reserved <= limit, unless an upstream charged more than its own worst case; then all of it
 * is booked, `overrun` says so, and nothing more is granted.
 */
import type { Budget, Cost, Limit } from "./budget.ts";
import { addCosts, cost, limits, noCost } from "./budget.ts";

export interface Reservation {
  readonly reserved: Cost;
  /**
   * Books what it really cost and frees the rest. Once: a second call is an error.
   * @throws RangeError if that is no cost; the reservation then still stands.
   */
  settle(actual: Cost): void;
}

export type Grant = { readonly granted: Reservation } | { readonly denied: Limit };

/** The units that are limited; `seconds` is a deadline, which the run keeps. */
const counted = ["tokens", "promptTokens", "calls", "nanodollars"] as const;

const units = [...counted, "cachedTokens"] as const;

const limitOf = { tokens: "tokens", promptTokens: "promptTokens", calls: "calls", nanodollars: "dollars" } as const;

export class Account {
  readonly #limits: Cost;
  #settled: Cost = noCost;
  #reserved: Cost = noCost;
  #overrun: Limit | undefined;

  /** @throws RangeError if a limit is negative, NaN or (except for seconds and dollars) not a whole number. */
  constructor(budget: Budget = {}) {
    checkBudget(budget);
    this.#limits = cost({
      tokens: budget.tokens ?? Infinity,
      promptTokens: budget.promptTokens ?? Infinity,
      calls: budget.calls ?? Infinity,
      nanodollars: budget.dollars === undefined ? Infinity : Math.floor(budget.dollars * 1e9 + 1e-6),
    });
  }

  /** All or nothing. */
  reserve(worstCase: Cost): Grant {
    checkCost(worstCase);
    if (this.#overrun) return { denied: this.#overrun };
    for (const unit of counted) {
      const ask = worstCase[unit];
      if (ask > 0 && this.#settled[unit] + this.#reserved[unit] + ask > this.#limits[unit])
        return { denied: limitOf[unit] };
    }
    this.#reserved = addCosts(this.#reserved, worstCase);
    let open = true;
    return {
      granted: {
        reserved: worstCase,
        settle: (actual) => {
          if (!open) throw new Error("Cannot settle a reservation twice");
          checkCost(actual);
          open = false;
          this.#reserved = addCosts(this.#reserved, negative(worstCase));
          this.charge(actual);
        },
      },
    };
  }

  /** Books a cost that was not reserved: one recorded in a journal, or a late bill. */
  charge(actual: Cost): void {
    checkCost(actual);
    this.#settled = addCosts(this.#settled, actual);
    for (const unit of counted)
      if (this.#settled[unit] + this.#reserved[unit] > this.#limits[unit]) this.#overrun ??= limitOf[unit];
  }

  get settled(): Cost {
    return this.#settled;
  }

  get reserved(): Cost {
    return this.#reserved;
  }

  /** The limit that an upstream broke by charging more than its worst case, if one did. */
  get overrun(): Limit | undefined {
    return this.#overrun;
  }
}

function checkCost(booked: Cost): void {
  for (const unit of units)
    if (!(Number.isSafeInteger(booked[unit]) && booked[unit] >= 0))
      throw new RangeError(
        `Cannot book a cost as '${unit}' must be a whole number >= 0: current value is ${booked[unit]}`,
      );
}

const negative = (c: Cost): Cost =>
  cost({
    tokens: -c.tokens,
    promptTokens: -c.promptTokens,
    cachedTokens: -c.cachedTokens,
    calls: -c.calls,
    nanodollars: -c.nanodollars,
  });

/** @throws RangeError naming the limit and its range. */
export function checkBudget(budget: Budget): void {
  for (const [name, value] of Object.entries(budget)) {
    if (!limits.includes(name as Limit))
      throw new RangeError(`Cannot set a budget as '${name}' is no limit: use ${limits.join(", ")}`);
    if (value === undefined) continue;
    const whole = name !== "seconds" && name !== "dollars";
    const most = name === "dollars" ? Number.MAX_SAFE_INTEGER / 1e9 : Number.MAX_SAFE_INTEGER; // sums of nanodollars stay exact
    if (typeof value !== "number" || !(value >= 0 && value <= most) || (whole && !Number.isInteger(value)))
      throw new RangeError(
        `Cannot set a budget as '${name}' must be a ${whole ? "whole " : ""}number in [0, ${most}] (leave it out for no limit): current value is ${value}`,
      );
  }
}
