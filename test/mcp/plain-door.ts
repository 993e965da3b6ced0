import type { ApiParts } from "../../runtime/api/api-parts.ts";
import { createApi } from "../../runtime/api/app.ts";
import { Keys } from "../../runtime/api/keys.ts";
import { ServiceMetrics } from "../../runtime/api/metrics.ts";
import { systemClock } from "../../runtime/base/clock.ts";
import { silentLog } from "../../runtime/base/log.ts";
import type { McpProxy } from "../../runtime/mcp/proxy/proxy.ts";
import type { ToolCall } from "../../runtime/service/service.ts";

/** The plain HTTP door of one rollout, whose proxy this is; there is no service around it. */
export function doorOf(proxy: McpProxy) {
  const service = {
    tools: async () => proxy.surface.tools,
    call: (_id: string, calls: readonly ToolCall[]) => {
      return Promise.all(
        calls.map(({ name, arguments: args, ...known }) => proxy.callTool(name, args, known)),
      );
    },
  };
  const keys = new Keys([], systemClock);
  const metrics = new ServiceMetrics();
  const parts = { service, keys, metrics, clock: systemClock, log: silentLog, version: "0" };
  const app = createApi(parts as unknown as ApiParts);
  const post = async (path: string, body: string) => {
    const headers = { "content-type": "application/json" };
    const response = await app.request(`/v1/rollouts/r1/tools${path}`, {
      method: "POST",
      headers,
      body,
    });
    return { status: response.status, text: await response.text() };
  };
  return {
    call: (name: string, body: string) => post(`/${name}`, body),
    callAll: (body: string) => post("", body),
    list: async (format: string) => {
      const response = await app.request(`/v1/rollouts/r1/tools?format=${format}`);
      return await response.text();
    },
  };
}
