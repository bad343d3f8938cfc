/** Problems out of files: what is asked, and as data how it is judged. `checkerOf` of `ponderosa/scorers` makes the judge. */
export type { Format, FileProblem } from "./format.ts";
export { formatNamed, formats } from "./formats.ts";
export { type OpenOptions, openProblemSet, type ProblemSet } from "./open.ts";
export { type PromptOptions, promptsFor } from "./prompts.ts";
export type { FileRecord } from "./records.ts";
