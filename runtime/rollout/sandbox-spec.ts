import type { BoxLimits, SandboxSpec } from "../engine/engine.ts";
import type { RolloutParts, RolloutSpec } from "./parts.ts";

const MB = 1024 * 1024;

/** Where the grader works, and what it may use. The volume holds the capture and all it is compared with. */
export const GRADER_FOLDER = "/grade";
export const GRADER_USER = "grader";

/** Past this the reaper may take a sandbox whatever its process says: budget, grading and slack. */
const SLACK_MS = 15 * 60_000;

/** The sandbox of one rollout: the agent's box, and the grader's as its keeper. */
export function sandboxSpec(spec: RolloutSpec, parts: RolloutParts): SandboxSpec {
  const { task } = spec;
  const expires =
    parts.clock.now().getTime() + task.budget.wallMs + task.graderTimeoutMs + SLACK_MS;
  const { workspaceBytes, workspaceFiles, ...limits } = task.limits;
  return {
    id: spec.id,
    labels: {
      owner: parts.data.owner,
      rollout: spec.id,
      process: parts.process,
      expires: new Date(expires),
    },
    image: parts.images.sandbox,
    users: ["agent", ...serverUsers(spec)],
    workspace: { path: "/workspace", owner: "agent", bytes: workspaceBytes, files: workspaceFiles },
    limits,
    keeper: {
      image: parts.images.grader,
      users: [GRADER_USER],
      scratch: graderVolume(workspaceBytes, workspaceFiles),
      limits: graderLimits(workspaceBytes),
    },
  };
}

/** Room for the workspace before and after, the steps, and the grader's own files. */
export function graderVolume(
  workspaceBytes: number,
  workspaceFiles: number,
): SandboxSpec["workspace"] {
  return {
    path: GRADER_FOLDER,
    owner: GRADER_USER,
    bytes: 2 * workspaceBytes + 256 * MB,
    files: 2 * workspaceFiles + 1000,
  };
}

/** tmpfs is charged as memory, so the volume's size comes on top of what Python needs. */
export function graderLimits(workspaceBytes: number): BoxLimits {
  return {
    memoryBytes: 2 * workspaceBytes + 1024 * MB,
    processes: 64,
    cpus: 1,
    tmpBytes: 64 * MB,
    fileBytes: 1024 * MB,
    openFiles: 256,
  };
}

function serverUsers({ task }: RolloutSpec): string[] {
  return task.servers.flatMap((server) => (server.kind === "stdio" ? [server.user] : []));
}
