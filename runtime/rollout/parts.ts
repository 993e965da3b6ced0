import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Engine } from "../engine/engine.ts";
import type { McpListener } from "../mcp/listener.ts";
import type { Step } from "../mcp/step.ts";
import type { DataFolder } from "../store/data-folder.ts";
import type { Phase, RolloutRecord } from "../store/record.ts";
import type { RecordStore } from "../store/records.ts";
import type { PreparedVariant } from "../task/prepare.ts";
import type { Task } from "../task/task.ts";
import type { Player } from "./player.ts";

/** What is asked for: one attempt at one variant of a task. */
export interface RolloutSpec {
  readonly id: string;
  readonly task: Task;
  readonly prepared: PreparedVariant;
  readonly player: Player;
  readonly group: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a rollout is made with; put together once, in `cli/`. */
export interface RolloutParts {
  readonly engine: Engine;
  readonly engineSummary: string;
  readonly images: { readonly sandbox: string; readonly grader: string };
  readonly data: DataFolder;
  readonly records: RecordStore;
  readonly listener: McpListener;
  readonly clock: Clock;
  readonly log: Log;
  /** The identity of this process (base/process-identity). */
  readonly process: string;
}

/** Who looks on. Nothing depends on it; it must not throw. */
export interface RolloutWatcher {
  readonly onPhase?: (phase: Phase, record: RolloutRecord) => void;
  readonly onStep?: (step: Step) => void;
}
