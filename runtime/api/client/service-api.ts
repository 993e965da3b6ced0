import { ClocheError } from "./cloche-error.ts";
import type { Connection } from "./connection.ts";
import { serverSent } from "./event-stream.ts";
import { pause } from "./retry.ts";
import {
  resultOf,
  type ToolAnswer,
  type ToolCall,
  type ToolFormats,
  type ToolResult,
} from "./tool-call.ts";
import type {
  GroupRequest,
  GroupView,
  Regrade,
  RolloutEvent,
  RolloutRecord,
  RolloutRequest,
  RolloutView,
  Step,
  TaskView,
} from "./wire.ts";

export interface Waiting {
  /** Ends the waiting, and what was asked for with it. */
  readonly signal?: AbortSignal;
}

type Signal = AbortSignal | undefined;

/** How long one request may wait for a rollout to serve; then it is asked again. */
const WAIT_S = 30;
const FIRST_LOOK_MS = 50;
const LONGEST_LOOK_MS = 1_000;
const AHEAD = new Set(["requested", "seeded"]);

/** The routes of the service, one method each, and what may be repeated. */
export class ServiceApi {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Waits a while, but comes back before it serves if that takes longer. */
  request(request: RolloutRequest, signal: Signal): Promise<RolloutView> {
    return this.#create("/v1/rollouts", request, { prefer: `wait=${WAIT_S}` }, signal);
  }

  requestGroup(request: GroupRequest, signal: Signal): Promise<GroupView> {
    return this.#create("/v1/groups", request, {}, signal);
  }

  view(id: string, signal: Signal, waitS = 0): Promise<RolloutView> {
    const headers: Record<string, string> = waitS > 0 ? { prefer: `wait=${waitS}` } : {};
    return this.#connection.json({ method: "GET", path: rolloutPath(id), headers, signal });
  }

  /** Waits until it serves. Rejects with `client/rollout-ended` if it ended before. */
  async serving(first: RolloutView, signal: Signal): Promise<RolloutView> {
    let view = first;
    for (let wait = FIRST_LOOK_MS; AHEAD.has(view.phase); wait = longer(wait)) {
      await pause(wait, signal);
      view = await this.view(view.id, signal, WAIT_S);
    }
    if (view.phase === "serving") return view;
    throw endedBefore(view);
  }

  groupView(id: string, signal: Signal): Promise<GroupView> {
    return this.#connection.json({ method: "GET", path: `/v1/groups/${part(id)}`, signal });
  }

