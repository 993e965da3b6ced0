import type { BoxLimits, SandboxLabels, SandboxSpec } from "../engine/engine.ts";
import type { ServerSpec } from "../mcp/server-spec.ts";
import type { RolloutRecord } from "../store/record.ts";
import type { SandboxNeed } from "./sandbox-source.ts";

const MB = 1024 * 1024;

/** Where the grader works. The volume holds the capture and all it is compared with. */
export const GRADER_FOLDER = "/grade";
export const GRADER_USER = "grader";

/** The sandbox of one rollout: the agent's box, and the grader's as its keeper. */
export function sandboxSpec(id: string, need: SandboxNeed, labels: SandboxLabels): SandboxSpec {
  const { images, servers } = need;
  const { workspaceBytes, workspaceFiles, ...limits } = need.limits;
  return {
    id,
    labels,
    image: images.sandbox,
    users: ["agent", ...serverUsers(servers)],
    workspace: { path: "/workspace", owner: "agent", bytes: workspaceBytes, files: workspaceFiles },
    limits,
    keeper: {
      image: images.grader,
      users: [GRADER_USER],
      scratch: graderVolume(need.limits),
      limits: graderLimits(need.limits),
    },
  };
}

/** A box that grades and nothing else: where the rollout's own sandbox is no more. */
export function graderSpec(
  id: string,
  image: string,
  limits: WorkspaceLimits,
  labels: SandboxLabels,
): SandboxSpec {
  const workspace = graderVolume(limits);
  return { id, labels, image, users: [GRADER_USER], workspace, limits: graderLimits(limits) };
}

type WorkspaceLimits = Pick<RolloutRecord["limits"], "workspaceBytes" | "workspaceFiles">;

/** Room for the workspace before and after, the steps, and the grader's own files. */
function graderVolume({
  workspaceBytes,
  workspaceFiles,
}: WorkspaceLimits): SandboxSpec["workspace"] {
  return {
    path: GRADER_FOLDER,
    owner: GRADER_USER,
    bytes: 2 * workspaceBytes + 256 * MB,
    files: 2 * workspaceFiles + 1000,
  };
}

/**
 * tmpfs is charged as memory, so the volume's size comes on top of what Python needs. The grader's
 * program writes the captured files itself, the largest that a workspace can hold included.
 */
function graderLimits({ workspaceBytes }: WorkspaceLimits): BoxLimits {
  return {
    memoryBytes: 2 * workspaceBytes + 1024 * MB,
    processes: 64,
    cpus: 1,
    tmpBytes: 64 * MB,
    fileBytes: Math.max(1024 * MB, workspaceBytes),
    openFiles: 256,
  };
}

function serverUsers(servers: readonly ServerSpec[]): string[] {
  return servers.flatMap((server) => (server.kind === "stdio" ? [server.user] : []));
}
