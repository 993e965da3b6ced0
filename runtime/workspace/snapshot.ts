/**
 * The content of a workspace at one moment: what is seeded, what is captured and what a grader
 * sees have this one form, so a capture can seed a new rollout. Owners and times are not part of
 * it; bytes lie in a BlobFolder under their sha256.
 */
export interface Snapshot {
  readonly schema: "cloche.snapshot/1";
  /** Sorted by path, byte by byte; parents before children; the root is not listed. */
  readonly entries: readonly SnapshotEntry[];
  /** Sum of the sizes of all files. */
  readonly bytes: number;
  /**
   * What was there but is neither file, directory nor link, or has a name that no text can hold:
   * said, so that a capture is never silently smaller than the workspace. Sorted by path.
   */
  readonly skipped: readonly SkippedEntry[];
}

export type SnapshotEntry = SnapshotFile | SnapshotDirectory | SnapshotLink;

export interface SnapshotFile {
  readonly type: "file";
  /** Relative, "/" between segments, no empty, "." or ".." segment, no NUL, valid UTF-8. */
  readonly path: string;
  /** Permission bits, at most 0o777. */
  readonly mode: number;
  readonly size: number;
  readonly sha256: string;
}

export interface SnapshotDirectory {
  readonly type: "directory";
  readonly path: string;
  readonly mode: number;
}

/** A link is data: its target is kept as text and followed by nobody. */
export interface SnapshotLink {
  readonly type: "link";
  readonly path: string;
  readonly target: string;
}

export interface SkippedEntry {
  /** For reading only: a byte that is not UTF-8 stands as `\xNN`, a backslash as two. */
  readonly path: string;
  /** A file, directory or link is here only because its name (or target) is not UTF-8. */
  readonly type: "fifo" | "device" | "file" | "directory" | "link";
}
