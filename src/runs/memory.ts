/** A journal in memory: for tests, and to resume within a process. */
import type { Journal, JournalEvent } from "../event.ts";

export interface MemoryJournal extends Journal {
  readonly events: JournalEvent[];
}

export function memoryJournal(events: Iterable<JournalEvent> = []): MemoryJournal {
  const kept = [...events];
  return {
    events: kept,
    read: () => [...kept],
    append: (event) => void kept.push(event),
  };
}
