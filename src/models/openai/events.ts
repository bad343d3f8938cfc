/** A stream of server-sent events as JSON objects, up to `[DONE]`. */
import { createParser } from "eventsource-parser";
import { Failed } from "../../errors.ts";
import { isRecord } from "./http.ts";

/** Characters of one event. One carries a token or a few, with their alternatives. */
const longestEvent = 4 * 2 ** 20;

/** Ends after `[DONE]`, which it returns as true, or where the texts end, which it returns as false. */
export async function* eventsOf(
  texts: AsyncIterable<string>,
  id: string,
): AsyncGenerator<Readonly<Record<string, unknown>>, boolean> {
  let events: string[] = [];
  let tooLong = false;
  const parser = createParser({
    onEvent: ({ data }) => events.push(data),
    onError: ({ type }) => {
      if (type === "max-buffer-size-exceeded") tooLong = true;
    },
    maxBufferSize: longestEvent,
  });
  for await (const text of texts) {
    parser.feed(text);
    const whole = events;
    events = [];
    for (const data of whole) {
      if (data.trim() === "[DONE]") return true;
      if (data.trim() === "") continue;
      yield parsed(data, id);
    }
    if (tooLong) throw new Failed("bad-response", `${id} sent an event of more than ${longestEvent} characters`);
  }
  return false;
}

/** @throws Failed `bad-response` */
export function parsed(json: string, id: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (thrown) {
    throw new Failed("bad-response", `${id} sent broken JSON, ${json.length} characters of it`, { cause: thrown });
  }
  if (isRecord(value)) return value;
  throw new Failed("bad-response", `${id} sent JSON that is no object`);
}
