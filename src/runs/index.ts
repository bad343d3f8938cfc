export { type JsonlJournal, jsonlJournal, type JsonlOptions } from "./jsonl.ts";
export { memoryJournal, type MemoryJournal } from "./memory.ts";
export { openPool, type OpenPool, poolWriter, type PoolWriter, readPool } from "./pool.ts";
