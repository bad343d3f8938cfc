/** Models behind an OpenAI-compatible server: those that write, and those that reward or embed. */
export type { Clock } from "../clock.ts";
export { openai, openaiFromUrl, type OpenaiOptions } from "../openai.ts";
export { openaiEmbedder } from "./embeddings.ts";
export type { Timeouts } from "./http.ts";
export { openaiRewards, type OpenaiRewardsOptions } from "./rewards.ts";
export type { Retries } from "./retry.ts";
export type { ServerOptions } from "./server.ts";
