/**
 * What the documentation shows is executed: each ```ts runnable block of README.md, ARCHITECTURE.md, CONTRIBUTING.md and docs/,
 * and every file of examples/. A ```text block right after a runnable one is its exact output; so is a comment at the end of an
 * example that begins with `// Prints:`. The blocks are type-checked too (the examples are, with everything else).
 */
import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const pages = globSync(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/**/*.md"], { cwd: root }).filter(
  (file) => !file.startsWith("docs/api/"),
);
const examples = globSync("examples/*.ts", { cwd: root });

interface Program {
  readonly name: string;
  readonly code: string;
  readonly output: string | undefined;
}

function blocksOf(page: string): Program[] {
  const text = readFileSync(join(root, page), "utf8");
  const fences = text.matchAll(/^```ts runnable\n([^]*?)^```\n(?:\s*```text\n([^]*?)^```)?/gm);
  return Array.from(fences, ({ 1: code = "", 2: output, index }) => ({
    name: `${page}:${text.slice(0, index).split("\n").length + 1}`,
    code,
    output,
  }));
}

function exampleOf(file: string): Program {
  const code = readFileSync(join(root, file), "utf8");
  const printed = /^\/\/ Prints:\n((?:\/\/.*\n)+)\s*$/m.exec(code)?.[1];
  return { name: file, code, output: printed?.replace(/^\/\/ ?/gm, "") };
}

// Inside the repository, so that `ponderosa` means this package; the folder is ignored by git.
mkdirSync(join(root, "out"), { recursive: true });
const folder = mkdtempSync(join(root, "out", "docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function execute(parameters: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: root, timeout: 110_000 });
  return stdout;
}

const blocks = pages.flatMap(blocksOf);
const files = blocks.map(({ name, code }) => {
  const file = join(folder, `${name.replaceAll(/[^\w]+/g, "-")}.ts`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${code}\nexport {};\n`);
  return file;
});

describe("blocks", () => {
  test.each(blocks.map((block, i) => ({ ...block, file: files[i] as string })))(
    "$name",
    { timeout: 120_000 },
    async ({ file, output }) => {
      const printed = await execute(["--conditions=ponderosa-source", file]);
      if (output !== undefined) expect(printed).toBe(output);
    },
  );

  test("are well typed", { timeout: 60_000 }, async () => {
    const config = {
      extends: "../../tsconfig.json",
      compilerOptions: { isolatedDeclarations: false, declaration: false },
      include: ["*.ts"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = await promisify(execFile)(process.execPath, [compiler, "--project", folder]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe("");
  });
});

describe("examples", () => {
  test("are there", () => expect(examples.length).toBeGreaterThan(0));

  test.each(examples.map(exampleOf))("$name", { timeout: 120_000 }, async ({ name, output }) => {
    const printed = await execute(["--conditions=ponderosa-source", name]);
    if (output !== undefined) expect(printed).toBe(output);
  });
});

test("links between pages lead somewhere", () => {
  const broken = pages.flatMap((page) => {
    const links = readFileSync(join(root, page), "utf8").matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g);
    return Array.from(links, ([, to = ""]) => to)
      .filter((to) => !existsSync(join(root, dirname(page), to)))
      .map((to) => `${page} → ${to}`);
  });
  expect(broken).toEqual([]);
});
