import { type ServerSpec, SHIPPED_SERVERS } from "../../mcp/server-spec.ts";
import type { Task } from "../../task/task.ts";

/** Of loopback in the sandbox; what proxies are usually found at. */
export const EGRESS_PORT = 3128;

/**
 * The task's servers; if it may reach hosts outside, those that work for the agent are told of the
 * way: the terminal and the task's own by the environment, the browser by its options. `hostNames`
 * lead to the sandbox itself and need no way.
 */
export function serversOf(
  { servers, egress }: Pick<Task, "servers" | "egress">,
  hostNames: readonly string[],
): readonly ServerSpec[] {
  if (egress.length === 0) return servers;
  const proxy = `http://127.0.0.1:${EGRESS_PORT}`;
  const direct = ["localhost", "127.0.0.1", ...hostNames].join(",");
  const env = environment(proxy, direct);
  return servers.map((server): ServerSpec => {
    if (server.kind === "terminal") return { ...server, env };
    if (server.name === "browser") {
      const asked = egress.map((host) => host.replace(/:\d+$/, ""));
      const unasked = CHROMIUMS_OWN.filter((host) => !asked.includes(host));
      const bypass = [direct, ...unasked].join(",");
      const argv = [...server.argv, `--proxy-server=${proxy}`, `--proxy-bypass=${bypass}`];
      return { ...server, argv };
    }
    if (Object.hasOwn(SHIPPED_SERVERS, server.name)) return server;
    return { ...server, env: { ...env, ...server.env } };
  });
}

/**
 * What Chromium asks of its own accord, whatever flags and policies say. Around the proxy there is no
 * network: these requests come to nothing, and are not on record as if the agent had made them.
 */
const CHROMIUMS_OWN = [
  ...[
    "accounts.google.com",
    "android.clients.google.com",
    "clients2.google.com",
    "mtalk.google.com",
  ],
  ...["optimizationguide-pa", "content-autofill", "safebrowsing", "update"].map(
    (name) => `${name}.googleapis.com`,
  ),
  "redirector.gvt1.com",
];

/** Programs agree on the names, not on their case. */
function environment(proxy: string, direct: string): Readonly<Record<string, string>> {
  return {
    http_proxy: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    no_proxy: direct,
    NO_PROXY: direct,
    // Node looks at the others only if it is told to.
    NODE_USE_ENV_PROXY: "1",
  };
}
