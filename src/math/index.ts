export { Heap } from "./heap.ts";
export { type Interval, wilson } from "./intervals.ts";
export { random, type Random } from "./random.ts";
