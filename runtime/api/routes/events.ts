import { createRoute, z } from "@hono/zod-openapi";
import { exactJson } from "../../base/exact-json.ts";
import { messageOf } from "../../base/fault.ts";
import type { RolloutEvent } from "../../service/service.ts";
import { failures } from "../answer.ts";
import type { ApiApp, ApiParts } from "../api-parts.ts";
import { afterQuery, eventHeaders, idParams } from "../requests.ts";

const KEEP_ALIVE_MS = 15_000;
const RETRY_MS = 1_000;

const events = createRoute({
  method: "get",
  path: "/v1/rollouts/{id}/events",
  tags: ["rollouts"],
  summary: "Follow a rollout: phases, steps, grade",
  request: { params: idParams, query: afterQuery, headers: eventHeaders },
  responses: {
    200: {
      description: "Server-sent events with the schema Event; the last is of phase stored.",
      content: { "text/event-stream": { schema: z.string() } },
    },
    204: { description: "It has ended and you have all of its events." },
    ...failures,
  },
});

/** The stream of what happens to a rollout, which a client that lost it can take up again. */
export function addEvents(app: ApiApp, { service, log }: ApiParts): void {
  app.openapi(events, async (c) => {
    const { id } = c.req.valid("param");
    const caller = c.get("caller");
    const after = c.req.valid("header")["last-event-id"] ?? c.req.valid("query").after ?? 0;
    const { phase } = await service.view(id, caller);
    const gone = new AbortController();
    const signal = AbortSignal.any([c.req.raw.signal, gone.signal]);
    const iterator = service.events(id, after, caller, signal)[Symbol.asyncIterator]();
    const first = phase === "stored" ? await iterator.next() : undefined;
    // No content tells an EventSource not to come back.
    if (first?.done) return c.body(null, 204);
    const stop = () => gone.abort(new Error("the listener is gone"));
    const failed = (error: unknown) => {
      if (!signal.aborted) log.error({ rollout: id, error: messageOf(error) }, "events failed");
    };
    const stream = eventStream(iterator, first?.value, { stop, failed });
    const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
    return c.newResponse(stream, 200, { ...headers, "x-accel-buffering": "no" });
  });
}

interface Listener {
  readonly stop: () => void;
  readonly failed: (error: unknown) => void;
}

/** One event is taken for each that was read, so that a slow reader costs no memory. */
function eventStream(
  iterator: AsyncIterator<RolloutEvent>,
  first: RolloutEvent | undefined,
  { stop, failed }: Listener,
): ReadableStream<Uint8Array> {
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    clearInterval(timer);
    stop();
    // It may wait at an event that nobody took, and has to let go of what it reads.
    iterator.return?.().catch(failed);
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from(`retry: ${RETRY_MS}\n\n`));
      if (first !== undefined) controller.enqueue(frame(first));
      timer = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(Buffer.from(": keep-alive\n\n"));
      }, KEEP_ALIVE_MS);
    },
    async pull(controller) {
      try {
        const { value, done } = await iterator.next();
        if (!done) return controller.enqueue(frame(value));
      } catch (error) {
        failed(error);
      }
      end();
      try {
        controller.close();
      } catch {
        // The reader left in this very moment.
      }
    },
    cancel: end,
  });
}

function frame(event: RolloutEvent): Buffer {
  return Buffer.from(`id: ${event.seq}\nevent: ${event.type}\ndata: ${exactJson(event)}\n\n`);
}
