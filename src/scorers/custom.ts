/** Any function of the text as a scorer; its name travels with every score it gives. */
import type { Problem } from "../problem.ts";
import type { Scorer } from "../scorer.ts";

/** `value`: more is better; NaN leaves the node unscored. */
export function custom<S>(
  name: string,
  value: (text: string, problem: Problem) => number | Promise<number>,
): Scorer<S> {
  return {
    name,
    kind: "reward",
    score: ({ state }, { text, problem }) => {
      const given = value(text(state), problem);
      return given instanceof Promise
        ? given.then((reward) => ({ kind: "reward" as const, value: reward }))
        : { kind: "reward", value: given };
    },
  };
}
