/**
 * Which server answers, by the routes that only it has. It decides what is tried first, never what works.
 */
import { Failed } from "../../errors.ts";
import { isRecord } from "./http.ts";
import type { JsonObject, Laboratory } from "./laboratory.ts";
import type { ProfileName } from "./profiles.ts";

export interface Identity {
  /** Undefined where it looks like none of them. */
  readonly server: ProfileName | undefined;
  readonly version: string | undefined;
  readonly evidence: string;
}

interface Sign {
  readonly path: string;
  readonly server: ProfileName;
  readonly shows: (said: JsonObject) => boolean;
  readonly versionField?: string;
}

const hasText = (field: string) => (said: JsonObject) => typeof said[field] === "string";
const isSglang = (said: JsonObject): boolean => "model_path" in said && "is_generation" in said;

const signs: readonly Sign[] = [
  { path: "../api/version", server: "ollama", shows: hasText("version"), versionField: "version" },
  {
    path: "../props",
    server: "llama-server",
    shows: (said) => isRecord(said["default_generation_settings"]),
    versionField: "build_info",
  },
  { path: "../model_info", server: "sglang", shows: isSglang },
  { path: "../get_model_info", server: "sglang", shows: isSglang }, // its name before 2025-10
  { path: "../version", server: "vllm", shows: hasText("version"), versionField: "version" },
  { path: "../api/v0/models", server: "lm-studio", shows: (said) => listed(said).some((one) => "state" in one) },
];

/** What the entries of the list of models tell. */
const marks: readonly { readonly server: ProfileName; readonly shows: (entry: JsonObject) => boolean }[] = [
  { server: "vllm", shows: (entry) => entry["owned_by"] === "vllm" },
  { server: "sglang", shows: (entry) => entry["owned_by"] === "sglang" },
  { server: "llama-server", shows: (entry) => entry["owned_by"] === "llamacpp" },
  { server: "openrouter", shows: (entry) => "pricing" in entry && "supported_parameters" in entry },
  { server: "openai", shows: (entry) => entry["owned_by"] === "system" }, // "openai" is said by gateways, too
];

/** @throws Failed where the server is not reached, or refuses the key */
export async function identify(laboratory: Laboratory): Promise<Identity> {
  for (const { path, server, shows, versionField } of signs) {
    const said = await laboratory.look(path).catch(unlessKept);
    if (!isRecord(said) || !shows(said)) continue;
    const version = versionField === undefined ? undefined : said[versionField];
    return { server, version: typeof version === "string" ? version : undefined, evidence: `answers ${path.slice(2)}` };
  }
  const entries = listed(await laboratory.look("/models"));
  const mark = marks.find(({ shows }) => entries.some(shows));
  return {
    server: mark?.server,
    version: undefined,
    evidence: mark ? "by its list of models" : "none of the known routes answers",
  };
}

/** Routes beside the API may be kept from a key that the API takes. */
function unlessKept(thrown: unknown): undefined {
  if (!(thrown instanceof Failed && thrown.code === "unauthorized")) throw thrown;
}

export const listed = (said: unknown): readonly JsonObject[] =>
  isRecord(said) && Array.isArray(said["data"]) ? said["data"].filter(isRecord) : [];
