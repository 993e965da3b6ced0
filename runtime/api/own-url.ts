import type { Context } from "hono";
import type { RolloutView } from "../service/service.ts";
import type { ApiEnv } from "./api-parts.ts";

/**
 * A rollout with its URL as this caller can reach it: under the name that it called us by, which the
 * server in front has checked, unless the operator has said how we are reached.
 */
export function reachable(
  c: Context<ApiEnv>,
  view: RolloutView,
  { publicUrl }: { readonly publicUrl?: string },
): RolloutView {
  const host = c.req.header("host");
  if (view.mcp === null || publicUrl !== undefined || host === undefined) return view;
  // A proxy that speaks TLS says so; whoever lies here misleads nobody else.
  const scheme = c.req.header("x-forwarded-proto") === "https" ? "https" : "http";
  const url = `${scheme}://${host}${new URL(view.mcp.url).pathname}`;
  return { ...view, mcp: { ...view.mcp, url } };
}
