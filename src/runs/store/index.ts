export { type ExportOptions, exportStore, importStore } from "./exchange.ts";
export { storeJournal, type StoreJournal } from "./journal.ts";
export { openStore } from "./open.ts";
export {
  type Begun,
  type KeptRequest,
  type RequestBooks,
  requestBooks,
  type RequestPlan,
  type RequestReply,
} from "./requests.ts";
export type { SqlStore } from "./sql-store.ts";
export type { FinishedRun, RunQuery, Store } from "./store.ts";
