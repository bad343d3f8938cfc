/** Models behind an OpenAI-compatible server. */
export type { Clock } from "../clock.ts";
export { openai, openaiFromUrl, type OpenaiOptions } from "../openai.ts";
export type { Timeouts } from "./http.ts";
export type { Retries } from "./retry.ts";
