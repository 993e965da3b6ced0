import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Engine } from "../engine/engine.ts";
import type { SandboxImage } from "../image/sandbox-image.ts";
import type { Mount } from "../mcp/door/listener.ts";
import type { Manifest } from "../mcp/link/manifest.ts";
import type { McpProxy } from "../mcp/proxy/proxy.ts";
import type { Step } from "../mcp/record/step.ts";
import { imageOf, type ServerSpec } from "../mcp/server-spec.ts";
import type { DataFolder } from "../store/data-folder.ts";
import type { Phase, RolloutRecord } from "../store/record.ts";
import type { RecordStore } from "../store/records.ts";
import type { Signer } from "../store/signature.ts";
import type { PreparedVariant } from "../task/prepare.ts";
import type { Task } from "../task/task.ts";
import type { Policy } from "./policy.ts";
import type { SandboxSource } from "./sandbox-source.ts";

/** References of the images that are there to choose from. */
export type RuntimeImages = Readonly<Record<SandboxImage | "grader", string>>;

/** What a rollout with these servers is made from: the smallest image that has them. */
export function imagesFor(
  servers: readonly ServerSpec[],
  images: RuntimeImages,
): RolloutRecord["images"] {
  return { sandbox: images[imageOf(servers)], grader: images.grader };
}

/** What is asked for: one attempt at one variant of a task. */
export interface RolloutSpec {
  readonly id: string;
  readonly task: Task;
  readonly prepared: PreparedVariant;
  readonly policy: Policy;
  readonly group: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Default "local". */
  readonly key?: string;
  /** Default 1. */
  readonly attempt?: number;
  readonly leaseMs?: number;
  /** Absent: its record is made when it begins. */
  readonly accepted?: Accepted;
}

/** A rollout whose record was written before it could begin. */
export interface Accepted {
  readonly record: RolloutRecord;
  /** When that was, by the clock's `monotonicMs`. */
  readonly atMs: number;
}

/** What a rollout is made with; put together once, in `cli/`. */
export interface RolloutParts {
  readonly engine: Engine;
  readonly engineSummary: string;
  readonly images: RuntimeImages;
  /** By reference: what the servers of an image said when it was built. Absent: each is asked anew. */
  readonly manifests?: Readonly<Record<string, Manifest>>;
  readonly data: DataFolder;
  readonly records: RecordStore;
  readonly listener: RolloutDoors;
  readonly clock: Clock;
  readonly log: Log;
  /** The identity of this process (base/process-identity). */
  readonly process: string;
  /** Vouches for bundles and regrades. Absent: they carry no signature. */
  readonly signer?: Signer;
  /** Whether tasks may reach the hosts outside that they ask for. Default: those are refused. */
  readonly allowEgress?: boolean;
  /** The bearer token of a rollout, always the same one. Absent: a new secret each time. */
  readonly tokenOf?: (rolloutId: string) => string;
  /** Lets a rollout's grading begin once there is room. Absent: at once. */
  readonly gradeGate?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Where sandboxes come from. Absent: each is made when it is needed. */
  readonly sandboxes?: SandboxSource;
}

/** Where agents reach rollouts. */
export interface RolloutDoors {
  /** Opens a rollout's URL. The id must not be mounted already. */
  mount(rolloutId: string, token: string, proxy: McpProxy): Mount;
}

/** Who looks on. Nothing depends on it; it must not throw. */
export interface RolloutWatcher {
  readonly onPhase?: (phase: Phase, record: RolloutRecord) => void;
  readonly onStep?: (step: Step) => void;
  /** A call of a tool has come in; a step follows when it has ended. */
  readonly onCall?: () => void;
}
