import type { RewardKind } from "../grading/grade.ts";
import type { Budget } from "../mcp/record/step.ts";
import { badRequest } from "../rollout/faults.ts";
import { LEAST_LIMITS, type Task, type TaskLimits } from "../task/task.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import type { ReadyTask } from "./ready-tasks.ts";

/** What a caller would have otherwise than the task: the reward, and lower bounds. */
export interface Lowered {
  readonly reward?: RewardKind;
  readonly budget?: Partial<Budget>;
  readonly limits?: Partial<TaskLimits>;
}

const LEAST_BUDGET: Required<Budget> = {
  calls: 1,
  wallMs: 1,
  callMs: 1,
  resultBytes: 1,
  concurrentCalls: 1,
};
const PAGE = 4096;

/**
 * The task with its reward as asked and its budget and limits lowered as asked.
 * @throws Fault `rollout/bad-request` for one that is higher than the task's, or too low to work in
 */
export function loweredTask({ task, prepared }: ReadyTask, asked: Lowered): Task {
  const budget = lowered<Budget>("budget", task.budget, LEAST_BUDGET, asked.budget);
  const limits = lowered("limits", task.limits, LEAST_LIMITS, asked.limits);
  if (asked.limits !== undefined) requireRoom(limits, prepared.fixture);
  return { ...task, budget, limits, reward: asked.reward ?? task.reward };
}

type Bounds<T> = { readonly [Name in keyof T]: number };

function lowered<T extends Bounds<T>>(
  what: "budget" | "limits",
  own: T,
  least: T,
  asked: Partial<T> = {},
): T {
  const [most, fewest] = [own, least].map((bounds) => new Map(Object.entries<number>(bounds)));
  for (const [name, value] of Object.entries(asked as Record<string, number>)) {
    const top = most?.get(name);
    const bottom = Math.min(fewest?.get(name) ?? 1, top ?? 1);
    const known = Object.keys(own).join(", ");
    if (top === undefined) throw badRequest(`${what}.${name}`, `is no bound; there are ${known}`);
    if (!(value >= bottom && value <= top))
      throw badRequest(
        `${what}.${name}`,
        `must be ${bottom} to ${top}, the task's own, not ${value}`,
      );
  }
  return { ...own, ...asked };
}

/** The workspace lies in the sandbox's memory, and the fixture in the workspace, in whole pages. */
function requireRoom(limits: TaskLimits, { entries }: Snapshot): void {
  const { memoryBytes, workspaceBytes, workspaceFiles } = limits;
  if (workspaceBytes > memoryBytes) {
    const held = "which holds the workspace too: lower limits.workspaceBytes as well";
    throw badRequest("limits.memoryBytes", `is below workspaceBytes (${workspaceBytes}), ${held}`);
  }
  const bytes = entries.reduce(
    (sum, entry) => sum + (entry.type === "file" ? Math.ceil(entry.size / PAGE) * PAGE : PAGE),
    0,
  );
  if (bytes > workspaceBytes)
    throw badRequest(
      "limits.workspaceBytes",
      `must be at least ${bytes}: the fixture takes as much`,
    );
  const files = entries.length + 1;
  if (files > workspaceFiles)
    throw badRequest(
      "limits.workspaceFiles",
      `must be at least ${files}: the fixture takes as many`,
    );
}
