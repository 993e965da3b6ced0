import { type ServerSpec, SHIPPED_SERVERS } from "../mcp/server-spec.ts";

/** The folders of /state that these servers work on, sorted; none if they keep no state. */
export function stateFoldersOf(servers: readonly ServerSpec[]): readonly string[] {
  const folders = servers.flatMap((one) => (one.kind === "stdio" ? (one.state ?? []) : []));
  return [...new Set(folders)].sort();
}

/** All that any shipped server works on: what a fixture set may hold. */
export const KNOWN_STATE_FOLDERS: readonly string[] = stateFoldersOf(
  Object.values(SHIPPED_SERVERS),
);
