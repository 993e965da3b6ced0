import { Fault } from "../../base/fault.ts";
import type { CheckedFolder } from "../../task/check-task.ts";
import type { Task } from "../../task/task.ts";
import type { CommonOptions, Context } from "../context.ts";
import { openParts, type Parts } from "../parts.ts";
import { isOwn, ownGreetings } from "./own-greetings.ts";

/** A folder that was checked, and the task in it if nothing was found and it is one. */
export interface CheckedPlace {
  readonly folder: CheckedFolder;
  readonly task?: Task;
}

/**
 * Adds what a rollout would be refused for when it starts its servers. Those that ship with Cloche
 * are held to it when their image is built, so tasks with servers of their own are looked at alone,
 * one after the other. What is not the task's doing, such as that no engine is there, is a note.
 */
export async function withServers(
  context: Context,
  options: CommonOptions,
  places: readonly CheckedPlace[],
): Promise<readonly CheckedFolder[]> {
  const checked: CheckedFolder[] = [];
  await using stack = new AsyncDisposableStack();
  let opening: Promise<Parts> | undefined;
  for (const { folder, task } of places) {
    if (task === undefined || !task.servers.some(isOwn)) {
      checked.push(folder);
      continue;
    }
    opening ??= openParts(context, options).then((parts) => stack.use(parts));
    const fault = await refusal(task, opening);
    if (fault === undefined) checked.push(folder);
    else checked.push(fault.blame === "task" ? withProblem(folder, fault) : skipped(folder, fault));
  }
  return checked;
}

async function refusal(task: Task, opening: Promise<Parts>): Promise<Fault | undefined> {
  try {
    await ownGreetings(task, task.servers, await opening);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

function withProblem(folder: CheckedFolder, { code, message }: Fault): CheckedFolder {
  return { ...folder, problems: [...folder.problems, { code, message }] };
}

function skipped(folder: CheckedFolder, { code, message }: Fault): CheckedFolder {
  const note = `its own servers were not started, so nothing is known of them: ${code}: ${message}`;
  return { ...folder, notes: [...folder.notes, note] };
}
