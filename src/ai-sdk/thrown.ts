/** What an AI SDK model throws, as a failure: by the fields and names of its errors, as its classes are not imported. */
import { Failed, type FailureCode } from "../errors.ts";
import type { Clock } from "../models/clock.ts";
import { type Connection, isRecord, meaningOf, shorten, statusOf } from "../models/openai/http.ts";
import { pauseOf, Refused } from "../models/openai/retry.ts";

/** Errors of the SDK that are no refused call. */
const codes: Readonly<Record<string, FailureCode>> = {
  AI_EmptyResponseBodyError: "bad-response",
  AI_InvalidArgumentError: "rejected",
  AI_InvalidPromptError: "rejected",
  AI_InvalidResponseDataError: "bad-response",
  AI_JSONParseError: "bad-response",
  AI_LoadAPIKeyError: "unauthorized",
  AI_LoadSettingError: "rejected",
  AI_NoContentGeneratedError: "bad-response",
  AI_NoSuchModelError: "rejected",
  AI_TypeValidationError: "bad-response",
  AI_UnsupportedFunctionalityError: "unsupported",
};

/** @returns Refused where asking again is safe and may help, by the rules of `models/openai` */
export function failedOf(thrown: unknown, { id, secrets }: Pick<Connection, "id" | "secrets">, clock: Clock): unknown {
  if (thrown instanceof Failed) return thrown;
  if (!(thrown instanceof Error)) return meaningOf({ id, secrets }, statusOf(thrown), { error: thrown }); // in a stream
  const code = codes[thrown.name];
  if (code) return new Failed(code, `${id}: ${shorten(thrown.message, secrets)}`, { cause: thrown });
  if (thrown.name !== "AI_APICallError") return thrown;
  const { statusCode, responseHeaders, responseBody, isRetryable, message } = thrown as Error & Partial<Refusal>;
  if (statusCode === undefined)
    return new (isRetryable ? Refused : Failed)("unavailable", `Cannot reach ${id}: ${shorten(message, secrets)}`);
  if (statusCode < 400) return new Failed("bad-response", `${id} answered ${statusCode}: ${shorten(message, secrets)}`);
  const pauseMs = responseHeaders && pauseOf(new Headers(responseHeaders), clock);
  return meaningOf({ id, secrets }, statusCode, saidBy(responseBody) ?? { message }, pauseMs);
}

/** The fields of `APICallError`. */
interface Refusal {
  readonly statusCode: number;
  readonly responseHeaders: Record<string, string>;
  readonly responseBody: string;
  readonly isRetryable: boolean;
}

function saidBy(body: string | undefined): unknown {
  try {
    const said: unknown = JSON.parse(body ?? "");
    return isRecord(said) ? said : undefined;
  } catch {
    return undefined;
  }
}
