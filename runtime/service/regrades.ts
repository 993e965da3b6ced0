import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Grade } from "../grading/grade.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { regrade } from "../rollout/regrade/regrade.ts";
import type { Bundle } from "../store/bundle.ts";
import type { StageQueues } from "./queue.ts";
import type { ReadyTasks } from "./ready-tasks.ts";
import type { ServiceObserver } from "./service-options.ts";

/** Grades bundles again, each in its turn among the rollouts that are to be graded. */
export class Regrades {
  readonly #parts: RolloutParts;
  readonly #tasks: ReadyTasks;
  readonly #queues: StageQueues;
  readonly #observer: ServiceObserver;

  constructor(
    parts: RolloutParts,
    tasks: ReadyTasks,
    queues: StageQueues,
    observer: ServiceObserver,
  ) {
    this.#parts = parts;
    this.#tasks = tasks;
    this.#queues = queues;
    this.#observer = observer;
  }

  /** As `RolloutService.regrade`. */
  async grade(bundle: Bundle, grader: "recorded" | "current", signal: AbortSignal): Promise<Grade> {
    const judged = grader === "current" ? await withCurrentGrader(bundle, this.#tasks) : bundle;
    const { clock, images } = this.#parts;
    const fromMs = clock.monotonicMs();
    const gradeGate = <T>(work: () => Promise<T>) =>
      this.#queues.grades.add(async () => {
        signal.throwIfAborted();
        return await work();
      });
    const parts = { ...this.#parts, gradeGate, graderImage: images.grader };
    const grade = await regrade(judged, parts, signal);
    this.#observer.onRegrade?.(clock.monotonicMs() - fromMs);
    return grade;
  }
}

/** The bundle as it would be if the task's grader of today had been there. Rejects as `ready` does. */
async function withCurrentGrader(bundle: Bundle, tasks: ReadyTasks): Promise<Bundle> {
  const { manifest } = bundle;
  const { task, prepared } = await tasks.ready(manifest.task.id, manifest.variant);
  const paths = [task.files.grader, ...task.files.modules];
  const graderFiles = await Promise.all(
    paths.map(async (path) => ({ path: basename(path), bytes: await readFile(path) })),
  );
  return { ...bundle, graderFiles, manifest: { ...manifest, criteria: prepared.criteria } };
}
