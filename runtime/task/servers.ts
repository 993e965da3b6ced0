import { didYouMean } from "../base/nearest.ts";
import { type ServerSpec, SHIPPED_SERVERS } from "../mcp/server-spec.ts";
import { STATE_USER } from "../workspace/state-folder.ts";
import { taskFault } from "./faults.ts";

/** One table of [[environment.mcp_servers]]. */
export interface ServerTable {
  readonly name: string;
  readonly transport?: "stdio" | undefined;
  readonly command?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Users of a sandbox that no server may be. */
const TAKEN = ["agent", "init", "root", "grader", "policy", "author", STATE_USER];

/**
 * Shipped servers by their name alone, others by command. A server of the task's own runs in the
 * sandbox as a user of its own name. Throws `task/unknown-server` or `task/bad-value`.
 */
export function readServers(tables: readonly ServerTable[], file: string): readonly ServerSpec[] {
  const servers = tables.map((table) => readServer(table, file));
  const names = servers.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw taskFault("bad-value", `${file}: two [[environment.mcp_servers]] are named "${twice}"`);
  }
  return servers;
}

function readServer(table: ServerTable, file: string): ServerSpec {
  const { name, command, args, env } = table;
  const shipped = Object.hasOwn(SHIPPED_SERVERS, name) ? SHIPPED_SERVERS[name] : undefined;
  if (shipped !== undefined) return onlyNamed(shipped, table, file);
  if (command === undefined) {
    const near = didYouMean(name, Object.keys(SHIPPED_SERVERS));
    const known = Object.keys(SHIPPED_SERVERS).join(", ");
    throw taskFault(
      "unknown-server",
      `${file}: Cloche ships no MCP server "${name}" (it ships ${known})` +
        `${near || '; for one of your own give transport = "stdio", command and args'}`,
    );
  }
  if (TAKEN.includes(name)) {
    const message = `${file}: no MCP server may be named "${name}": a user inside has that name`;
    throw taskFault("bad-value", message);
  }
  return { name, kind: "stdio", argv: [command, ...(args ?? [])], env: env ?? {}, user: name };
}

/** A command beside a shipped name would be left unused without a word. */
function onlyNamed(shipped: ServerSpec, table: ServerTable, file: string): ServerSpec {
  const { name, ...rest } = table;
  const given = Object.keys(rest).find((key) => rest[key as keyof typeof rest] !== undefined);
  if (given === undefined) return shipped;
  throw taskFault(
    "bad-value",
    `${file}: "${name}" is shipped and takes no "${given}": give the name alone, or another name`,
  );
}
