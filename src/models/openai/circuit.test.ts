import { expect, test } from "vitest";
import { circuitOf, type Outcome } from "./circuit.ts";

function circuit(failures: number, coolMs: number) {
  let now = 5000;
  const made = circuitOf({ failures, coolMs }, { now: () => now, sleep: async () => {} });
  const pass = (outcome: Outcome): void => made.enter()(outcome);
  return { ...made, pass, wait: (ms: number) => (now += ms) };
}

test("it opens after so many failures in a row; an answer in between starts the count again", () => {
  const { pass, waitMs } = circuit(3, 100);
  for (const outcome of ["failed", "failed", "answered", "failed", "given-up", "failed"] as const) pass(outcome);
  expect(waitMs()).toBe(0);
  pass("failed");
  expect(waitMs()).toBe(100);
});

test("requests that fail together are one failure", () => {
  const { enter, pass, waitMs } = circuit(2, 100);
  for (const leave of Array.from({ length: 16 }, enter)) leave("failed");
  expect(waitMs()).toBe(0);
  pass("failed");
  expect(waitMs()).toBe(100);
});

test("half open, one request passes: it opens it again, or closes it", () => {
  const { pass, enter, wait, waitMs } = circuit(1, 100);
  pass("failed");
  wait(60);
  expect(waitMs()).toBe(40);
  wait(40);
  const leave = enter();
  expect(waitMs()).toBe(100); // the others wait for what the one finds
  leave("failed");
  expect(waitMs()).toBe(100);
  wait(100);
  pass("answered");
  expect(waitMs()).toBe(0);
});

test("a trial that nobody waited for leaves the place to the next; a late failure of before does not end it", () => {
  const { enter, pass, wait, waitMs } = circuit(1, 100);
  const old = enter();
  pass("failed");
  wait(100);
  const trial = enter();
  old("given-up");
  expect(waitMs()).toBe(100);
  trial("given-up");
  expect(waitMs()).toBe(0);
});

test("a clock that is set back closes nothing for longer", () => {
  const { pass, wait, waitMs } = circuit(1, 100);
  pass("failed");
  wait(-3_600_000);
  expect(waitMs()).toBe(100);
  wait(100);
  expect(waitMs()).toBe(0);
});
