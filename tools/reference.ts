/**
 * `npm run docs`: writes docs/api, a page for each sub-path of the package; the check fails where it is out of date.
 *
 * A page holds what the source says and nothing else: for each file its header (which compilers drop, and which is where a
 * method's paper, cost and limits stand), then each exported declaration with its comment, as the compiler wrote it.
 */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { command, StepFailed } from "./steps.ts";

const folder = "docs/api";

interface Declaration {
  readonly name: string;
  /** Its comment as Markdown; "" where there is none. */
  readonly comment: string;
  readonly code: string;
}

/** A name and the file that declares it, or the other sub-path that does. */
interface Export {
  readonly name: string;
  readonly file: string;
}

interface SubPath {
  readonly name: string;
  /** Its file in docs/api. */
  readonly page: string;
  /** Its file in src. */
  readonly index: string;
  readonly exports: readonly Export[];
}

/** Text of a comment without its frame. */
function proseOf(comment: string): string {
  return comment
    .replace(/^\/\*\*?|\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .replace(/(^|\s)@(throws|default)\b/g, (_, before, tag) => `${before}*${tag === "throws" ? "Throws" : "Default"}*`)
    .trim();
}

/** The comment at the top of a file, if it is the file's own: followed by an empty line or an import. */
function headerOf(source: string): string {
  const found = /^(\/\*\*[^]*?\*\/)\n(?=\n|import\b|export (?:type )?\{)/.exec(source);
  return found ? proseOf(found[1] as string) : "";
}

/** Splits a declaration file into its statements: each ends with `;` or, where it has a body, with `}`, outside all brackets. */
function statementsOf(text: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(
    /\/\*[^]*?\*\/|\/\/.*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|[{}()[\];]/g,
  )) {
    if ("{([".includes(token)) depth++;
    if ("})]".includes(token)) depth--;
    if (depth > 0 || !";}".includes(token)) continue;
    const statement = text.slice(start, index + 1).trim();
    if (
      token === "}" &&
      !/^(export )?(declare )?(abstract )?(interface|class|enum|namespace) /m.test(withoutComments(statement))
    )
      continue;
    statements.push(statement);
    start = index + 1;
  }
  return statements;
}

const withoutComments = (code: string): string => code.replace(/\/\*[^]*?\*\//g, "").trim();

function declarationsOf(text: string, header: string): Map<string, Declaration> {
  const declarations = new Map<string, Declaration>();
  for (const statement of statementsOf(text)) {
    const comments = /^(?:\/\*\*[^]*?\*\/\s*)*/.exec(statement)?.[0] ?? "";
    const code = statement
      .slice(comments.length)
      .replace(/^export (default )?(declare )?/, "")
      .replace(/^ *#private;\n/m, "")
      .replace(/, (?=[}\]])/g, " ") // a comma that the source's line breaks have left
      .replace(/^(?: {4})+/gm, (indent) => " ".repeat(indent.length / 2));
    const name = /^(?:abstract )?(?:interface|type|class|function\*?|const|let|enum) ([\w$]+)/.exec(code)?.[1];
    if (name === undefined) continue;
    const own = proseOf(
      comments
        .trim()
        .split(/(?<=\*\/)\s*(?=\/\*\*)/)
        .at(-1) ?? "",
    );
    const comment = own === header ? "" : own;
    const earlier = declarations.get(name); // an overload
    declarations.set(name, {
      name,
      comment: [earlier?.comment, comment].filter(Boolean).join("\n\n"),
      code: earlier ? `${earlier.code}\n${code}` : code,
    });
  }
  return declarations;
}

/** The names that an index file exports, in its order. */
function exportsOf(file: string): Export[] {
  const source = readFileSync(file, "utf8");
  const resolve = (from: string) => normalize(join(dirname(file), from));
  const imported = new Map<string, string>();
  for (const [, names = "", from = ""] of source.matchAll(/^import (?:type )?\{([^}]*)\} from "([^"]+)"/gm))
    for (const name of listed(names)) imported.set(name, resolve(from));
  const found: Export[] = [];
  const statements =
    /^export (?:(?:type )?\{([^}]*)\}(?: from "([^"]+)")?|\* from "([^"]+)"|(?:declare |abstract |async )*(?:interface|type|class|function\*?|const|let|enum) ([\w$]+))/gm;
  for (const [, names, from, all, own] of source.matchAll(statements)) {
    if (own !== undefined) found.push({ name: own, file });
    else if (all !== undefined) found.push(...exportsOf(resolve(all)));
    else
      for (const name of listed(names ?? ""))
        found.push({ name, file: from ? declarerOf(name, resolve(from)) : (imported.get(name) ?? file) });
  }
  return [...new Map(found.map((one) => [one.name, one])).values()];
}

/** The file that declares what another one may only pass on. */
const declarerOf = (name: string, file: string): string =>
  exportsOf(file).find((one) => one.name === name)?.file ?? file;

