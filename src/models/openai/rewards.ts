/**
 * Reward models behind a server, by the routes that servers have for them:
 *
 * | route | asked | read | servers |
 * |---|---|---|---|
 * | `rerank` | `query`, `documents` | `results[].relevance_score` | vLLM, SGLang, llama-server, Cohere, Jina |
 * | `score` | `text_1`, `text_2` | `data[].score` | vLLM |
 * | `classify` | `messages`, or `input` | `data[].probs`, of one class | vLLM |
 * | `pooling` | `messages`, or `input` | the last number of `data[].data` | vLLM |
 *
 * vLLM has the first two with and without `/v1`, the last two without: give the `baseUrl` accordingly. Whether a relevance is a
 * probability is the model's affair, so it counts as a reward unless `kind` says otherwise. A value that is no finite number is
 * a bad response, never a zero.
 */
import { addCosts, noCost } from "../../budget.ts";
import { Failed } from "../../errors.ts";
import { type Message, type Prompt, promptText } from "../../problem.ts";
import { readTokens, type RewardModel } from "../../reader.ts";
import { utf8Length } from "./drafts.ts";
import { entriesOf, objectOf, type ServerOptions, serverOf, usageCost } from "./server.ts";

export interface OpenaiRewardsOptions extends ServerOptions {
  readonly route: "rerank" | "score" | "classify" | "pooling";
  /** What its numbers are. @default "probability" for `classify`, else "reward" */
  readonly kind?: RewardModel["kind"];
  /** Which class of `classify` is the good one. @default the last */
  readonly classIndex?: number;
  /**
   * Question and answer as one text, for `classify` and `pooling`; all answers then go in one request. Absent: as a conversation
   * that the server's template turns into text, which reward models of chats want; a request each.
   */
  readonly format?: (prompt: Prompt, answer: string) => string;
}

/**
 * ```ts
 * const scorer = reward(openaiRewards({ baseUrl: "http://127.0.0.1:8000/v1", model: "skywork", route: "rerank" }));
 * ```
 */
export function openaiRewards(options: OpenaiRewardsOptions): RewardModel & AsyncDisposable {
  const { route, model, classIndex, format, price, countTokens = utf8Length } = options;
  const { kind = route === "classify" ? "probability" : "reward" } = options;
  const server = serverOf(options);
  const id = `${server.connection.id} ${route}`;

  const ask = (asked: Readonly<Record<string, unknown>>, count: number, bound: number, signal: AbortSignal) =>
    server.exchange(
      { path: `/${route}`, body: { model, ...asked, ...options.body }, stream: false, signal },
      async (reply) => {
        const value = await objectOf(reply);
        const entries = entriesOf(value[route === "rerank" ? "results" : "data"], count, id);
        return { values: entries.map(valueOf), cost: usageCost(value, bound, price) };
      },
    );

  function valueOf(entry: Readonly<Record<string, unknown>>): number {
    const value = read(entry);
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new Failed("bad-response", `${id} gave ${JSON.stringify(value)?.slice(0, 60)} where a number was expected`);
  }

  function read(entry: Readonly<Record<string, unknown>>): unknown {
    switch (route) {
      case "rerank":
        return entry["relevance_score"] ?? entry["score"];
      case "score":
        return entry["score"];
      case "classify":
        return Array.isArray(entry["probs"]) ? entry["probs"].at(classIndex ?? -1) : undefined;
      case "pooling": {
        const last = Array.isArray(entry["data"]) ? entry["data"].at(-1) : entry["data"];
        return Array.isArray(last) ? last.at(-1) : last; // one number, one a token, or one in a list a token
      }
    }
  }

  return {
    id,
    kind,
    countTokens,
    ...(price && { price }),
    async rewards(prompt, answers, { signal }) {
      const boundOf = (answer: string): number => readTokens({ countTokens }, prompt, answer);
      const bound = answers.reduce((sum, answer) => sum + boundOf(answer), 0);
      if (answers.length === 0) return { values: [], cost: noCost };
      if (route === "rerank")
        return ask({ query: promptText(prompt), documents: answers }, answers.length, bound, signal);
      if (route === "score") return ask({ text_1: promptText(prompt), text_2: answers }, answers.length, bound, signal);
      if (format) return ask({ input: answers.map((answer) => format(prompt, answer)) }, answers.length, bound, signal);
      const replies = await Promise.all(
        answers.map((answer) => ask({ messages: conversation(prompt, answer) }, 1, boundOf(answer), signal)),
      );
      return {
        values: replies.flatMap(({ values }) => values),
        cost: replies.reduce((sum, { cost }) => addCosts(sum, cost), noCost),
      };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const conversation = (prompt: Prompt, answer: string): Message[] => [
  ...(typeof prompt === "string" ? [{ role: "user" as const, content: prompt }] : prompt),
  { role: "assistant", content: answer },
];
