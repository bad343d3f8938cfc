/** What games on a board of stones share: [cells] 0 empty, positive the first player's stone, negative the second's. */

/** Four cells, of three kinds, a character: 81 printable ones from "!" on. */
export function cellsKey(cells: Int8Array): string {
  let key = "";
  for (let from = 0; from < cells.length; from += 4) {
    let code = 0;
    for (let i = from; i < from + 4; i++) code = 3 * code + (i < cells.length ? 1 + Math.sign(cells[i] as number) : 0);
    key += String.fromCharCode(33 + code);
  }
  return key;
}

/** One row of the board. */
export const drawRow = (cells: Int8Array, row: number, columns: number): string =>
  Array.from(cells.subarray(row * columns, (row + 1) * columns), symbolOf).join(" ");

const symbolOf = (stone: number): string => (stone === 0 ? "." : stone > 0 ? "x" : "o");

export const columnName = (column: number): string => String.fromCharCode(97 + column);

export const columnNames = (columns: number): string =>
  Array.from({ length: columns }, (_, column) => columnName(column)).join(" ");
