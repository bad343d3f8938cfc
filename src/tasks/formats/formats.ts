/** The formats. One more is one file and one line here. */
import { arcAgi } from "./arc-agi.ts";
import type { Format } from "./format.ts";
import { game24 } from "./game24.ts";
import { gsm8k } from "./gsm8k.ts";
import { humaneval } from "./humaneval.ts";
import { jsonl } from "./jsonl.ts";
import { math500 } from "./math-500.ts";
import { mbpp } from "./mbpp.ts";
import { multipleChoice } from "./multiple-choice.ts";

export const formats: readonly Format[] = [gsm8k, math500, humaneval, mbpp, arcAgi, multipleChoice, game24, jsonl];

/** @throws RangeError where there is no such format */
export function formatNamed(name: string): Format {
  const format = formats.find((one) => one.name === name);
  if (format === undefined)
    throw new RangeError(
      `Cannot find a format named ${JSON.stringify(name)}: there are ${formats.map((one) => one.name).join(", ")}`,
    );
  return format;
}
