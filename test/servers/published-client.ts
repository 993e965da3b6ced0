import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

/** A client of a published server, run from its package; closed at the end of the scope. */
export async function publishedClient(
  name: "server-filesystem" | "server-memory",
  { args = [], env = {} }: { readonly args?: string[]; readonly env?: Record<string, string> },
): Promise<Client & AsyncDisposable> {
  const main = `../../node_modules/@modelcontextprotocol/${name}/dist/index.js`;
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [fileURLToPath(new URL(main, import.meta.url)), ...args],
    env: { PATH: process.env["PATH"] ?? "", TZ: "UTC", ...env },
    stderr: "ignore",
  });
  const client = new Client({ name: "published-test", version: "1.0.0" });
  await client.connect(transport);
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

interface Told {
  readonly inputSchema: object;
  readonly annotations?: object | undefined;
}

/** What a model and its client go by, in one form however much of it is left unsaid. */
export function gist({ inputSchema, annotations = {} }: Told): object {
  return { input: schemaGist(inputSchema), annotations: withDefaults(annotations) };
}

const SAID_ANYWAY = ["$schema", "additionalProperties"];

function schemaGist(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(schemaGist);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key, held]) => {
    return !SAID_ANYWAY.includes(key) && !(key === "required" && held.length === 0);
  });
  return Object.fromEntries(kept.map(([key, held]) => [key, schemaGist(held)]).sort());
}

/** As the protocol has them for who says nothing; of what only reads the others mean nothing. */
function withDefaults(annotations: { readOnlyHint?: boolean; title?: string }): object {
  const { title: _, ...rest } = annotations;
  const all = { destructiveHint: true, idempotentHint: false, openWorldHint: true, ...rest };
  return all.readOnlyHint ? { readOnlyHint: true, openWorldHint: all.openWorldHint } : all;
}
