/** `ponderosa models`: what `--model` takes, and whether it is there. */
import { existsSync, statSync } from "node:fs";
import { shippedModels } from "../open-model.ts";
import { apiKeyVariable, type CliContext, usesColor } from "./context.ts";
import { span, writer } from "./terminal.ts";
import { whole } from "./words.ts";

export default function listModels(this: CliContext, { json }: { json?: boolean }): void {
  const { stdout, env } = this.process;
  const shipped = shippedModels.map((model) => ({
    ...model,
    bytes: existsSync(model.path) ? statSync(model.path).size : null,
  }));
  const engine = { name: "node-llama-cpp", installed: isInstalled("node-llama-cpp") };
  if (json) return stdout.write(`${JSON.stringify({ shipped, engine })}\n`);
  const say = writer(stdout, usesColor(stdout, env));
  for (const { name, title, bytes } of shipped) {
    say(
      span(name, "strong"),
      span(
        `  ships with this package${bytes === null ? ", but its file is missing" : `, ${whole(bytes / 1000)} kB`}`,
        bytes === null ? "warn" : "faint",
      ),
    );
    say(span(`  ${title}`));
  }
  say(
    span("path/to/model.gguf", "strong"),
    span(
      engine.installed ? "  runs in this process" : "  needs: npm install node-llama-cpp",
      engine.installed ? "faint" : "warn",
    ),
  );
  say(span("  a file for llama.cpp; small character-level ones need nothing installed"));
  say(span("http://host:port/v1#name", "strong"), span("  any OpenAI-compatible server", "faint"));
  say(span(`  vLLM, SGLang, llama-server, Ollama, LM Studio, hosted ones; a key is read from ${apiKeyVariable}`));
  say(
    span(
      "  what it can do: http://host:port/v1?profile=vllm#name (or another server, or probe); ponderosa models probe shows it",
    ),
  );
}

/** Looks, without loading it. */
function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
