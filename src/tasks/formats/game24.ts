/**
 * The Game of 24: four numbers, each used once, to make 24. Yao et al. 2023, arXiv:2305.10601, §4.1; a CSV with the columns
 * `Rank` and `Puzzles`, from easy to hard for people. The level is the rank in hundreds: the paper asks those of 901-1000.
 */
import { faultAt, type FileProblem, fileProblem, type Format } from "./format.ts";
import type { FileRecord } from "./records.ts";

const name = "game24";

export const game24: Format = {
  name,
  title: "four numbers that make 24, ranked by how hard they are for people; CSV",
  example: "1,1 1 4 6,4.4,99.20%,4.67,1.48",
  source: "princeton-nlp/tree-of-thought-llm, MIT",
  fits: isHeader,
  read(record) {
    if (isHeader(record.value)) return [];
    return [puzzleOf(record)];
  },
};

function isHeader(value: unknown): boolean {
  return Array.isArray(value) && value[0] === "Rank" && value[1] === "Puzzles";
}

function puzzleOf({ place, value }: FileRecord): FileProblem {
  const [rank = "", puzzle = ""] = Array.isArray(value) ? (value as string[]) : [];
  if (!/^[1-9]\d*$/.test(rank))
    throw faultAt(place, name, { field: "Rank", expected: "a whole number from 1 on", value: rank });
  if (!/^[1-9]\d*( [1-9]\d*){3}$/.test(puzzle))
    throw faultAt(place, name, { field: "Puzzles", expected: "four whole numbers as in '1 1 4 6'", value: puzzle });
  const hundred = Math.floor((Number(rank) - 1) / 100) * 100;
  return fileProblem({
    id: puzzle,
    prompt: `Use the numbers ${puzzle.replaceAll(" ", ", ")}, each exactly once, with + - * / and parentheses, to make 24.`,
    check: { kind: "expression", numbers: puzzle.split(" ").map(Number), value: 24 },
    level: `${hundred + 1}-${hundred + 100}`,
  });
}
