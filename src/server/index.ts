export {
  type Configuration,
  defineServer,
  type KeyEntry,
  type ModelEntry,
  readConfiguration,
  type ServedPrice,
  type ServerLimits,
  type ServerOptions,
} from "./configuration.ts";
export type { ErrorCode } from "./api-error.ts";
export { type Listening, serve } from "./listen.ts";
export { configurationFiles, loadConfiguration, withoutConfiguration } from "./load.ts";
export { jsonLog, type Log } from "./log.ts";
export { openModels } from "./models.ts";
export { createServer, type Server, type ServerParts } from "./server.ts";
