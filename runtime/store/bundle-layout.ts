/**
 * The files of a bundle. `manifest.json` names all others; `manifest.sha256` holds the hash of
 * manifest.json in the form of `sha256sum`, so a bundle that was renamed still proves itself;
 * `manifest.sig`, if there is a key, holds who vouches for the bytes of manifest.json.
 */
export const MANIFEST = "manifest.json";
export const SEAL = "manifest.sha256";
export const SIGNATURE = "manifest.sig";
export const STEPS = "steps.jsonl";
export const WIRE = "wire.jsonl";
export const BEFORE = "workspace/before.json";
export const AFTER = "workspace/after.json";
export const DIFF = "workspace/diff.json";
/** What was captured: both or, of a rollout that ended before its workspace could be read, neither. */
export const CAPTURE: readonly string[] = [AFTER, DIFF];
/** Of the services' state; all three or, if they keep none or nothing was captured, not one. */
export const STATE_BEFORE = "state/before.json";
export const STATE_AFTER = "state/after.json";
export const STATE_DIFF = "state/diff.json";
export const STATE: readonly string[] = [STATE_BEFORE, STATE_AFTER, STATE_DIFF];
/** Of a rollout that had a way out: its requests. */
export const EGRESS = "egress.jsonl";
export const EXPECTED = "expected.json";
export const CONTEXT = "context.json";
export const GRADE = "grade.json";
const GRADER = "task/grader.py";
export const TOML = "task/task.toml";
export const INSTRUCTION = "task/instruction.md";

/** What every bundle has; capture, grade.json, egress.jsonl, state, logs, blobs and further modules may be absent. */
export const REQUIRED: readonly string[] = [
  STEPS,
  WIRE,
  BEFORE,
  EXPECTED,
  CONTEXT,
  GRADER,
  TOML,
  INSTRUCTION,
];

const MIB = 1024 * 1024;
/** Bounds on what is read into memory at once; a bundle is somebody else's file. */
export const MANIFEST_BYTES_MAX = 128 * MIB;
export const DOCUMENT_BYTES_MAX = 256 * MIB;
export const SIGNATURE_BYTES_MAX = 4096;
export const LINE_BYTES_MAX = 128 * MIB;

const BLOB = /^blobs\/(?<head>[0-9a-f]{2})\/(?<sha256>[0-9a-f]{64})$/;
const MODULE = /^task\/[A-Za-z_][A-Za-z0-9_]*\.py$/;
const LOG = /^logs\/[a-z0-9][a-z0-9_-]{0,63}\.stderr$/;

/** Whether a bundle may have a file of this path at all. */
export function isPartPath(path: string): boolean {
  const lists = [[GRADE, EGRESS], REQUIRED, CAPTURE, STATE];
  const known = lists.some((list) => list.includes(path));
  return known || MODULE.test(path) || LOG.test(path) || blobNameOf(path) !== undefined;
}

export function blobPath(sha256: string): string {
  return `blobs/${sha256.slice(0, 2)}/${sha256}`;
}

/** The hash that a blob's path says; undefined if it is no blob's path. */
export function blobNameOf(path: string): string | undefined {
  const { head, sha256 } = BLOB.exec(path)?.groups ?? {};
  return sha256 !== undefined && head === sha256.slice(0, 2) ? sha256 : undefined;
}

export function sealText(manifestSha256: string): string {
  return `${manifestSha256}  ${MANIFEST}\n`;
}
