/** The whole Python program that an answer means, where the question was the beginning of one. */
import { extractProgram } from "../code.ts";
import { ownPart } from "./statement.ts";

/**
 * An answer that defines the function replaces that of its beginning, whose imports and helpers stay. Any other goes on from it, and
 * ends before the next statement at the margin: Chen et al. 2021, arXiv:2107.03374, stop at `class`, `def`, `#`, `if`, `print`.
 */
export function programIn(answer: string, of: { readonly function: string; readonly begin?: string }): string {
  const written = extractProgram(ownPart(answer), "python");
  const { begin = "" } = of;
  if (begin === "") return written;
  const defined = new RegExp(`^(?:async\\s+)?def\\s+${of.function}\\b|^${of.function}\\s*=`, "m");
  if (defined.test(written)) {
    const at = begin.search(defined);
    return `${at < 0 ? begin : begin.slice(0, at)}\n${written}`; // a `def` without a body would be a syntax error
  }
  const end = written.search(/\n(?:class|def|#|if|print)/);
  return begin + (end < 0 ? written : written.slice(0, end));
}
