/** The stored solutions of GSM8K's four systems: what `bench/gsm8k-study.ts` chooses among. */

/**
 * The systems of Cobbe et al. 2021, arXiv:2110.14168, the cheapest first. Price of an answer: parameters that work on each of its tokens, in
 * billions. A fine-tuned model writes one solution; verification writes 100 and has each judged by a verifier of the same size (§4.2).
 */
export const systems: readonly { readonly name: string; readonly field: string; readonly price: number }[] = [
  { name: "6B, fine-tuned", field: "6b_finetuning", price: 6 },
  { name: "175B, fine-tuned", field: "175b_finetuning", price: 175 },
  { name: "6B, verification", field: "6b_verification", price: 100 * (6 + 6) },
  { name: "175B, verification", field: "175b_verification", price: 100 * (175 + 175) },
];
export interface Solved {
  /** The number that it ends with; undefined where there is none. */
  readonly answer: string | undefined;
  readonly right: boolean;
  /** What a judge who knows nothing of the task can see of it. */
  readonly features: readonly number[];
}

export interface Question {
  readonly features: readonly number[];
  /** [systems] */
  readonly solved: readonly Solved[];
}

/** The lines of example_model_solutions.jsonl. */
export function readSolutions(jsonl: string): Question[] {
  return jsonl
    .trim()
    .split("\n")
    .map((line) => {
      const row = JSON.parse(line) as Record<string, { readonly is_correct: boolean; readonly solution: string }> & {
        readonly question: string;
      };
      const asked = numbersIn(row.question);
      return {
        features: [Math.log(row.question.length), asked.length, row.question.split(/[.?!]\s/).length],
        solved: systems.map(({ field }) => {
          const { is_correct: right, solution } = row[field] as { is_correct: boolean; solution: string };
          const answer = /A: *(.*)$/.exec(solution)?.[1]?.replace(/[$,%\s]|\.0*$/g, "");
          const used = new Set(numbersIn(solution));
          const steps = solution.split("<<").length - 1;
          const value = Number(answer);
          const features = [
            Math.log(solution.length),
            steps,
            asked.filter((number) => used.has(number)).length / Math.max(1, asked.length),
            Number(Number.isInteger(value)),
            Number(value > 0),
            Math.log1p(Math.abs(value || 0)),
          ];
          return { answer: answer || undefined, right, features };
        }),
      };
    });
}

const numbersIn = (text: string): number[] => Array.from(text.matchAll(/\d+(?:\.\d+)?/g), ([number]) => Number(number));
