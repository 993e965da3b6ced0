import type { ServerFacts } from "./tool.ts";
import type { WorkspaceFiles } from "./workspace-files.ts";

/**
 * What a surface works on. It must not be touched before the first call: a sandbox is seeded after
 * its servers are up. The time is `new Date()`: the process runs on the sandbox's clock.
 */
export interface World {
  readonly workspace: WorkspaceFiles;
  /** The folder where service `name` keeps its state, out of reach of the agent's shell; it exists. */
  stateOf(name: string): Promise<string>;
}

/** One MCP server among those that share the process. */
export type Surface = (world: World) => ServerFacts;
