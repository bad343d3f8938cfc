export { ask, type AskOptions, promptText } from "./ask.ts";
export { lineEnd, paragraphEnd, sentenceEnd, type StepEnd } from "./steps.ts";
export { text, type TextOptions, type TextState, type TextStep } from "./text.ts";
