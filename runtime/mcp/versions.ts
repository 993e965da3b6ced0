/**
 * The two ways to speak MCP. Legacy (until 2025-11-25): a session that `initialize` opens, and
 * servers that send requests. Modern (from 2026-07-28): every request stands for itself.
 */
export type Era = "legacy" | "modern";

export const MODERN_VERSION = "2026-07-28";

/** Versions with sessions whose messages are the same to a proxy; newest first. */
export const LEGACY_VERSIONS: readonly string[] = ["2025-11-25", "2025-06-18", "2025-03-26"];

/** What a session speaks if its client asks for `asked`. */
export function spokenVersion(asked: unknown): string {
  const known = typeof asked === "string" && LEGACY_VERSIONS.includes(asked);
  return known ? asked : (LEGACY_VERSIONS[0] ?? "");
}

/** The `_meta` members by which a modern message says what a session would know. */
export const META = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  logLevel: "io.modelcontextprotocol/logLevel",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
} as const;
