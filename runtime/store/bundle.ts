import type { Json } from "../base/canonical-json.ts";
import type { Grade } from "../grading/grade.ts";
import type { BlobFolder } from "../workspace/blobs.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import type { Manifest } from "./manifest.ts";
import type { Signature } from "./signature.ts";

/** A bundle that was verified when it was opened. It never changes, so neither do these values. */
export interface Bundle {
  /** The sha256 of its manifest. */
  readonly id: string;
  readonly path: string;
  readonly manifest: Manifest;
  /** Of the bytes of manifest.json; null if there is none. Not checked: that takes a key. */
  readonly signature: Signature | null;
  readonly before: Snapshot;
  /** Null if the rollout ended before its workspace could be read; then nothing can be graded. */
  readonly after: Snapshot | null;
  /** Of the services' state; undefined if they keep none, or nothing was captured. */
  readonly state: StateSnapshots | undefined;
  /** The contents of all of them; each read checks the hash again. */
  readonly blobs: BlobFolder;
  /** For `readSteps`, and for a grader. */
  readonly stepsFile: string;
  readonly wireFile: string;
  /** grader.py and what it may import. */
  readonly graderFiles: readonly GraderFile[];
  readonly taskToml: string;
  /** As the agent was shown it. */
  readonly instruction: string;
  readonly expected: Uint8Array;
  readonly context: Json;
  /** Null if the rollout was not graded. */
  readonly grade: Grade | null;
}

export interface StateSnapshots {
  readonly before: Snapshot;
  readonly after: Snapshot;
}

export interface GraderFile {
  /** Relative to the task's folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
}
