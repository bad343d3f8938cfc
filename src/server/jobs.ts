/**
 * Requests at work: reserved in the books, let in, run, booked and answered. Two requests of one idempotency key are one job,
 * which goes on as long as one of its clients is there.
 */
import { createHash, randomInt, randomUUID } from "node:crypto";
import type { Cost, Limit } from "../budget.ts";
import { unreachable } from "../errors.ts";
import type { RunEvent } from "../event.ts";
import type { Model } from "../model.ts";
import type { Json } from "../problem.ts";
import { type RequestBooks, type RequestReply, type SqlStore } from "../runs/store/index.ts";
import type { Admission } from "./admission.ts";
import { ApiError, apiErrorOf } from "./api-error.ts";
import { completionReply, type Shape } from "./reply.ts";
import { accountOf, limitsOf } from "./keys.ts";
import { type Log, placeOf } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { type Asked, type Caller, worstOf } from "./offers.ts";
import { perform, type Performed } from "./perform.ts";
import type { Question } from "./question.ts";
import { tellRuns } from "./tell-runs.ts";

export interface JobRequest {
  readonly shape: Shape;
  readonly caller: Caller;
  readonly asked: Asked;
  readonly question: Question;
  readonly model: Model;
  /** As the client named model and method. */
  readonly modelName: string;
  readonly n: number;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  readonly idempotencyKey: string | undefined;
  /** What is asked, without how the answer is to be sent. */
  readonly content: Json;
}

export interface Client {
  readonly id: string;
  /** Whether it began the job, and so sees all its events. */
  readonly isFirst: boolean;
  /** Rejects with ApiError alone. */
  readonly reply: Promise<RequestReply>;
  /** Gives how to stop watching. */
  watch(listener: (event: RunEvent) => void): () => void;
  /** This client has gone; with the last one the job ends. */
  leave(): void;
}

/** What can be stopped and waited for. */
interface AtWork {
  readonly caller: string;
  readonly stopping: AbortController;
  readonly reply: Promise<unknown>;
}

interface Job extends AtWork {
  readonly fingerprint: string;
  readonly listeners: Set<(event: RunEvent) => void>;
  readonly reply: Promise<RequestReply>;
  clients: number;
}

