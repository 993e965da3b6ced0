import { open } from "node:fs/promises";
import type { Json } from "../base/canonical-json.ts";
import { parseExact } from "../base/exact-json.ts";
import type { Step } from "../mcp/record/step.ts";
import type { DataFolder } from "../store/data-folder.ts";
import { stepsFile } from "../store/kept-steps.ts";
import type { Phase, RolloutRecord } from "../store/record.ts";
import type { RolloutEvent } from "./service.ts";

/** Where events come from. */
export interface EventSource {
  readonly data: DataFolder;
  /** The record as it is now. */
  now(): Promise<RolloutRecord>;
  /** Resolves once `now` may say something else, or a step was added; with false on abort. */
  change(): Promise<boolean>;
}

type Unnumbered = RolloutEvent extends infer E
  ? E extends unknown
    ? Omit<E, "seq">
    : never
  : never;

const PHASES: readonly Phase[] = [
  "requested",
  "seeded",
  "serving",
  "finished",
  "captured",
  "graded",
  "stored",
];
const STEPS_AFTER = PHASES.indexOf("serving");

/**
 * The events of a rollout, from the one after `after` on, until it is over or `change` says that
 * nobody listens any more. They are read off its record and its steps, of which the order is
 * certain, so they are the same whenever and wherever they are asked for: steps come between
 * "serving" and "finished", the grade right before "stored".
 */
export async function* rolloutEvents(
  source: EventSource,
  after: number,
): AsyncGenerator<RolloutEvent> {
  let seq = 0;
  for await (const event of unnumbered(source)) {
    seq += 1;
    if (seq > after) yield { seq, ...event() };
  }
}

/** Events are thunks, so that a step that was heard of before is not even parsed. */
async function* unnumbered(source: EventSource): AsyncGenerator<() => Unnumbered> {
  const steps = new StepLines();
  let next = 0;
  for (;;) {
    const waiting = source.change();
    const record = await source.now();
    const isOver = record.outcome !== null;
    for (; next < PHASES.length; next++) {
      if (next > STEPS_AFTER) yield* linesOf(steps, source.data, record);
      const phase = PHASES[next] as Phase;
      const reachedMs = record.reachedMs[phase];
      if (reachedMs === undefined && !isOver) break;
      if (phase === "stored" && record.criteria !== null) yield () => gradeEvent(record);
      if (reachedMs !== undefined) yield () => phaseEvent(record, phase, reachedMs);
    }
    if (isOver || !(await waiting)) return;
  }
}

async function* linesOf(
  steps: StepLines,
  data: DataFolder,
  record: RolloutRecord,
): AsyncGenerator<() => Unnumbered> {
  for await (const line of steps.more(stepsFile(data, record))) {
    yield () => ({ type: "step", step: parseExact(line.toString()) as Step });
  }
}

function phaseEvent(record: RolloutRecord, phase: Phase, reachedMs: number): Unnumbered {
  const at = new Date(Date.parse(record.requestedAt) + reachedMs).toISOString();
  return { type: "phase", phase, at };
}

function gradeEvent({ reward, criteria }: RolloutRecord): Unnumbered {
  return { type: "grade", grade: { reward, criteria } as unknown as Json };
}

const CHUNK = 256 * 1024;

/** The lines of a file that grows, and that may be somewhere else the next time. */
class StepLines {
  #offset = 0;

  /** What has been added since the last time, in whole lines. An absent file has none. */
  async *more(path: string): AsyncGenerator<Buffer> {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (file === undefined) return;
    try {
      let held: Buffer[] = [];
      let position = this.#offset;
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, position);
        if (bytesRead === 0) return;
        position += bytesRead;
        let rest = buffer.subarray(0, bytesRead);
        for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
          const line = Buffer.concat([...held, rest.subarray(0, end)]);
          held = [];
          rest = rest.subarray(end + 1);
          this.#offset += line.length + 1;
          yield line;
        }
        if (rest.length > 0) held.push(rest);
      }
    } finally {
      await file.close();
    }
  }
}
