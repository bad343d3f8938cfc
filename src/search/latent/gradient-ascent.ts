/**
 * Gradient ascent on a score over vectors: from points drawn by the policy, uphill along the slope.
 *
 * With `gradient`, the exact slope of the score at a point, a step costs one score. Without, slopes are measured by central
 * differences: 2n scores a step more. Steps are Adam's (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), or plain ones,
 * z ← z + rate × slope. Activation maximisation of Erhan et al. 2009, "Visualizing Higher-Layer Features of a Deep Network",
 * when z are pixels; in the latent space of a generator: Nguyen et al. 2016, arXiv:1605.09304.
 *
 * Each start climbs by itself, side by side; the answer is the best point that was scored on any way, the first start where
 * none was. A climb whose score or
 * slope is missing ends there. Ties: the earlier place. Finds a local optimum of the score as it is, its errors included: far
 * from the prior a learned score is wrong in someone's favour. So judge the answer by another scorer too, or let the score pay
 * for distance, as s(z) − |z|²/2 does.
 */
import { adam } from "../../math/adam.ts";
import { plus, type Vector } from "../../math/linear.ts";
import type { Node } from "../../node.ts";
import type { Scorer } from "../../scorer.ts";
import type { Program, Search } from "../../search.ts";
import { all, BudgetSpent, extend } from "../../search.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { byValue, type Gradient, type Judged, judge, judgedAt, type Scored, slopesAt, type Space } from "./space.ts";

export interface GradientAscentOptions {
  /** Where the vectors are; as `latent()` makes it. */
  readonly space: Space;
  /** The slope of the run's score. @default measured by central differences */
  readonly gradient?: Gradient;
  /** @default the run's scorer */
  readonly scorer?: Scorer<Vector>;
  /** Points drawn to start from. @default 1 */
  readonly starts?: number;
  /** Of every start. @default 100 */
  readonly steps?: number;
  /** @default 0.1 */
  readonly rate?: number;
  /** @default "adam" */
  readonly method?: "adam" | "plain";
  /** h of the central differences. @default 1e-4 */
  readonly difference?: number;
}

export function gradientAscent(options: GradientAscentOptions): Search<Vector> {
  const { space, gradient, scorer, starts = 1, steps = 100, rate = 0.1, method = "adam", difference = 1e-4 } = options;
  checkWhole("gradient-ascent", "starts", starts, 1);
  checkWhole("gradient-ascent", "steps", steps, 1);
  checkNumber("gradient-ascent", "rate", rate, { above: 0 });
  checkNumber("gradient-ascent", "difference", difference, { above: 0 });

  return {
    name: "gradient-ascent",
    options: {
      dimension: space.dimension,
      gradient: gradient ? "given" : "measured",
      starts,
      steps,
      rate,
      method,
      difference,
      scorer: scorer?.name ?? null,
    },
    *run(root) {
      const best = new Map<Node<Vector>, Scored>(); // of each start

      function* climb(start: Node<Vector>): Program<Vector, void> {
        const note = (judged: Judged | undefined): judged is Scored => {
          if (judged?.value === undefined) return false;
          const scored = judged as Scored;
          if (scored.value > (best.get(start)?.value ?? Number.NEGATIVE_INFINITY)) best.set(start, scored);
          return true;
        };
        const { step } = adam(space.dimension);
        let [here] = yield* judge([start], scorer);
        for (let i = 0; i < steps && note(here); i++) {
          const at = here.node.state;
          const [slope] = yield* slopesAt(root, space, [at], { gradient, scorer, difference });
          if (!slope) return;
          const next = [...at];
          if (method === "adam") step(next, slope, rate);
          [here] = yield* judgedAt(root, space, [method === "adam" ? next : plus(at, slope, rate)], scorer);
        }
        note(here);
      }

      let drawn: Node<Vector>[] = [];
      try {
        drawn = yield* extend(root, { count: starts });
        yield* all(drawn.map(climb));
      } catch (error) {
        if (!(error instanceof BudgetSpent) || best.size === 0) throw error;
      }
      const scored = [...best.values()].sort(byValue).map(({ node }) => node);
      const candidates = scored.length > 0 ? scored : drawn;
      return { answer: candidates[0], candidates };
    },
  };
}
