/** A worker thread: its own model, its own connection to the store, groups from the main thread. */
import { parentPort, workerData } from "node:worker_threads";
import { openModel } from "../open-model.ts";
import { openStore } from "../runs/store/index.ts";
import { missingBaselines } from "./contenders.ts";
import type { FromWorker, ToWorker, WorkerData } from "./crew.ts";
import { readEvaluation } from "./evaluation.ts";
import { optionsFrom } from "./load.ts";
import { questionsOf } from "./problems.ts";
import { session } from "./session.ts";

const port = parentPort as NonNullable<typeof parentPort>;
const send = (message: FromWorker): void => port.postMessage(message); // oxlint-disable-line unicorn/require-post-message-target-origin -- a worker, not a window

const { store: where, origin, concurrency } = workerData as WorkerData;
const evaluation = readEvaluation(await optionsFrom(origin));
const { contenders, budgets } = evaluation;
const model = await (typeof evaluation.model === "string" ? openModel(evaluation.model) : evaluation.model());
const store = await openStore(where);
const stopping = new AbortController();
const runGroup = session({
  evaluation,
  contenders: [...contenders, ...missingBaselines(contenders, budgets, model)],
  questions: await questionsOf(evaluation, model),
  model,
  store,
  concurrency,
  signal: stopping.signal,
});

port.on("message", async (message: ToWorker) => {
  switch (message.type) {
    case "group":
      try {
        await runGroup(message.group, (run) => send({ type: "run", run }));
        send({ type: "group-end", number: message.number });
      } catch (error) {
        send({ type: "failed", error: error instanceof Error ? error : new Error(String(error)) });
      }
      return;
    case "stop":
      stopping.abort();
      return;
    case "end":
      await store.close();
      await model[Symbol.asyncDispose]?.();
      port.close();
  }
});
send({ type: "ready" });
