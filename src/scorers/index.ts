export { custom } from "./custom.ts";
export { likelihood, type LikelihoodOptions } from "./likelihood.ts";
export { valueToken, type ValueTokenOptions } from "./value-token.ts";
export { verifier } from "./verifier.ts";
