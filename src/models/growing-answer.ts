/** An answer that is put together from the texts of tokens as they are drawn, until one of them ends it. */
import type { Cost } from "../budget.ts";
import type { Completion, GenerateRequest, ModelPart } from "../model.ts";
import { endingOf, shownLength } from "./ending.ts";

export interface GrowingAnswer {
  readonly text: string;
  /** Token ids, without the end. */
  readonly tokens: readonly number[];
  /** Tokens drawn, the end included. */
  readonly length: number;
  /** Undefined as long as it goes on. */
  readonly finish: Completion["finish"] | undefined;
  /** One more token, with the laws [vocabulary] of the model and of the draw: log p and log q by token id. */
  take(token: number, law: ArrayLike<number>, proposal: ArrayLike<number>): void;
  /** Emits it whole, when it has ended. */
  complete(cost: Cost): void;
}

/** `texts` [vocabulary]: what each token adds. */
export function growing(
  index: number,
  request: GenerateRequest,
  texts: readonly string[],
  isEnd: (token: number) => boolean,
  emit: (part: ModelPart) => void,
): GrowingAnswer {
  let shown = 0;
  const show = (upTo: number): void => {
    if (!request.stream || upTo <= shown) return;
    emit({ type: "text-delta", index, delta: answer.text.slice(shown, upTo) });
    shown = upTo;
  };
  const answer = {
    text: "",
    tokens: [] as number[],
    length: 0,
    logProb: 0,
    logProposal: 0,
    finish: undefined as Completion["finish"] | undefined,
    take(token: number, law: ArrayLike<number>, proposal: ArrayLike<number>): void {
      answer.length++;
      answer.logProb += law[token] as number;
      answer.logProposal += proposal[token] as number;
      if (isEnd(token)) {
        answer.finish = "end";
        return;
      }
      answer.text += texts[token];
      answer.tokens.push(token);
      const ending = request.stop || request.until ? endingOf(answer.text, request) : undefined;
      if (ending) {
        answer.finish = ending.finish;
        cut(ending.length);
      } else if (answer.length >= request.maxTokens) answer.finish = "length";
      else show(shownLength(answer.text, request.stop));
    },
    complete(spent: Cost): void {
      show(answer.text.length);
      const { text, tokens, length, logProb, logProposal } = answer;
      const finish = answer.finish as Completion["finish"];
      const isWhole = tokens.map((token) => texts[token]).join("") === text; // else the cut is inside a token
      const completion = { text, ...(isWhole && { tokens }), length, logProb, logProposal, finish, cost: spent };
      emit({ type: "completion", index, completion });
    },
  };
  const cut = (length: number): void => {
    let kept = answer.text.length;
    while (kept > length) kept -= (texts[answer.tokens.pop() as number] as string).length;
    answer.text = answer.text.slice(0, length);
  };
  return answer;
}
