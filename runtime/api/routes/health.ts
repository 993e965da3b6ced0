import { createRoute, z } from "@hono/zod-openapi";
import { failures, jsonAnswer } from "../answer.ts";
import type { ApiApp, ApiParts } from "../api-parts.ts";
import { apiFault } from "../faults.ts";
import { healthSchema, readySchema } from "../schemas.ts";

const TAGS = ["service"];

const health = createRoute({
  method: "get",
  path: "/healthz",
  tags: TAGS,
  summary: "Whether the process answers",
  security: [],
  responses: { 200: jsonAnswer(healthSchema, "It does."), ...failures },
});

const ready = createRoute({
  method: "get",
  path: "/readyz",
  tags: TAGS,
  summary: "Whether rollouts can begin",
  description:
    "Writes to the disk of the data folder, at most each second; makes a sandbox, runs a program in " +
    "it and removes it, at most each 30 s.",
  security: [],
  responses: { 200: jsonAnswer(readySchema, "They can."), ...failures },
});

const metrics = createRoute({
  method: "get",
  path: "/metrics",
  tags: TAGS,
  summary: "Numbers for Prometheus",
  responses: {
    200: {
      description: "Prometheus' text format.",
      content: { "text/plain": { schema: z.string() } },
    },
    ...failures,
  },
});

/** For whoever watches over the service. */
export function addHealth(app: ApiApp, parts: ApiParts): void {
  app.openapi(health, (c) => c.json({ status: "ok" as const, phase: parts.state() }, 200));
  app.openapi(ready, async (c) => {
    const state = parts.state();
    if (state !== "serving") throw apiFault("not-ready", `the service is ${state}`);
    return c.json({ status: "ready" as const, canary: await parts.canary.check() }, 200);
  });
  app.openapi(metrics, async (c) => {
    const answer = c.text(await parts.metrics.text(), 200);
    answer.headers.set("content-type", parts.metrics.contentType);
    return answer;
  });
}
