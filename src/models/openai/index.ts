/** Models behind an OpenAI-compatible server: those that write, and those that reward or embed. */
export type { Clock } from "../clock.ts";
export { openai, openaiFromUrl, type OpenaiOptions, type ServerUrl, splitServerUrl } from "../openai.ts";
export type { Circuits } from "./circuit.ts";
export { openaiEmbedder } from "./embeddings.ts";
export type { Timeouts } from "./http.ts";
export type { Identity } from "./identify.ts";
export { probe, type ProbedProfile, type ProbeOptions } from "./probe.ts";
export { abilities, type Ability, type Finding, type ServerFields, type ServerProfile } from "./profile.ts";
export { priceIn, type PriceTable, readPrices } from "./prices.ts";
export { isProfileName, type ProfileName, profileNames, profiles } from "./profiles.ts";
export { openaiRewards, type OpenaiRewardsOptions } from "./rewards.ts";
export type { Retries } from "./retry.ts";
export type { Mirror, ServerOptions } from "./server.ts";
export { type ServerTokens, serverTokens, type ServerTokensOptions } from "./tokens.ts";
