import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { canonicalJson, type Json } from "../../base/canonical-json.ts";
import { sha256 } from "../../base/hash.ts";
import { mcpFault } from "../faults.ts";
import { offered, type ServerSpec, SHIPPED_SERVERS } from "../server-spec.ts";
import type { Greeting } from "./handshake.ts";
import { toolProblem } from "./tool-problem.ts";

/**
 * What shipped servers said of themselves when their image was built, by name: agents can be told
 * of their tools before they are up.
 */
export type Manifest = Readonly<Record<string, Greeting>>;

/** The label of an image that holds its servers' manifest. */
export const MANIFEST_LABEL = "cloche.servers";

/** Far more than all servers say together; what is larger is no manifest of ours. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Members keep their order: models are shown them as their server wrote them. */
const object = z.record(z.string(), z.unknown());
const greetingSchema = z.object({
  initializeResult: object,
  capabilities: object,
  tools: z.array(object.refine((tool) => toolProblem(tool) === undefined)),
  prompts: z.array(z.string()),
});
const manifestSchema = z.record(z.string(), greetingSchema);

/** The manifest as a label: short, of one line. The same manifest, the same label. */
export function manifestLabel(manifest: Manifest): string {
  return gzipSync(JSON.stringify(manifest), { level: 9 }).toString("base64");
}

/** The manifest that an image's labels hold; empty if there is none that can be read. */
export function manifestOf(labels: Readonly<Record<string, string>>): Manifest {
  const label = labels[MANIFEST_LABEL];
  if (label === undefined) return {};
  try {
    const json = gunzipSync(Buffer.from(label, "base64"), { maxOutputLength: MAX_BYTES });
    return manifestSchema.parse(JSON.parse(json.toString("utf8"))) as unknown as Manifest;
  } catch {
    return {};
  }
}

/** What the manifest says of this server; undefined if it is none of those that ship. */
export function promisedGreeting(spec: ServerSpec, manifest: Manifest): Greeting | undefined {
  if (spec.kind !== "stdio" || !Object.hasOwn(manifest, spec.name)) return undefined;
  const shipped = SHIPPED_SERVERS[spec.name];
  const isShipped = shipped !== undefined && fingerprint(shipped) === fingerprint(spec);
  const greeting = isShipped ? manifest[spec.name] : undefined;
  return greeting && { ...greeting, tools: offered(spec, greeting.tools) };
}

/** @throws Fault `mcp/server-differs`, which says in what */
export function requireAsPromised(name: string, promised: Greeting, said: Greeting): void {
  const differing = (["initializeResult", "tools", "prompts"] as const).filter((part) => {
    return fingerprint(promised[part]) !== fingerprint(said[part]);
  });
  if (differing.length === 0) return;
  const before = new Map(promised.tools.map((tool) => [tool.name, fingerprint(tool)]));
  const tools = said.tools.filter((tool) => before.get(tool.name) !== fingerprint(tool));
  const which = tools.map((tool) => tool.name).slice(0, 5);
  const message =
    `the server "${name}" is not as it was when its image was built: its ` +
    `${differing.join(", ")} differ${which.length === 0 ? "" : ` (${which.join(", ")})`}`;
  throw mcpFault("server-differs", message, { detail: { server: name } });
}

function fingerprint(value: unknown): string {
  return sha256(canonicalJson(value as Json));
}
