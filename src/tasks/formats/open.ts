/** Opens a file of problems. */
import type { AskedProblem } from "../../record.ts";
import { formatNamed, formats } from "./formats.ts";
import type { FileProblem, Format } from "./format.ts";
import { bareName, type FileRecord, readRecords } from "./records.ts";

export interface ProblemSet {
  /** Of the file, without its endings. */
  readonly name: string;
  readonly format: string;
  /** In the order of the file. How each is judged stands in its `data`; `checkerOf(set)` of scorers makes the judge. */
  readonly problems: readonly AskedProblem[];
  /** By id: a right answer in the form that is asked for, where the file tells one; for examples in prompts. */
  readonly worked: ReadonlyMap<string, string>;
  /** Where the public files of this format come from, and their licence: of yours it says nothing. */
  readonly source?: string;
}

export interface OpenOptions {
  /** One of `formats`. @default the one that the first record can only be of */
  readonly format?: string;
  /** Keep so many problems, the first ones; the rest is read all the same, and must be whole. */
  readonly limit?: number;
}

/**
 * Reads JSON Lines, JSON or CSV, compressed with gzip or not; for arc-agi a folder too. The whole file is held in memory.
 *
 * @throws SyntaxError for the first record that is not of the format, with its place, the field, what is expected and what is
 * there; for an empty file; for an id that is there twice. RangeError where the format is not known or cannot be told. Errors of
 * the file system as they are.
 */
export async function openProblemSet(path: string, { format: name, limit }: OpenOptions = {}): Promise<ProblemSet> {
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1))
    throw new RangeError(`Cannot open ${path} as 'limit' must be a positive integer: current value is ${limit}`);
  const records = await readRecords(path);
  const format = name === undefined ? detected(records, path) : formatNamed(name);
  const all = records.flatMap((record) => format.read(record).map((one) => ({ ...one, place: record.place })));
  if (all.length === 0) throw new SyntaxError(`Cannot read problems from ${path} as ${format.name}: it has none`);
  refuseTwice(all);
  const kept = all.slice(0, limit);
  return {
    name: bareName(path),
    format: format.name,
    problems: kept.map(({ problem, level, cluster }) => ({ problem, level, cluster })),
    worked: new Map(
      kept.flatMap(({ problem, worked }) => (worked === undefined ? [] : [[problem.id, worked] as const])),
    ),
    ...(format.source !== undefined && { source: format.source }),
  };
}

function detected([first]: readonly FileRecord[], path: string): Format {
  const fitting = formats.filter(({ fits }) => fits(first?.value));
  if (fitting.length === 1) return fitting[0] as Format;
  throw new RangeError(
    `Cannot tell the format of ${path} from its first record: give 'format' as one of ${formats.map((one) => one.name).join(", ")}`,
  );
}

function refuseTwice(all: readonly (FileProblem & { readonly place: string })[]): void {
  const places = new Map<string, string>();
  for (const { problem, place } of all) {
    const earlier = places.get(problem.id);
    if (earlier !== undefined)
      throw new SyntaxError(`Cannot read ${place}: its id '${problem.id}' is that of ${earlier} already`);
    places.set(problem.id, place);
  }
}
