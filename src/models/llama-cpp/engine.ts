/** Opens model files with node-llama-cpp, which users install if they want it. Nothing unchecked reaches native code. */
import { availableParallelism, loadavg } from "node:os";
import type { Llama, LlamaContext, LlamaModel } from "node-llama-cpp";
import { checkGguf } from "../gguf/check.ts";
import { GgufError } from "../gguf/header.ts";

export interface EngineOptions {
  /** Texts that are worked on at the same time; each holds `contextTokens` in memory. @default 8 */
  readonly sequences?: number;
  /** Tokens of a prompt and its answer together. @default 2048, or what the model was made for if that is less */
  readonly contextTokens?: number;
  /** @default 1 for small models, else one a physical core that is not busy when the model is opened */
  readonly threads?: number;
  /** Low-rank adapters, applied together. Hu et al. 2021, arXiv:2106.09685. */
  readonly lora?: readonly { readonly path: string /** @default 1 */; readonly scale?: number }[];
  /** What to compute on; false is the processor alone. @default "auto" */
  readonly gpu?: "auto" | "metal" | "cuda" | "vulkan" | false;
  /**
   * How keys and values are held. With F32 the law after a text does not depend on what else is in the batch, to 1e-5 in
   * its logits where the weights are F32 too; F16 takes half the memory, is quicker on long texts and good to 0.02.
   * @default "F32" for small models, else "F16"
   */
  readonly cacheType?: "F16" | "F32";
}

export type Library = typeof import("node-llama-cpp");

export interface Engine {
  readonly library: Library;
  readonly model: LlamaModel;
  readonly context: LlamaContext;
  readonly contextTokens: number;
}

const defaultContextTokens = 2048;
/** Below this a layer takes less time than two threads need to meet at its end, and caches are small. */
const smallModelBytes = 256e6;

export async function openEngine(path: string, options: EngineOptions): Promise<Engine> {
  const { sequences = 8, lora = [], gpu = "auto" } = options;
  for (const [name, value] of Object.entries({
    sequences,
    contextTokens: options.contextTokens,
    threads: options.threads,
  }))
    if (value !== undefined && !(Number.isInteger(value) && value > 0))
      throw new RangeError(`Cannot open ${path} as '${name}' must be a positive integer: current value is ${value}`);
  for (const adapter of lora) await check(adapter.path, "adapter");
  const { library, model } = await loadModel(path, gpu);
  try {
    const isSmall = model.size < smallModelBytes;
    const cacheType = options.cacheType ?? (isSmall ? "F32" : "F16");
    const contextTokens = options.contextTokens ?? Math.min(model.trainContextSize, defaultContextTokens);
    const context = await model.createContext({
      sequences,
      contextSize: contextTokens,
      threads: options.threads ?? usualThreads(model),
      experimentalKvCacheKeyType: cacheType,
      experimentalKvCacheValueType: cacheType,
      flashAttention: cacheType === "F32" ? false : "auto", // on processors it adds up in 16 bits
      swaFullCache: true, // sliding windows would forget prefixes
      failedCreationRemedy: false,
      ...(lora.length > 0 && {
        lora: { adapters: lora.map(({ path: filePath, scale = 1 }) => ({ filePath, scale })) },
      }),
    });
    return { library, model, context, contextTokens };
  } catch (thrown) {
    await model.dispose();
    throw refusal(path, thrown);
  }
}

/** The weights alone, without a context to evaluate in. */
export async function loadModel(
  path: string,
  gpu: NonNullable<EngineOptions["gpu"]>,
): Promise<Pick<Engine, "library" | "model">> {
  await check(path, "model");
  const library = await loadLibrary(path);
  const llama = await llamaOn(gpu, library);
  complaint = "";
  try {
    return { library, model: await llama.loadModel({ modelPath: path }) };
  } catch (thrown) {
    throw refusal(path, thrown);
  }
}

export const usualThreads = (model: LlamaModel): number => (model.size < smallModelBytes ? 1 : idleCores());

/** What the engine threw, and what it logged before. */
export function refusal(path: string, thrown: unknown): Error {
  return new Error(
    `Cannot open ${path} as the engine refuses it: ${messageOf(thrown)}${complaint && ` (${complaint})`}`,
    { cause: thrown },
  );
}

/**
 * Physical cores that are not busy, taking two logical ones for a physical one. The threads of llama.cpp spin until the
 * last of them arrives, so that one which is not scheduled holds up all: two of them on two busy logical cores took 10 ms
 * a step where one took 0.15.
 */
export function idleCores(
  logicalCores: number = availableParallelism(),
  load: number = loadavg()[0] as number,
): number {
  return Math.max(1, Math.floor((logicalCores - load) / 2));
}

/** A broken file would end the whole process in native code. */
async function check(path: string, kind: "model" | "adapter"): Promise<void> {
  const { metadata } = await checkGguf(path).catch((thrown: unknown) => {
    const why = thrown instanceof GgufError ? "it is no whole GGUF file" : "it cannot be read";
    throw new Error(`Cannot open ${path} as ${why}: ${messageOf(thrown)}`, { cause: thrown });
  });
  const isAdapter = metadata.get("general.type") === "adapter";
  if (isAdapter !== (kind === "adapter"))
    throw new Error(
      `Cannot open ${path} as ${kind} as it is ${isAdapter ? "an adapter: name it in 'lora'" : "no adapter"}`,
    );
  if (kind === "model" && !metadata.get("tokenizer.ggml.tokens"))
    throw new Error(`Cannot open ${path} as it has no vocabulary: it cannot read text`);
}

async function loadLibrary(path: string): Promise<Library> {
  try {
    return await import("node-llama-cpp");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw thrown;
    throw new Error(
      `Cannot open ${path} as the engine node-llama-cpp is not installed: run npm install node-llama-cpp`,
      { cause: thrown },
    );
  }
}

const llamas = new Map<EngineOptions["gpu"], Promise<Llama>>();
/** The first that the engine logged as an error since a model was opened: it says why. */
let complaint = "";

/** One for the whole process: it takes a third of a second to load, and holds nothing that would keep the process alive. */
function llamaOn(gpu: NonNullable<EngineOptions["gpu"]>, { getLlama, LlamaLogLevel }: Library): Promise<Llama> {
  const loaded =
    llamas.get(gpu) ??
    getLlama({
      gpu,
      build: "never",
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      logger: (_, message) => {
        complaint ||= message.trim();
      },
    });
  llamas.set(gpu, loaded);
  loaded.catch(() => llamas.delete(gpu));
  return loaded;
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