export interface Jobs {
  /** @throws ApiError `idempotency_conflict`, or why none is taken */
  open(request: JobRequest): Client;
  /** Work that is no search, in a place of its own, until its only client leaves. */
  during<T>(caller: Caller, client: AbortSignal, act: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Books what a request has cost. Where the store fails just then, it is booked when the store is back. */
  book(id: string, spent: Cost, reply?: RequestReply): Promise<void>;
  readonly size: number;
  /** From now on none is taken, of requests too that are still coming in. */
  refuse(reason: ApiError): void;
  /** Ends the work of one caller, or all. */
  stop(reason: ApiError, caller?: string): void;
  /** Books what the store could not take before. @throws what the store throws while it fails */
  bookLate(): Promise<void>;
  /** When no work is left. */
  idle(): Promise<void>;
}

export interface JobsContext {
  readonly store: SqlStore;
  readonly books: RequestBooks;
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly logPrompts: boolean;
}

export function createJobs(context: JobsContext): Jobs {
  const { books, admission } = context;
  const jobs = new Map<string, Job>();
  const others = new Set<AtWork>();
  let refusal: ApiError | undefined;
  const unbooked = new Map<string, { readonly spent: Cost; readonly reply: RequestReply | undefined }>();

  function open(request: JobRequest): Client {
    if (refusal) throw refusal;
    const { caller, idempotencyKey } = request;
    const fingerprint = hash(JSON.stringify(request.content));
    const id = `req_${idempotencyKey === undefined ? randomUUID().replaceAll("-", "") : hash(`${caller.name}\0${idempotencyKey}`).slice(0, 32)}`;
    let job = jobs.get(id);
    if (job && job.fingerprint !== fingerprint) throw conflict();
    if (job?.stopping.signal.aborted) throw inProgress(); // it is just being put away
    const isFirst = job === undefined;
    if (!job) {
      const stopping = new AbortController();
      const listeners: Job["listeners"] = new Set();
      const watch = (event: RunEvent) => {
        for (const listener of listeners) listener(event);
      };
      const reply = work(id, fingerprint, request, stopping.signal, watch).finally(() => jobs.delete(id));
      reply.catch(() => {}); // a client that left does not wait for it
      jobs.set(id, (job = { caller: caller.name, fingerprint, stopping, listeners, reply, clients: 0 }));
    }
    const own = job;
    own.clients++;
    let isHere = true;
    return {
      id,
      isFirst,
      reply: own.reply,
      watch(listener) {
        own.listeners.add(listener);
        return () => void own.listeners.delete(listener);
      },
      leave() {
        if (!isHere) return;
        isHere = false;
        own.clients--;
        if (own.clients > 0 || jobs.get(id) !== own) return;
        own.stopping.abort(clientLeft());
      },
    };
  }

  async function work(
    id: string,
    fingerprint: string,
    request: JobRequest,
    signal: AbortSignal,
    watch: (event: RunEvent) => void,
  ): Promise<RequestReply> {
    const { caller, asked, n, idempotencyKey } = request;
    const before = idempotencyKey === undefined ? undefined : await books.find(id);
    if (before && before.fingerprint !== fingerprint) throw conflict();
    if (before?.reply) return before.reply;
    const leave = await admission.enter(caller, asked.candidates, signal);
    try {
      const begun = await books.begin({
        id,
        caller: caller.name,
        account: accountOf(caller, Date.now()),
        fingerprint,
        runs: n,
        seed: request.seed ?? randomInt(2 ** 47),
        worst: worstOf(asked.budget, n),
        limits: limitsOf(caller),
      });
      switch (begun.type) {
        case "conflict":
          throw conflict();
        case "running":
          throw inProgress();
        case "replied":
          return begun.reply;
        case "denied":
          throw overQuota(begun.limit);
        case "granted":
          return await finished(id, begun.seed, request, signal, watch);
        default:
          return unreachable(begun);
      }
    } finally {
      leave();
    }
  }

  async function finished(
    id: string,
    seed: number,
    request: JobRequest,
    signal: AbortSignal,
    watch: (event: RunEvent) => void,
  ): Promise<RequestReply> {
    const { asked, n, question, model, stop, shape, modelName } = request;
    const { method, budget } = asked;
    let performed: Performed;
    try {
      performed = await perform(
        { id, model, question, method, stop, budget, n, seed },
        { store: context.store, signal, watch },
      );
    } catch (error) {
      await book(id, worstOf(budget, n)); // what a defect has cost nobody knows
      throw error;
    }
    tellRuns(context, id, request, performed);
    if (signal.aborted) {
      await book(id, performed.spent);
      throw signal.reason;
    }
    const reply = completionReply(shape, { id, model: modelName, method: method.label, seed }, performed);
    await book(id, performed.spent, reply);
    return reply;
  }

  async function during<T>(caller: Caller, client: AbortSignal, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (refusal) throw refusal;
    const stopping = new AbortController();
    const onAbort = () => stopping.abort(clientLeft());
    if (client.aborted) onAbort();
    else client.addEventListener("abort", onAbort, { once: true });
    const inPlace = async () => {
      const leave = await admission.enter(caller, 1, stopping.signal);
      try {
        return await act(stopping.signal);
      } finally {
        leave();
      }
    };
    const one = { caller: caller.name, stopping, reply: inPlace() };
    others.add(one);
    try {
      return await one.reply;
    } finally {
      others.delete(one);
      client.removeEventListener("abort", onAbort);
    }
  }

  async function book(id: string, spent: Cost, reply?: RequestReply): Promise<void> {
    try {
      await books.finish(id, spent, reply);
    } catch (error) {
      unbooked.set(id, { spent, reply });
      throw error;
    }
  }

  return {
    open(request) {
      const client = open(request);
      const reply = client.reply.catch((error: unknown) => {
        const told = apiErrorOf(error);
        if (told.code === "internal_error")
          context.log("defect", { id: client.id, error: placeOf(error, context.logPrompts) });
        throw told;
      });
      reply.catch(() => {});
      return { ...client, reply };
    },
    during,
    book,
    get size() {
      return jobs.size + others.size;
    },
    refuse(reason) {
      refusal = reason;
    },
    stop(reason, caller) {
      for (const one of [...jobs.values(), ...others])
        if (caller === undefined || one.caller === caller) one.stopping.abort(reason);
    },
    async bookLate() {
      for (const [id, { spent, reply }] of unbooked) {
        await books.finish(id, spent, reply);
        unbooked.delete(id);
      }
    },
    async idle() {
      while (jobs.size + others.size > 0)
        await Promise.allSettled([...jobs.values(), ...others].map(({ reply }) => reply));
    },
  };
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

const clientLeft = (): ApiError => new ApiError("cancelled", "The client closed the connection");

const conflict = (): ApiError =>
  new ApiError(
    "idempotency_conflict",
    "Cannot use this Idempotency-Key as it belongs to a request with another body: take a new key",
  );

export const overQuota = (limit: Limit): ApiError =>
  new ApiError(
    "insufficient_quota",
    `Cannot start as the budget of this key has too few ${limit} left for one request: lower ponderosa.budget.${limit}, or ask the operator`,
    { param: `ponderosa.budget.${limit}` },
  );

const inProgress = (): ApiError =>
  new ApiError("request_in_progress", "The request of this Idempotency-Key is still being worked on: try again", {
    retryAfterSeconds: 1,
  });
