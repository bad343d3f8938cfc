export { type JsonlJournal, jsonlJournal, type JsonlOptions } from "./jsonl.ts";
export { memoryJournal, type MemoryJournal } from "./memory.ts";
