import { createRoute } from "@hono/zod-openapi";
import { messageOf } from "../../base/fault.ts";
import { failures, jsonAnswer, jsonBody } from "../answer.ts";
import type { ApiApp, ApiParts } from "../api-parts.ts";
import { reachable } from "../own-url.ts";
import { preferenceOf, served } from "../prefer.ts";
import {
  asyncHeaders,
  finishBody,
  given,
  idParams,
  listQuery,
  noQuery,
  requestHeaders,
  rolloutRequest,
  waitHeaders,
} from "../requests.ts";
import { leaseSchema, pageSchema, viewSchema } from "../schemas.ts";

const TAGS = ["rollouts"];
const PATH = "/v1/rollouts/{id}";
const ACCEPTED = "Under way; GET it for the end.";

const request = createRoute({
  method: "post",
  path: "/v1/rollouts",
  tags: TAGS,
  summary: "Ask for a rollout",
  request: { query: noQuery, headers: requestHeaders, body: jsonBody(rolloutRequest, true) },
  responses: { 201: jsonAnswer(viewSchema, "Accepted: it will end in a record."), ...failures },
});

const list = createRoute({
  method: "get",
  path: "/v1/rollouts",
  tags: TAGS,
  summary: "List your rollouts' records",
  request: { query: listQuery },
  responses: { 200: jsonAnswer(pageSchema, "One page."), ...failures },
});

const view = createRoute({
  method: "get",
  path: PATH,
  tags: TAGS,
  summary: "See a rollout",
  request: { params: idParams, query: noQuery, headers: waitHeaders },
  responses: { 200: jsonAnswer(viewSchema, "As it is now."), ...failures },
});

const heartbeat = createRoute({
  method: "post",
  path: `${PATH}/heartbeat`,
  tags: TAGS,
  summary: "Renew the lease",
  request: { params: idParams, query: noQuery },
  responses: { 200: jsonAnswer(leaseSchema, "Renewed."), ...failures },
});

const finish = createRoute({
  method: "post",
  path: `${PATH}/finish`,
  tags: TAGS,
  summary: "Say that the agent is done, and wait for the grade",
  request: {
    params: idParams,
    query: noQuery,
    headers: asyncHeaders,
    body: jsonBody(finishBody, false),
  },
  responses: {
    200: jsonAnswer(viewSchema, "Ended; the grade is in its record."),
    202: jsonAnswer(viewSchema, ACCEPTED),
    ...failures,
  },
});

const cancel = createRoute({
  method: "delete",
  path: PATH,
  tags: TAGS,
  summary: "Give a rollout up",
  request: { params: idParams, query: noQuery, headers: asyncHeaders },
  responses: {
    200: jsonAnswer(viewSchema, "Ended, also if it had ended before."),
    202: jsonAnswer(viewSchema, ACCEPTED),
    ...failures,
  },
});

/** From the request of a rollout to its end. */
export function addRollouts(app: ApiApp, parts: ApiParts): void {
  const { service } = parts;
  app.openapi(request, async (c) => {
    const { prefer, "idempotency-key": idempotencyKey } = c.req.valid("header");
    const caller = c.get("caller");
    const request = given({ ...c.req.valid("json"), idempotencyKey });
    const made = await service.request(request, caller);
    const now = await served(c, service, prefer, [made]);
    c.header("location", `/v1/rollouts/${made.id}`);
    return c.json(reachable(c, now[0] ?? made, parts), 201);
  });
  app.openapi(list, async (c) => {
    const { outcome, ...query } = c.req.valid("query");
    const wanted = { ...query, outcome: outcome === "none" ? null : outcome };
    return c.json(await service.list(given(wanted), c.get("caller")), 200);
  });
  app.openapi(view, async (c) => {
    const found = await service.view(c.req.valid("param").id, c.get("caller"));
    const now = await served(c, service, c.req.valid("header").prefer, [found]);
    return c.json(reachable(c, now[0] ?? found, parts), 200);
  });
  app.openapi(heartbeat, async (c) => {
    const until = await service.heartbeat(c.req.valid("param").id, c.get("caller"));
    return c.json({ leaseUntil: until.toISOString() }, 200);
  });
  addEndings(app, parts);
}

/** Both ways to an end wait for the record, unless the caller would rather ask for it later. */
function addEndings(app: ApiApp, parts: ApiParts): void {
  const { service, log } = parts;
  const inBackground = (id: string, ending: Promise<unknown>) => {
    ending.catch((error) => log.error({ rollout: id, error: messageOf(error) }, "no end"));
  };
  app.openapi(finish, async (c) => {
    const { id } = c.req.valid("param");
    const caller = c.get("caller");
    const answer = c.req.valid("json").answer ?? null;
    const { phase } = await service.view(id, caller);
    const ending = service.finish(id, answer, caller);
    // Before it serves the finish is refused, and the caller has to know.
    const isUnderWay = phase !== "requested" && phase !== "seeded";
    if (isUnderWay && preferenceOf(c.req.valid("header").prefer).respondAsync) {
      inBackground(id, ending);
      c.header("preference-applied", "respond-async");
      return c.json(reachable(c, await service.view(id, caller), parts), 202);
    }
    await ending;
    return c.json(reachable(c, await service.view(id, caller), parts), 200);
  });
  app.openapi(cancel, async (c) => {
    const { id } = c.req.valid("param");
    const caller = c.get("caller");
    await service.view(id, caller);
    const ending = service.cancel(id, caller);
    if (preferenceOf(c.req.valid("header").prefer).respondAsync) {
      inBackground(id, ending);
      c.header("preference-applied", "respond-async");
      return c.json(reachable(c, await service.view(id, caller), parts), 202);
    }
    await ending;
    return c.json(reachable(c, await service.view(id, caller), parts), 200);
  });
}
