export { Heap } from "./heap.ts";
export { type Interval, wilson } from "./intervals.ts";
export { logSumExp, softmax } from "./log-space.ts";
export { random, type Random } from "./random.ts";
