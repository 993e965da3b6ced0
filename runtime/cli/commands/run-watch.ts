import { Fault } from "../../base/fault.ts";
import type { RolloutRecord } from "../../store/record.ts";
import type { Roots } from "../../task/roots.ts";
import type { Task } from "../../task/task.ts";
import { findTask } from "../../task/task-list.ts";
import { criteriaChanges } from "../criteria-changes.ts";
import type { SavedFiles } from "../saved-files.ts";
import { errorLine, type Terminal } from "../terminal.ts";

/** What is run again whenever the task is saved. */
export interface Watched {
  readonly root: Roots;
  readonly task: Task;
  readonly saved: SavedFiles;
  readonly terminal: Terminal;
  /** The last time it was run, by variant. */
  readonly played: ReadonlyMap<number, RolloutRecord>;
  readonly play: (task: Task, variant: number) => Promise<RolloutRecord>;
}

/**
 * Runs the same variants again each time that files of the task are saved, and says which criteria
 * are judged otherwise. A task that is broken for a while is told, and waited for. Until the signal.
 */
export async function watchRuns(watched: Watched, signal: AbortSignal): Promise<void> {
  const { root, task, saved, terminal, play } = watched;
  const last = new Map(watched.played);
  terminal.err(`watching ${task.folder} (Ctrl-C ends)\n`);
  for await (const _ of saved.changes(signal)) {
    try {
      const current = await findTask(root, task.id);
      for (const [variant, before] of last) {
        if (signal.aborted) return;
        const record = await play(current, variant);
        last.set(variant, record.criteria === null ? before : record);
        terminal.out(said(before, record, terminal));
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      terminal.err(errorLine(error, terminal.paint));
    }
  }
}

function said(before: RolloutRecord, now: RolloutRecord, { paint }: Terminal): string {
  if (now.criteria === null || now.reward === null) {
    return `variant ${now.variant}: ${now.outcome}${now.fault ? `: ${now.fault.message}` : ""}\n`;
  }
  const { sparse, dense } = now.reward;
  const earned = `variant ${now.variant}: sparse ${sparse}, dense ${dense.toFixed(2)}`;
  return `${paint.bold(earned)}\n${criteriaChanges(before.criteria ?? [], now.criteria, paint)}`;
}
