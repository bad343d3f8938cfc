export { type Configuration, isLoopback, readConfiguration } from "./configuration.ts";
export {
  defineServer,
  type EmbedderEntry,
  type KeyEntry,
  type ModelEntry,
  type ServedPrice,
  type ServerLimits,
  type ServerOptions,
} from "./options.ts";
export type { ErrorCode } from "./api-error.ts";
export { type Listening, serve } from "./listen.ts";
export { configurationFiles, loadConfiguration, withoutConfiguration } from "./load.ts";
export { jsonLog, type Log } from "./log.ts";
export { openEmbedders, openModels } from "./models.ts";
export { createServer, type Server, type ServerParts } from "./server.ts";
