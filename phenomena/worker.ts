/** Measures one unit after the other, as it is asked. */
import { parentPort } from "node:worker_threads";
import { phenomena } from "./list.ts";
import type { Reply, Task } from "./measure.ts";

const measurements = new Map(phenomena.flatMap((one) => one.measurements).map((one) => [one.name, one]));

parentPort?.on("message", async ({ measurement, unit }: Task) => {
  const row = await measurements.get(measurement)?.measure(unit);
  const reply: Reply = { measurement, unit, row };
  parentPort?.postMessage(reply); // oxlint-disable-line unicorn/require-post-message-target-origin -- a thread, not a window
});