  async *list(query: Readonly<Record<string, string>>): AsyncGenerator<RolloutRecord> {
    let cursor: string | null = null;
    do {
      const search = new URLSearchParams(cursor === null ? query : { ...query, cursor });
      const path = `/v1/rollouts?${search}`;
      const page: { records: RolloutRecord[]; next: string | null } = await this.#connection.json({
        method: "GET",
        path,
      });
      yield* page.records;
      cursor = page.next;
    } while (cursor !== null);
  }

  async tools<F extends keyof ToolFormats>(
    id: string,
    format: F,
    signal: Signal,
  ): Promise<readonly ToolFormats[F][]> {
    const path = `${rolloutPath(id)}/tools?format=${format}`;
    const { tools } = await this.#connection.json<{ tools: ToolFormats[F][] }>({
      method: "GET",
      path,
      signal,
    });
    return tools;
  }

  /** In the order of the calls, which run at once. Never repeated once it may have arrived. */
  async call(id: string, calls: readonly ToolCall[], signal: Signal): Promise<ToolResult[]> {
    const { answers } = await this.#connection.json<{ answers: ToolAnswer[] }>({
      method: "POST",
      path: `${rolloutPath(id)}/tools`,
      body: { calls },
      signal,
    });
    return answers.map(resultOf);
  }

  heartbeat(id: string, signal: Signal): Promise<{ readonly leaseUntil: string }> {
    return this.#repeatable("POST", `${rolloutPath(id)}/heartbeat`, {}, signal);
  }

  async finish(id: string, answer: string | null, signal: Signal): Promise<RolloutRecord> {
    const path = `${rolloutPath(id)}/finish`;
    return recordOf(await this.#repeatable("POST", path, { answer }, signal));
  }

  async cancel(id: string, signal: Signal): Promise<RolloutRecord> {
    return recordOf(await this.#repeatable("DELETE", rolloutPath(id), undefined, signal));
  }

  /** Those after the first `after` lines. */
  async steps(id: string, after: number, signal: Signal): Promise<readonly Step[]> {
    const path = `${rolloutPath(id)}/steps?after=${after}`;
    const headers = { accept: "application/x-ndjson" };
    const text = await this.#connection.text({ method: "GET", path, headers, signal });
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Step);
  }

  /** A tar. */
  async bundle(id: string, signal: Signal): Promise<ReadableStream<Uint8Array>> {
    const path = `${rolloutPath(id)}/bundle`;
    const headers = { accept: "application/x-tar" };
    const response = await this.#connection.stream({ method: "GET", path, headers, signal });
    return bodyOf(response);
  }

  /**
   * From the event after `after` on. A connection that is lost is taken up again where it was, so
   * that no event is missing and none comes twice.
   */
  async *events(id: string, after: number, signal: Signal): AsyncGenerator<RolloutEvent> {
    let last = after;
    for (let wait = FIRST_LOOK_MS; ; wait = longer(wait)) {
      try {
        const body = await this.#eventsFrom(id, last, signal);
        if (body === null) return;
        for await (const { data } of serverSent(body)) {
          const event: RolloutEvent = JSON.parse(data);
          last = event.seq;
          wait = FIRST_LOOK_MS;
          yield event;
          if (event.type === "phase" && event.phase === "stored") return;
        }
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof ClocheError) throw error;
      }
      await pause(wait, signal);
    }
  }

  async grade(
    what: string | Uint8Array,
    grader: "recorded" | "current",
    signal: Signal,
  ): Promise<Regrade> {
    if (typeof what === "string") {
      return await this.#repeatable("POST", "/v1/grade", { rollout: what, grader }, signal);
    }
    return await this.#connection.json({
      method: "POST",
      path: `/v1/grade?grader=${grader}`,
      body: what,
      headers: { "content-type": "application/x-tar" },
      repeatable: true,
      signal,
    });
  }

  tasks(signal: Signal): Promise<{ readonly tasks: readonly TaskView[] }> {
    return this.#connection.json({ method: "GET", path: "/v1/tasks", signal });
  }

  /** Null once there is nothing left to come. */
  async #eventsFrom(
    id: string,
    last: number,
    signal: Signal,
  ): Promise<ReadableStream<Uint8Array> | null> {
    const headers = { accept: "text/event-stream", "last-event-id": String(last) };
    const path = `${rolloutPath(id)}/events`;
    const response = await this.#connection.stream({ method: "GET", path, headers, signal });
    return response.status === 204 ? null : bodyOf(response);
  }

  #create<T>(
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
    signal: Signal,
  ): Promise<T> {
    const key = { "idempotency-key": crypto.randomUUID() };
    return this.#connection.json({
      method: "POST",
      path,
      body,
      headers: { ...headers, ...key },
      repeatable: true,
      signal,
    });
  }

  #repeatable<T>(
    method: "POST" | "DELETE",
    path: string,
    body: unknown,
    signal: Signal,
  ): Promise<T> {
    return this.#connection.json({ method, path, body, repeatable: true, signal });
  }
}

function rolloutPath(id: string): string {
  return `/v1/rollouts/${part(id)}`;
}

function part(id: string): string {
  return encodeURIComponent(id);
}

function longer(ms: number): number {
  return Math.min(LONGEST_LOOK_MS, ms * 2);
}

function bodyOf(response: Response): ReadableStream<Uint8Array> {
  return response.body ?? new ReadableStream({ start: (controller) => controller.close() });
}

/** Throws `client/not-ended` for a rollout that goes on. */
export function requireEnded({ id, phase, record }: RolloutView): RolloutRecord {
  if (record !== null) return record;
  const detail = `rollout ${id} has not ended: it is at phase "${phase}"`;
  throw new ClocheError({ code: "client/not-ended", status: null, detail });
}

function recordOf({ id, phase, record }: RolloutView): RolloutRecord {
  if (record !== null) return record;
  const detail = `rollout ${id} was to have ended, but is at phase "${phase}" without a record`;
  throw new ClocheError({ code: "client/bad-answer", status: 200, detail });
}

function endedBefore({ id, phase, outcome, record }: RolloutView): ClocheError {
  const fault = record?.fault ?? null;
  const why = fault === null ? `outcome ${outcome}` : `${fault.code}: ${fault.message}`;
  const detail = `rollout ${id} is at phase "${phase}" and serves no more (${why})`;
  return new ClocheError({ code: "client/rollout-ended", status: null, detail });
}
