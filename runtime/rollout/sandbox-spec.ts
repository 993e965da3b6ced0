import type { BoxLimits, SandboxLabels, SandboxSpec, VolumeSpec } from "../engine/engine.ts";
import type { ExecutionPlace } from "../grading/execution.ts";
import type { ServerSpec } from "../mcp/server-spec.ts";
import type { RolloutLimits } from "../store/record.ts";
import { STATE_PATH, STATE_USER } from "../workspace/state-folder.ts";
import { FORWARDER_USER, OUTLET_USER } from "./egress/egress.ts";
import type { RolloutParts } from "./parts.ts";
import type { SandboxNeed } from "./sandbox-source.ts";

const MB = 1024 * 1024;

const OUTLET_LIMITS: BoxLimits = {
  memoryBytes: 256 * MB,
  processes: 48,
  cpus: 1,
  tmpBytes: 8 * MB,
  fileBytes: MB,
  openFiles: 1024,
};

/** Where the grader works. The volume holds the capture and all it is compared with. */
export const GRADER_FOLDER = "/grade";
export const GRADER_USER = "grader";

/** The sandbox of one rollout: the agent's box, and the grader's as its keeper. */
export function sandboxSpec(id: string, need: SandboxNeed, labels: SandboxLabels): SandboxSpec {
  const { images, servers, hostNames, hasEgress = false } = need;
  const { workspaceBytes, workspaceFiles, stateBytes, stateFiles, ...limits } = need.limits;
  const state = stateVolume(need.limits);
  const users = new Set(["agent", ...serverUsers(servers), ...(state ? [state.owner] : [])]);
  if (hasEgress) users.add(FORWARDER_USER);
  return {
    id,
    labels,
    image: images.sandbox,
    users: [...users],
    workspace: { path: "/workspace", owner: "agent", bytes: workspaceBytes, files: workspaceFiles },
    ...(state ? { state } : {}),
    hostNames,
    limits,
    keeper: {
      image: images.grader,
      users: [GRADER_USER],
      scratch: graderVolume(need.limits),
      limits: graderLimits(need.limits),
    },
    ...(hasEgress
      ? { outlet: { image: images.sandbox, users: [OUTLET_USER], limits: OUTLET_LIMITS } }
      : {}),
  };
}

/** A box that grades and nothing else: where the rollout's own sandbox is no more. */
export function graderSpec(
  id: string,
  image: string,
  limits: RolloutLimits,
  labels: SandboxLabels,
): SandboxSpec {
  const workspace = graderVolume(limits);
  return { id, labels, image, users: [GRADER_USER], workspace, limits: graderLimits(limits) };
}

/** Where a grader has the agent's programs run: with what the agent had, but for its services. */
export function executionPlace(
  limits: RolloutLimits,
  now: Date,
  { engine, data, process, clock }: Pick<RolloutParts, "engine" | "data" | "process" | "clock">,
  image: () => Promise<string>,
): ExecutionPlace {
  const { workspaceBytes: bytes, workspaceFiles: files, stateBytes, stateFiles, ...box } = limits;
  const labels = { owner: data.owner, process };
  return { engine, image, labels, limits: box, workspace: { bytes, files }, clock, now };
}

/** Whether the services of such a sandbox keep state. */
export function hasState({ stateBytes }: RolloutLimits): boolean {
  return stateBytes !== undefined;
}

function stateVolume(limits: RolloutLimits): VolumeSpec | undefined {
  const { stateBytes = 0, stateFiles = 0 } = limits;
  if (!hasState(limits)) return undefined;
  return { path: STATE_PATH, owner: STATE_USER, bytes: stateBytes, files: stateFiles };
}

/** Room for workspace and state before and after, the steps, and the grader's own files. */
function graderVolume(limits: RolloutLimits): VolumeSpec {
  const { workspaceFiles, stateFiles = 0 } = limits;
  return {
    path: GRADER_FOLDER,
    owner: GRADER_USER,
    bytes: 2 * capturedBytes(limits) + 256 * MB,
    files: 2 * (workspaceFiles + stateFiles) + 1000,
  };
}

function capturedBytes({ workspaceBytes, stateBytes = 0 }: RolloutLimits): number {
  return workspaceBytes + stateBytes;
}

/**
 * tmpfs is charged as memory, so the volume's size comes on top of what Python needs. The grader's
 * program writes the captured files itself, the largest that a workspace can hold included.
 */
function graderLimits(limits: RolloutLimits): BoxLimits {
  return {
    memoryBytes: 2 * capturedBytes(limits) + 1024 * MB,
    processes: 64,
    cpus: 1,
    tmpBytes: 64 * MB,
    fileBytes: Math.max(1024 * MB, capturedBytes(limits)),
    openFiles: 256,
  };
}

function serverUsers(servers: readonly ServerSpec[]): string[] {
  return servers.flatMap((server) => (server.kind === "stdio" ? [server.user] : []));
}