const listed = (names: string): string[] =>
  names
    .replace(/\/\/.*$/gm, "")
    .split(",")
    .map((name) =>
      name
        .trim()
        .replace(/^type /, "")
        .replace(/^.* as /, ""),
    )
    .filter(Boolean);

/** Every page by its file name. */
async function pages(): Promise<Map<string, string>> {
  const emitted = mkdtempSync(join(tmpdir(), "ponderosa-reference-"));
  try {
    await command("tsc", [
      "--project",
      "tsconfig.build.json",
      "--noCheck",
      "--emitDeclarationOnly",
      "--outDir",
      emitted,
    ]);
    const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
      exports: Record<string, { "ponderosa-source": string }>;
    };
    const subPaths: SubPath[] = Object.entries(exports).map(([path, conditions]) => {
      const index = normalize(conditions["ponderosa-source"]);
      return {
        exports: exportsOf(index),
        name: `ponderosa${path.slice(1)}`,
        page: `${path === "." ? "ponderosa" : path.slice(2).replaceAll("/", "-")}.md`,
        index,
      };
    });
    /** The sub-path that documents an export: the innermost one around its file that exports it, else the one that asks. */
    const homeOf = ({ name, file }: Export, asking: SubPath): SubPath => {
      const around = subPaths.filter(
        (one) =>
          file.startsWith(`${dirname(one.index)}/`) &&
          one.exports.some((other) => other.name === name && other.file === file),
      );
      return around.reduce((a, b) => (b.index.length > a.index.length ? b : a), around[0] ?? asking);
    };

    /** Links to the headings of a page's own names; GitHub numbers those that differ in case alone: `cost`, `cost-1`. */
    const anchors = new Map<string, string>();
    for (const subPath of subPaths) {
      const { page } = subPath;
      const seen = new Map<string, number>();
      for (const [, exported] of Map.groupBy(subPath.exports, ({ file }) => file))
        for (const one of exported) {
          if (homeOf(one, subPath) !== subPath) continue;
          const { name } = one;
          const count = seen.get(name.toLowerCase()) ?? 0;
          seen.set(name.toLowerCase(), count + 1);
          anchors.set(`${page} ${name}`, `${page}#${name.toLowerCase()}${count > 0 ? `-${count}` : ""}`);
        }
    }
    const link = (name: string, page: string): string => `[${name}](${anchors.get(`${page} ${name}`) ?? page})`;

    const written = new Map<string, string>();
    const contents: string[] = [];
    for (const subPath of subPaths) {
      const homes = Map.groupBy(subPath.exports, (one) => homeOf(one, subPath));
      const here = homes.get(subPath) ?? [];
      homes.delete(subPath);
      const parts = [`# ${subPath.name}`, headerOf(readFileSync(subPath.index, "utf8"))];
      for (const [file, exported] of Map.groupBy(here, ({ file }) => file)) {
        const header = file === subPath.index ? "" : headerOf(readFileSync(file, "utf8"));
        const declared = declarationsOf(
          readFileSync(join(emitted, file.replace(/^src\//, "").replace(/\.ts$/, ".d.ts")), "utf8"),
          header,
        );
        parts.push(`## ${file}`, header);
        for (const { name } of exported) {
          const declaration = declared.get(name);
          if (!declaration)
            throw new StepFailed(
              `Cannot document '${name}' as ${file} does not declare it in a form that tools/reference.ts reads`,
            );
          parts.push(`### ${name}`, declaration.comment, `\`\`\`ts\n${declaration.code}\n\`\`\``);
        }
      }
      for (const [home, exported] of homes)
        parts.push(`## From ${home.name}`, exported.map(({ name }) => link(name, home.page)).join(" · "));
      written.set(subPath.page, `${parts.filter(Boolean).join("\n\n")}\n`);
      contents.push(
        `| [\`${subPath.name}\`](${subPath.page}) | ${here.map(({ name }) => link(name, subPath.page)).join(" · ")} |`,
      );
    }
    const intro =
      "# Reference\n\nWritten by `npm run docs` from the comments and types of `src/`; `npm run check` fails where it is out of date.";
    written.set("README.md", `${intro}\n\n| import from | what is there |\n|---|---|\n${contents.join("\n")}\n`);
    return written;
  } finally {
    rmSync(emitted, { recursive: true, force: true });
  }
}

/** @throws StepFailed if a page is missing, stale or left over. */
export async function checkReference(): Promise<string> {
  const fresh = await pages();
  const kept = globSync("*.md", { cwd: folder });
  const stale = [...fresh].filter(
    ([page, text]) => !kept.includes(page) || readFileSync(join(folder, page), "utf8") !== text,
  );
  const wrong = [...stale.map(([page]) => page), ...kept.filter((page) => !fresh.has(page))];
  if (wrong.length > 0) throw new StepFailed(`${folder} is out of date (${wrong.join(", ")}): run npm run docs`);
  return `${fresh.size} pages`;
}

export async function writeReference(): Promise<void> {
  const fresh = await pages();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [page, text] of fresh) writeFileSync(join(folder, page), text);
  console.log(`${fresh.size} pages in ${folder}`);
}

if (import.meta.main) await writeReference();
