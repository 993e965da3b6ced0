import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson } from "../../base/canonical-json.ts";
import { Fault } from "../../base/fault.ts";
import { namedId } from "../../base/id.ts";
import type { Sandbox } from "../../engine/engine.ts";
import type { Grade } from "../../grading/grade.ts";
import { gradeRun } from "../../grading/grade-run.ts";
import { WarmGrader } from "../../grading/warm-grader.ts";
import type { Bundle } from "../../store/bundle.ts";
import { BlobMemory, rememberedBlobs } from "../../workspace/blob-source.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import { GRADER_FOLDER, GRADER_USER, graderSpec } from "../sandbox-spec.ts";
import { executionOf, gradingInputOf, REGRADE_TIMEOUT_MS, type RegradeParts } from "./regrade.ts";

const LIFE_MS = 24 * 3_600_000;
const REMEMBERED_BYTES = 64 * 1024 * 1024;

/**
 * Grades many bundles of one task in a few boxes that stay: the same grades as `regrade` gives,
 * byte for byte, without a box for each. In each box one bundle at a time is graded, by a process of
 * its own; its process could see another's of the same task, never one of another task.
 */
export class Regrader implements AsyncDisposable {
  readonly #first: Bundle;
  readonly #parts: RegradeParts;
  readonly #scratch: string;
  readonly #idle: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];
  readonly #lanes: readonly Lane[];
  readonly #memory = new BlobMemory(REMEMBERED_BYTES);

  private constructor(first: Bundle, parts: RegradeParts, scratch: string, lanes: number) {
    this.#first = first;
    this.#parts = parts;
    this.#scratch = scratch;
    this.#lanes = Array.from({ length: lanes }, () => new Lane(() => this.#box()));
    this.#idle = [...this.#lanes];
  }

  /** For bundles as this one: see `keyOf`. Boxes are made when they are needed, at most `lanes`. */
  static async open(first: Bundle, parts: RegradeParts, lanes: number): Promise<Regrader> {
    const scratch = await mkdtemp(join(tmpdir(), "cloche-grade-"));
    return new Regrader(first, parts, scratch, lanes);
  }

  /** What bundles have in common that one regrader can grade: their task, and as much room. */
  static keyOf({ manifest }: Bundle): string {
    return canonicalJson({ task: manifest.task.id, limits: manifest.limits });
  }

  /** Rejects as `regrade` does; TypeError for a bundle that does not fit. */
  async grade(bundle: Bundle, signal: AbortSignal): Promise<Grade> {
    if (Regrader.keyOf(bundle) !== Regrader.keyOf(this.#first)) {
      const { id } = this.#first.manifest.task;
      throw new TypeError(
        `this is for bundles of ${id}, not for one of ${bundle.manifest.task.id}`,
      );
    }
    const lane = await this.#free();
    try {
      return await this.#gradeIn(lane, bundle, signal);
    } catch (error) {
      // Whatever is wrong with the box, the next bundle gets another one.
      if (!(error instanceof Fault) || error.code.startsWith("engine/")) await lane.close();
      throw error;
    } finally {
      this.#release(lane);
    }
  }

  async #gradeIn(lane: Lane, bundle: Bundle, signal: AbortSignal): Promise<Grade> {
    const { box, python } = await lane.open(signal);
    const grader = {
      ...{ box, image: this.#parts.graderImage, folder: GRADER_FOLDER, user: GRADER_USER },
      timeoutMs: REGRADE_TIMEOUT_MS,
      execution: executionOf(bundle, this.#parts),
      waiting: { ask: python.ask.bind(python), [Symbol.asyncDispose]: async () => {} },
    };
    const input = gradingInputOf(bundle);
    const blobs = rememberedBlobs(input.blobs, this.#memory);
    return await gradeRun({ ...input, blobs }, grader, new BlobFolder(this.#scratch), signal);
  }

  async #free(): Promise<Lane> {
    const lane = this.#idle.pop();
    return lane ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)));
  }

  #release(lane: Lane): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(lane);
    else next(lane);
  }

  async #box(): Promise<Sandbox> {
    const { engine, data, process, clock, graderImage } = this.#parts;
    const id = namedId("grade");
    const expires = new Date(clock.now().getTime() + LIFE_MS);
    const labels = { owner: data.owner, rollout: id, process, expires };
    return await engine.create(graderSpec(id, graderImage, this.#first.manifest.limits, labels));
  }

  /** Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    await rm(this.#scratch, { recursive: true, force: true });
  }
}

interface OpenLane {
  readonly box: Sandbox;
  readonly python: WarmGrader;
}

/** A box that stays, with a Python that has its libraries loaded. */
class Lane {
  readonly #make: () => Promise<Sandbox>;
  #opened: Promise<OpenLane> | undefined;

  constructor(make: () => Promise<Sandbox>) {
    this.#make = make;
  }

  async open(signal: AbortSignal): Promise<OpenLane> {
    signal.throwIfAborted();
    this.#opened ??= this.#make().then((box) => {
      return { box, python: new WarmGrader(box, GRADER_USER, "run") };
    });
    return await this.#opened;
  }

  /** Never throws. */
  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    this.#opened = undefined;
    await opened?.python[Symbol.asyncDispose]();
    await opened?.box[Symbol.asyncDispose]();
  }
}
