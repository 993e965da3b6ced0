import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { messageOf } from "../base/fault.ts";
import { namedId } from "../base/id.ts";
import type { ApiApp, ApiEnv, ApiParts } from "./api-parts.ts";
import { boundedBody } from "./body.ts";
import { issuesOf } from "./closed-object.ts";
import { addDocument } from "./document.ts";
import { apiFault } from "./faults.ts";
import { problemResponse } from "./problem.ts";
import { addEvents } from "./routes/events.ts";
import { addEvidence } from "./routes/evidence.ts";
import { addGrade } from "./routes/grade.ts";
import { addGroups } from "./routes/groups.ts";
import { addHealth } from "./routes/health.ts";
import { addRollouts } from "./routes/rollouts.ts";
import { addTasks } from "./routes/tasks.ts";
import { addTools } from "./routes/tools.ts";

/** What anybody may see: that the service is there, and what it can be asked. */
const OPEN: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/openapi.json", "/docs"]);

/**
 * The HTTP API over a service, as a handler of requests: `app.fetch`, or `app.request` in tests.
 * Host and Origin are for the server in front of it (`ApiServer`) to check. Every failure is
 * answered with a problem document.
 */
export function createApi(parts: ApiParts): ApiApp {
  const app: ApiApp = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const where = result.target === "json" ? "body" : result.target;
      const issues = issuesOf(result.error);
      throw apiFault("bad-request", `${where}: ${issues.join("; ")}`, { detail: { issues } });
    },
  });
  app.use(traced(parts), admitted(parts), boundedBody);
  addRollouts(app, parts);
  addGroups(app, parts);
  addTools(app, parts);
  addEvents(app, parts);
  addEvidence(app, parts);
  addGrade(app, parts);
  addTasks(app, parts);
  addHealth(app, parts);
  addDocument(app, parts);
  const methods = methodsByPath(app);
  app.notFound((c) => answerProblem(noRoute(c, methods), c, parts));
  app.onError((error, c) => answerProblem(error, c, parts));
  return app;
}

/** Names the request, counts it, and keeps caches away from its answer. */
function traced({ metrics, clock }: ApiParts): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const startedMs = clock.monotonicMs();
    c.set("requestId", namedId("req"));
    await next();
    // Nobody would read the body of this answer, nor end it.
    if (c.req.method === "HEAD") await c.res.body?.cancel();
    c.res.headers.set("x-request-id", c.get("requestId"));
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
    c.res.headers.set("x-content-type-options", "nosniff");
    metrics.onHttp(c.req.method, patternOf(c), c.res.status, clock.monotonicMs() - startedMs);
  };
}

/** Who asks is settled before anything of the body is read. */
function admitted({ keys }: ApiParts): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (!OPEN.has(c.req.path)) c.set("caller", keys.admit(c.req.header("authorization")));
    await next();
  };
}

function answerProblem(error: unknown, c: Context<ApiEnv>, { log }: ApiParts): Response {
  const { method, path } = c.req;
  const asked = { method, path, requestId: c.get("requestId") };
  if (c.req.raw.signal.aborted) {
    log.debug({ ...asked, error: messageOf(error) }, "the client is gone");
    return new Response(null, { status: 499 });
  }
  return problemResponse(asFaultOfHono(error), asked, log);
}

/** What Hono and its validators throw themselves. */
function asFaultOfHono(error: unknown): unknown {
  if (!(error instanceof HTTPException)) return error;
  const { status, message } = error;
  if (status === 415) return apiFault("unsupported-type", "send the body as application/json");
  if (status === 400) return apiFault("bad-request", message, { cause: error });
  return error;
}

type Methods = readonly (readonly [path: RegExp, method: string])[];

function methodsByPath(app: ApiApp): Methods {
  const routes = app.routes.filter(({ method, path }) => method !== "ALL" && !path.includes("*"));
  return routes.map(({ method, path }) => {
    const pattern = path.replace(/:[^/]+/g, "[^/]+").replaceAll(".", "\\.");
    return [new RegExp(`^${pattern}$`), method] as const;
  });
}

function noRoute(c: Context, methods: Methods) {
  const { path, method } = c.req;
  const shown = path.slice(0, 200);
  const allowed = methods.filter(([pattern]) => pattern.test(path)).map(([, name]) => name);
  if (allowed.length === 0) return apiFault("no-route", `there is nothing at ${shown}; see /docs`);
  const allow = [...new Set(allowed)].join(", ");
  const message = `${shown} does not take ${method.slice(0, 20)}, but ${allow}`;
  return apiFault("wrong-method", message, { detail: { allow } });
}

/** The pattern of the route that answered, as "/v1/rollouts/:id": a label with few values. */
function patternOf(c: Context): string {
  const patterns = c.req.matchedRoutes.map(({ path }) => path);
  return patterns.findLast((path) => !path.includes("*")) ?? "none";
}
