import { type FaultKind, faultMaker } from "../base/fault.ts";

export const MCP_FAULTS = {
  "server-start-failed": {
    blame: "task",
    means: "An MCP server of the task ended, or could not be started, before it answered.",
    remedy:
      "Run the command of the message in the image of the sandbox and read what it writes to stderr.",
  },
  "server-not-speaking-mcp": {
    blame: "task",
    means: "A program named as an MCP server did not complete the MCP handshake.",
    remedy:
      "Check that the command starts a stdio server that prints nothing but JSON-RPC to stdout.",
  },
  "server-differs": {
    blame: "engine",
    means:
      "A shipped server says other things of itself than it did when its image was built, so the agent was told of tools that are not there.",
    remedy: "Build the images anew: ./cloche.mjs images prune, then npm run setup.",
  },
  "tools-refused": {
    blame: "task",
    means:
      "A server lists tools that cannot be shown to an agent: bad or doubled names, too many, or not as MCP has them.",
    remedy: "Correct the tools of the server that the message names.",
  },
  "tool-name-collision": {
    blame: "task",
    means:
      "Two servers offer the same tool and their names cannot be told apart by a prefix either.",
    remedy:
      "Name the servers differently, or shorter: `<server>__<tool>` has to be unique within 64.",
  },
  "record-failed": {
    blame: "store",
    means: "A frame or a step could not be written to disk, so its reply was withheld.",
    remedy: "Make room, or correct the rights, in the folder that the message names.",
  },
  "record-broken": {
    blame: "store",
    means:
      "The record that an earlier process left of a rollout is not whole, so nobody can go on.",
    remedy: "End the rollout without a grade; somebody or something has changed its files.",
  },
  "listener-failed": {
    blame: "caller",
    means: "The address for the rollouts' MCP endpoints cannot be listened on.",
    remedy: "Choose another port, or 0 for any free one.",
  },
  "endpoint-unreachable": {
    blame: "engine",
    means: "A client of ours could not open a session at a rollout's MCP endpoint.",
    remedy: "Look at the fault's cause; the rollout may have ended in the meantime.",
  },
} as const satisfies Record<string, FaultKind>;

export const mcpFault = faultMaker("mcp", MCP_FAULTS);
