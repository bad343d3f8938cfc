/**
 * `ponderosa tasks`: what is asked, how hard it can be, and an example of each level with a right answer; then the formats of
 * files that problems are read from.
 */
import { fold, key } from "../key.ts";
import { formats } from "../tasks/formats/index.ts";
import { tasks } from "../tasks/index.ts";
import { type CliContext, usesColor } from "./context.ts";
import { span, writer } from "./terminal.ts";

export default function listTasks(this: CliContext, { json }: { json?: boolean }): void {
  const { stdout, env } = this.process;
  const listed = tasks.map((task) => {
    const { name, title, levels } = task;
    const examples = Object.keys(levels).map((level) => {
      const problem = task.make(fold(key(0), "problem"), { level });
      return {
        level,
        about: levels[level] as string,
        prompt: String(problem.prompt),
        answer: task.solve(problem, key(0)) ?? null,
      };
    });
    return { name, title, examples };
  });
  const files = formats.map(({ name, title, example }) => ({ name, title, example }));
  if (json) return stdout.write(`${JSON.stringify({ tasks: listed, formats: files })}\n`);
  const say = writer(stdout, usesColor(stdout, env));
  for (const { name, title, examples } of listed) {
    say(span(name, "strong"), span(`  ${title}`));
    const widest = Math.max(...examples.map(({ level }) => level.length));
    for (const { level, about, prompt } of examples)
      say(span(`  ${level.padEnd(widest)}`, "value"), span(`  ${about}`), span(`, as in ${prompt.trim()}`, "faint"));
    const [first] = examples;
    if (first?.answer) {
      say(span(`  a right answer to ${first.prompt.trim()}:`, "faint"));
      for (const line of first.answer.trim().split("\n")) say(span(`    ${line}`, "right"));
    }
    say();
  }
  say(span("files", "strong"), span("  of problems, by ponderosa/tasks/formats; a line of each:"));
  const widest = Math.max(...files.map(({ name }) => name.length));
  for (const { name, title, example } of files) {
    say(span(`  ${name.padEnd(widest)}`, "value"), span(`  ${title}`));
    say(span(`  ${"".padEnd(widest)}  ${example}`, "faint"));
  }
}
