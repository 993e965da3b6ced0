/** How one MCP server of a rollout is started. Its name prefixes its tools where names collide. */
export type ServerSpec = StdioServerSpec | TerminalServerSpec;

/** A program in the sandbox that speaks MCP on its standard streams. */
export interface StdioServerSpec {
  /** Letters, digits, "-" and "_", at most 40. */
  readonly name: string;
  readonly kind: "stdio";
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** One of the sandbox's users. Each server has its own, so that no other process can forge it. */
  readonly user: string;
}

/**
 * The terminal: its server runs in this process and holds shells, each an exec in the sandbox
 * under the agent's own user. A server inside could not change user, and one that ran commands
 * under its own could be made to lie.
 */
export interface TerminalServerSpec {
  readonly name: string;
  readonly kind: "terminal";
}

/** The servers that a task gets by name alone. */
export const SHIPPED_SERVERS: Readonly<Record<string, ServerSpec>> = {
  filesystem: {
    name: "filesystem",
    kind: "stdio",
    argv: ["/usr/local/bin/node", "/opt/cloche/servers/filesystem.mjs", "/workspace"],
    env: {},
    user: "filesystem",
  },
  terminal: { name: "terminal", kind: "terminal" },
};
