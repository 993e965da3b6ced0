import { join } from "node:path";
import type { JoinedServers } from "../proxy/surface.ts";
import { AppendFile } from "./append-file.ts";
import { type PastRecord, readPastRecord } from "./past-record.ts";
import type { Step } from "./step.ts";
import { StepLog } from "./step-log.ts";

/** The two files of a rollout's record, ready to be written on. */
export interface RecordFiles {
  readonly wireFile: AppendFile;
  readonly stepFile: AppendFile;
  readonly steps: StepLog;
  /** What an earlier process wrote; undefined if there was none. */
  readonly past: PastRecord | undefined;
}

/**
 * Opens the files in this folder, new or where a process that died left off, and closes them with
 * the stack. @throws Fault `mcp/record-failed`, `mcp/record-broken`
 */
export function openRecord(
  folder: string,
  isResumed: boolean,
  stack: AsyncDisposableStack,
): RecordFiles {
  const past = isResumed ? readPastRecord(folder) : undefined;
  const wireFile = stack.use(new AppendFile(join(folder, "wire.jsonl")));
  const stepFile = stack.use(new AppendFile(join(folder, "steps.jsonl")));
  return { wireFile, stepFile, steps: new StepLog(stepFile, past?.chain), past };
}

/** Makes steps of the calls that were under way when an earlier process died. */
export function recordInterrupted(
  { steps, past }: RecordFiles,
  rolloutId: string,
  { routes }: JoinedServers,
  onStep: (step: Step) => void,
): void {
  const unfinished = past?.unfinished ?? [];
  const numbers = unfinished.map(({ step }) => step);
  for (const call of unfinished) {
    const { step, exposedName, at, frame } = call;
    const route = routes.get(exposedName);
    const recorded = {
      step,
      callId: `${rolloutId}-${step}`,
      server: route?.server.upstream.name ?? "",
      tool: route?.tool ?? exposedName,
      exposedName,
      arguments: call.arguments,
      outcome: "interrupted",
      result: null,
      error: { code: INTERRUPTED, message: INTERRUPTED_MEANS },
      truncated: null,
      at,
      queueMs: 0,
      upstreamMs: 0,
      proxyMs: 0,
      overlaps: numbers.filter((other) => other !== step),
      wire: [frame, frame],
    } as const;
    onStep(steps.append(recorded, "null"));
  }
}

const INTERRUPTED = -32000;
const INTERRUPTED_MEANS =
  "The process that ran the rollout died during this call: whether it had an effect is not known.";
