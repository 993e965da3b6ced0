import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { GroupView, RolloutView } from "../../service/service.ts";
import { failures, jsonAnswer, jsonBody } from "../answer.ts";
import type { ApiApp, ApiEnv, ApiParts } from "../api-parts.ts";
import { reachable } from "../own-url.ts";
import { served } from "../prefer.ts";
import {
  given,
  groupRequest,
  idParams,
  noQuery,
  requestHeaders,
  waitHeaders,
} from "../requests.ts";
import { groupSchema } from "../schemas.ts";

const TAGS = ["groups"];

const request = createRoute({
  method: "post",
  path: "/v1/groups",
  tags: TAGS,
  summary: "Ask for n rollouts of one variant",
  request: { query: noQuery, headers: requestHeaders, body: jsonBody(groupRequest, true) },
  responses: { 201: jsonAnswer(groupSchema, "Accepted, all of them."), ...failures },
});

const view = createRoute({
  method: "get",
  path: "/v1/groups/{id}",
  tags: TAGS,
  summary: "See a group",
  request: { params: idParams, query: noQuery, headers: waitHeaders },
  responses: { 200: jsonAnswer(groupSchema, "As it is now."), ...failures },
});

/** Rollouts that are asked for and reported together. */
export function addGroups(app: ApiApp, parts: ApiParts): void {
  const { service } = parts;
  const seen = async (c: Context<ApiEnv>, id: string): Promise<GroupView> => {
    const group = await service.groupView(id, c.get("caller"));
    const reached = (view: RolloutView) => reachable(c, view, parts);
    return { ...group, members: group.members.map(reached), lost: group.lost.map(reached) };
  };
  app.openapi(request, async (c) => {
    const { prefer, "idempotency-key": idempotencyKey } = c.req.valid("header");
    const request = given({ ...c.req.valid("json"), idempotencyKey });
    const made = await service.requestGroup(request, c.get("caller"));
    await served(c, service, prefer, made.members);
    c.header("location", `/v1/groups/${made.id}`);
    return c.json(await seen(c, made.id), 201);
  });
  app.openapi(view, async (c) => {
    const { id } = c.req.valid("param");
    const found = await service.groupView(id, c.get("caller"));
    await served(c, service, c.req.valid("header").prefer, found.members);
    return c.json(await seen(c, id), 200);
  });
}
