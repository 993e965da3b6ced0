import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { namedId } from "../base/id.ts";
import type { Sandbox } from "../engine/engine.ts";
import type { Grade } from "../grading/grade.ts";
import { gradeRun } from "../grading/grade-run.ts";
import { WarmGrader } from "../grading/warm-grader.ts";
import type { Bundle } from "../store/bundle.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import { gradingInputOf, type RegradeParts } from "./regrade.ts";
import { GRADER_FOLDER, GRADER_USER, graderSpec } from "./sandbox-spec.ts";

const TIMEOUT_MS = 600_000;
const LIFE_MS = 24 * 3_600_000;

/**
 * Grades many bundles of one task in one box, some at a time: the same grades as `regrade` gives,
 * byte for byte, without a box for each. A bundle's process could see another's of the same task,
 * never one of another task.
 */
export class Regrader implements AsyncDisposable {
  readonly #box: Sandbox;
  readonly #image: string;
  readonly #task: string;
  readonly #scratch: string;
  readonly #lanes: readonly WarmGrader[];
  #next = 0;

  private constructor(box: Sandbox, image: string, task: string, scratch: string, lanes: number) {
    this.#box = box;
    this.#image = image;
    this.#task = task;
    this.#scratch = scratch;
    this.#lanes = Array.from(
      { length: lanes },
      (_, at) => new WarmGrader(box, GRADER_USER, `lane-${at}`),
    );
  }

  /** A box for bundles of the task of this one, with as much room. Rejects as `Engine.create`. */
  static async open(
    { manifest }: Bundle,
    parts: Omit<RegradeParts, "gradeGate">,
    lanes: number,
    signal: AbortSignal,
  ): Promise<Regrader> {
    const id = namedId("grade");
    const expires = new Date(parts.clock.now().getTime() + LIFE_MS);
    const labels = { owner: parts.data.owner, rollout: id, process: parts.process, expires };
    const spec = graderSpec(id, parts.graderImage, manifest.limits, labels);
    // Each lane has a run of its own in the volume.
    const { workspace, limits } = spec;
    const bytes = workspace.bytes * lanes;
    const box = await parts.engine.create(
      {
        ...spec,
        workspace: { ...workspace, bytes, files: workspace.files * lanes },
        limits: {
          ...limits,
          cpus: lanes,
          processes: limits.processes * lanes,
          memoryBytes: limits.memoryBytes * lanes,
        },
      },
      { signal },
    );
    const scratch = await mkdtemp(join(tmpdir(), "cloche-grade-"));
    return new Regrader(box, parts.graderImage, manifest.task.id, scratch, lanes);
  }

  /** Rejects as `gradeRun` does; TypeError for a bundle of another task. */
  async grade(bundle: Bundle, signal: AbortSignal): Promise<Grade> {
    const { id } = bundle.manifest.task;
    if (id !== this.#task) throw new TypeError(`this box is for ${this.#task}, not for ${id}`);
    const lane = this.#lanes[this.#next++ % this.#lanes.length];
    if (lane === undefined) throw new TypeError("a regrader has at least one lane");
    const grader = {
      box: this.#box,
      image: this.#image,
      folder: GRADER_FOLDER,
      user: GRADER_USER,
      timeoutMs: TIMEOUT_MS,
      waiting: { ask: lane.ask.bind(lane), [Symbol.asyncDispose]: async () => {} },
    };
    return await gradeRun(gradingInputOf(bundle), grader, new BlobFolder(this.#scratch), signal);
  }

  /** Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const lane of this.#lanes) await lane[Symbol.asyncDispose]();
    await this.#box[Symbol.asyncDispose]();
    await rm(this.#scratch, { recursive: true, force: true });
  }
}
