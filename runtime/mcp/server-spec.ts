import { SANDBOX_IMAGES, type SandboxImage } from "../image/sandbox-image.ts";

/** How one MCP server of a rollout is started. Its name prefixes its tools where names collide. */
export type ServerSpec = StdioServerSpec | TerminalServerSpec;

/** A program in the sandbox that speaks MCP on its standard streams. */
export interface StdioServerSpec {
  /** Letters, digits, "-" and "_", at most 40. */
  readonly name: string;
  readonly kind: "stdio";
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /**
   * One of the sandbox's users. Servers of a task have one each, so that no other process can forge
   * them; those of ours that keep state share one, which the state belongs to.
   */
  readonly user: string;
  /** The directory that it is started in. Default "/". */
  readonly cwd?: string;
  /**
   * Servers that say the same here are one program, started as `argv` says, then `--many` and their
   * names. They have the same `argv`, `env`, `user` and `cwd`.
   */
  readonly process?: string;
  /**
   * The folders that it makes, changes and removes files below. Default: those that any user may,
   * which are the workspace, its home, /tmp and /dev/shm. It is held to it where the engine can.
   */
  readonly writes?: readonly string[];
  /** Folders of /state that it works on; its own is not there unless it is named. */
  readonly state?: readonly string[];
  /**
   * It is reached by other ways than MCP too, so it is up before anybody is in the sandbox: else the
   * agent's programs could take its port. Default: it may sleep until it is asked for something.
   */
  readonly listens?: boolean;
  /**
   * Tools that it has and nobody is offered: they would let an agent's code run as the server, which
   * could then be made to lie about what it did.
   */
  readonly withheld?: readonly string[];
  /** The smallest image that has it. Default "office". */
  readonly image?: SandboxImage;
}

/**
 * The terminal: its server runs in this process and holds shells, each an exec in the sandbox
 * under the agent's own user. A server inside could not change user, and one that ran commands
 * under its own could be made to lie.
 */
export interface TerminalServerSpec {
  readonly name: string;
  readonly kind: "terminal";
  /** Added to the environment of every shell. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A small young generation: some 15 MB less at rest for `office`, and no slower to start. */
const NODE = ["/usr/local/bin/node", "--max-semi-space-size=1"];
const SERVERS = "/opt/cloche/servers";

/** The servers that a task gets by name alone. */
export const SHIPPED_SERVERS: Readonly<Record<string, ServerSpec>> = {
  filesystem: office("filesystem", { writes: ["/workspace"] }),
  terminal: { name: "terminal", kind: "terminal" },
  spreadsheet: office("spreadsheet", { writes: ["/workspace"] }),
  documents: office("documents", { writes: ["/workspace"] }),
  calendar: office("calendar", { state: ["people", "calendar", "mail"], writes: ["/state"] }),
  mail: office("mail", { state: ["people", "mail"], writes: ["/state", "/workspace"] }),
  search: office("search", { state: ["search"], writes: ["/state"] }),
  web: { ...office("web", { state: ["web"], writes: ["/state"] }), listens: true },
  memory: office("memory", { state: ["memory"], writes: ["/state"] }),
  browser: {
    name: "browser",
    kind: "stdio",
    argv: [...NODE, `${SERVERS}/browser.mjs`, `--config=${SERVERS}/browser.json`],
    env: {},
    user: "browser",
    cwd: "/workspace",
    withheld: ["browser_run_code_unsafe"],
    image: "office-browser",
  },
};

/** The smallest image that has all of these servers. */
export function imageOf(servers: readonly ServerSpec[]): SandboxImage {
  const wanted = servers.map((server) => (server.kind === "stdio" && server.image) || "office");
  return SANDBOX_IMAGES.findLast((image) => wanted.includes(image)) ?? "office";
}

/** All that a program writes below, which is one server or several that share it. */
export function writtenBy(specs: readonly StdioServerSpec[]): readonly string[] {
  const each = specs.map(
    ({ user, writes }) => writes ?? ["/workspace", `/home/${user}`, "/tmp", "/dev/shm"],
  );
  return [...new Set(each.flat())];
}

/** What of a server's tools is offered. */
export function offered<Tool extends { readonly name: string }>(
  spec: ServerSpec,
  tools: readonly Tool[],
): readonly Tool[] {
  const withheld = spec.kind === "stdio" ? (spec.withheld ?? []) : [];
  return tools.filter(({ name }) => !withheld.includes(name));
}

/** One of the servers that share the program `office`. */
function office(name: string, works: Pick<StdioServerSpec, "state" | "writes">): StdioServerSpec {
  const argv = [...NODE, `${SERVERS}/office.mjs`];
  return { name, kind: "stdio", argv, env: {}, user: "state", process: "office", ...works };
}
