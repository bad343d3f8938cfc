/**
 * Comma-separated values, RFC 4180: fields in quotes may hold commas, line breaks and doubled quotes; lines end in LF or CRLF.
 * Stricter than most readers: a quote that is opened or closed in the middle of a field is an error, not a guess.
 */

export interface CsvRow {
  /** Of its first character; the first line is 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** Rows, lines without a character left out. One pass. @throws SyntaxError with the line */
export function parseCsv(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let [at, line] = [0, 1];
  while (at < text.length) {
    const [from, start] = [at, line];
    const fields: string[] = [];
    for (;;) {
      const field = text[at] === '"' ? quoted() : bare();
      fields.push(field);
      if (text[at] !== ",") break;
      at++;
    }
    const isEmpty = at === from;
    if (text[at] === "\r" && text[at + 1] === "\n") at++;
    if (at < text.length && text[at] !== "\n")
      throw new SyntaxError(`line ${line}: expected a comma or the end of the line after a closed quote`);
    at++;
    line++;
    if (!isEmpty) rows.push({ line: start, fields });
  }
  return rows;

  function quoted(): string {
    const opened = line;
    let field = "";
    for (let from = ++at; ; from = at) {
      at = text.indexOf('"', from);
      if (at < 0) throw new SyntaxError(`line ${opened}: expected the quote that is opened here to be closed`);
      const part = text.slice(from, at++);
      line += part.split("\n").length - 1;
      field += part;
      if (text[at] !== '"') return field;
      field += '"';
      at++;
    }
  }

  function bare(): string {
    const from = at;
    while (at < text.length && text[at] !== "," && text[at] !== "\n" && !text.startsWith("\r\n", at)) at++;
    const field = text.slice(from, at);
    if (field.includes('"')) throw new SyntaxError(`line ${line}: expected a field with a quote in it to be in quotes`);
    return field;
  }
}
