/** `ponderosa methods`: the table of methods, to read or as JSON. */
import { gameMethods } from "../methods/games.ts";
import { commonOptions, type MethodOption, methods, samplingOptions } from "../methods.ts";
import { type CliContext, usesColor } from "./context.ts";
import { type Span, span, writer } from "./terminal.ts";
import { flagOf } from "./words.ts";

export default function listMethods(this: CliContext, { json }: { json?: boolean }): void {
  const { stdout, env } = this.process;
  if (json) {
    const listed = methods.map(({ name, title, use, needs, options, draws, source }) => ({
      name,
      title,
      use,
      needs,
      options,
      draws,
      source,
    }));
    const forGames = gameMethods.map(({ name, title, use, options, source }) => ({
      name,
      title,
      use,
      options,
      source,
    }));
    return stdout.write(
      `${JSON.stringify({ methods: listed, samplingOptions, commonOptions, gameMethods: forGames })}\n`,
    );
  }
  const say = writer(stdout, usesColor(stdout, env));
  for (const { name, title, use, needs, options, source } of methods) {
    say(span(name, "strong"), span(`  ${title}`, "faint"));
    say(span(`  when   ${use}`));
    for (const need of needs) say(span(`  needs  ${need}`));
    for (const option of options) sayOption(option, say);
    say(span(`  source ${source}`, "faint"));
    say();
  }
  say(
    span("sampling", "strong"),
    span("  options of all methods that draw: sample, best-of-n, majority, beam over lines", "faint"),
  );
  for (const option of samplingOptions) sayOption(option, say);
  say();
  say(span("every method", "strong"));
  for (const option of commonOptions) sayOption(option, say);
  for (const { name, title, use, options, source } of gameMethods) {
    say();
    say(span(`play --method ${name}`, "strong"), span(`  ${title} over games`, "faint"));
    say(span(`  when   ${use}`));
    for (const option of options) sayOption(option, say);
    say(span(`  source ${source}`, "faint"));
  }
}

const kinds = { integer: "whole number", number: "number", choice: "choice", text: "text or @file" } as const;

function sayOption(
  { name, type, default: preset, choices, least, most, doc }: MethodOption,
  say: (...spans: Span[]) => void,
): void {
  const kind = choices ? Object.keys(choices).join(" | ") : kinds[type];
  const range = most !== undefined ? ` in [${least}, ${most}]` : least !== undefined ? ` >= ${least}` : "";
  say(
    span(`  ${flagOf(name)}`, "value"),
    span(` ${kind}${range}${preset === undefined ? "" : `, ${preset} by default`}: `, "faint"),
    span(doc),
  );
  for (const [choice, meaning] of Object.entries(choices ?? {})) say(span(`      ${choice}: ${meaning}`, "faint"));
}
