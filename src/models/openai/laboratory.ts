/** Requests of a probe: counted, without retries, each an experiment whose failure is a finding. */
import { addCosts, type Cost, cost, noCost } from "../../budget.ts";
import { Failed } from "../../errors.ts";
import { nanodollars } from "../../price.ts";
import { utf8Length } from "./drafts.ts";
import { isRecord, meaningOf, statusOf } from "./http.ts";
import { type ServerOptions, serverOf } from "./server.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export interface Laboratory extends AsyncDisposable {
  /** The server's address and the model. */
  readonly id: string;
  readonly model: string;
  readonly cost: Cost;
  /** What a GET gives; undefined where there is nothing of the kind. @throws Failed where the server is not reached */
  look(path: string): Promise<unknown>;
  /** What a POST gives. @throws Failed */
  ask(path: string, body: JsonObject): Promise<JsonObject>;
}

export function laboratory(options: ServerOptions, signal: AbortSignal): Laboratory {
  const server = serverOf({ ...options, retries: { count: 0 }, circuit: { failures: Number.POSITIVE_INFINITY } });
  let spent: Cost = noCost;

  const exchange = (path: string, body?: JsonObject): Promise<unknown> =>
    server.exchange({ path, body, stream: false, signal }, async (reply) => {
      let text = "";
      for await (const piece of reply.texts()) text += piece;
      let said: unknown;
      try {
        said = JSON.parse(text);
      } catch (thrown) {
        throw new Failed("bad-response", `${server.connection.id} sent broken JSON`, { cause: thrown });
      }
      if (isRecord(said) && said["error"]) throw meaningOf(reply.connection, statusOf(said["error"]), said);
      return said;
    });

  return {
    id: server.connection.id,
    model: options.model,
    get cost() {
      return spent;
    },
    async look(path) {
      try {
        return await exchange(path);
      } catch (thrown) {
        if (isNo(thrown)) return undefined;
        throw thrown;
      }
    },
    async ask(path, body) {
      spent = addCosts(spent, cost({ calls: 1 }));
      const said = await exchange(path, { model: options.model, ...body });
      const reply = isRecord(said) ? said : { data: said }; // SGLang's lists
      const usage = isRecord(reply["usage"]) ? reply["usage"] : {};
      const used = {
        tokens: countOf(usage["completion_tokens"], 0),
        promptTokens: countOf(usage["prompt_tokens"], utf8Length(JSON.stringify(body))),
      };
      spent = addCosts(spent, cost({ ...used, nanodollars: nanodollars(options.price, used) }));
      return reply;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

const countOf = (value: unknown, otherwise: number): number =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : otherwise;

/** Whether the server was there and did not do it; otherwise nobody can tell. OpenAI refuses where reasoning needs more tokens than a probe allows. */
export const isNo = (thrown: unknown): boolean =>
  thrown instanceof Failed &&
  ["rejected", "bad-response", "unsupported", "overflow"].includes(thrown.code) &&
  !/could not finish the message/i.test(thrown.message);
