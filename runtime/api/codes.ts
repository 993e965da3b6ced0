import type { FaultKind } from "../base/fault.ts";
import { ENGINE_FAULTS } from "../engine/faults.ts";
import { GRADING_FAULTS } from "../grading/faults.ts";
import { MCP_FAULTS } from "../mcp/faults.ts";
import { ROLLOUT_FAULTS } from "../rollout/faults.ts";
import { STORE_FAULTS } from "../store/faults.ts";
import { TASK_FAULTS } from "../task/faults.ts";
import { WORKSPACE_FAULTS } from "../workspace/faults.ts";
import { API_FAULTS } from "./faults.ts";

const ROOMS: Readonly<Record<string, Readonly<Record<string, FaultKind>>>> = {
  api: API_FAULTS,
  engine: ENGINE_FAULTS,
  grading: GRADING_FAULTS,
  mcp: MCP_FAULTS,
  rollout: ROLLOUT_FAULTS,
  store: STORE_FAULTS,
  task: TASK_FAULTS,
  workspace: WORKSPACE_FAULTS,
};

/** Every code that a problem document or a record can hold, sorted, with what it means. */
export const CODES: ReadonlyMap<string, FaultKind> = new Map(
  Object.entries(ROOMS).flatMap(([room, kinds]) =>
    Object.entries(kinds).map(([kind, entry]) => [`${room}/${kind}`, entry] as const),
  ),
);
