/** Who pays: a model, the ledger that it is paid through, and what was paid. */
import { addCosts, type Cost, cost, noCost } from "../../budget.ts";
import type { Ledger } from "../../ledger.ts";
import type { Model, Prefix } from "../../model.ts";
import { countPromptTokens, nanodollars } from "../../price.ts";
import { type Desk, deskOf } from "./desk.ts";

export interface Payer {
  readonly model: Model;
  readonly ledger: Ledger;
  readonly desk: Desk;
  /** So far. */
  readonly paid: Cost;
  pay(cost: Cost): void;
  /** The worst that requests can cost together: each reads the prefix and `more` text, and generates so many tokens. */
  worstOf(requests: number, prefix: Prefix, size?: { readonly more?: string; readonly tokens?: number }): Cost;
  /** Runs what may be paid for, entered in the ledger until it is over. */
  inFlight<T>(requests: number, worst: Cost, act: () => Promise<T>): Promise<T>;
}

export function payerOf(model: Model, ledger: Ledger): Payer {
  let paid = noCost;
  return {
    model,
    ledger,
    desk: deskOf(ledger),
    get paid() {
      return paid;
    },
    pay(cost) {
      paid = addCosts(paid, cost);
    },
    worstOf(requests, { prompt, text }, { more = "", tokens = 0 } = {}) {
      const count = (one: string): number => model.countTokens(one);
      const promptTokens = requests * (countPromptTokens(prompt, count) + count(text + more));
      const sum = { tokens: requests * tokens, promptTokens };
      return cost({ ...sum, calls: requests, nanodollars: nanodollars(model.price, sum) });
    },
    async inFlight(requests, worst, act) {
      const flight = await ledger.begin({ model: model.id, requests, worst });
      try {
        return await act();
      } finally {
        await ledger.end(flight);
      }
    },
  };
}
