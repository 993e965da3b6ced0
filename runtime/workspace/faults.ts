import { type FaultKind, faultMaker } from "../base/fault.ts";

export const WORKSPACE_FAULTS = {
  "archive-broken": {
    blame: "engine",
    means: "The archive of a workspace ended early or is not a valid tar archive.",
    remedy: "Look at the engine's log and run the rollout again; nothing was captured.",
  },
  "capture-refused": {
    blame: "engine",
    means: "The archive of a workspace holds an entry that no workspace can hold.",
    remedy: "Report it with the entry's name: the engine sent what no file system has.",
  },
  "capture-too-large": {
    blame: "agent",
    means: "The workspace is larger, deeper or has more entries than may be captured.",
    remedy: "Raise the task's limits if honest work needs that much; do not retry otherwise.",
  },
  "capture-incomplete": {
    blame: "agent",
    means: "The archive holds fewer entries than the workspace does.",
    remedy: "Treat it as an attempt to hide files from the grader; look at the steps.",
  },
  "seed-failed": {
    blame: "engine",
    means: "A link of the snapshot could not be made in the sandbox.",
    remedy: "Read what the program in the sandbox said, at the end of the message.",
  },
  "fixture-refused": {
    blame: "task",
    means: "A folder of fixture files holds something that a workspace must not be seeded with.",
    remedy: "Change or remove the file that the message names.",
  },
  "snapshot-invalid": {
    blame: "store",
    means: "A stored snapshot is not what Cloche writes.",
    remedy: "Get the bundle again from where it came from; this copy was damaged or changed.",
  },
  "blob-name-invalid": {
    blame: "caller",
    means: "A blob was asked for by something that is not 64 lower-case hexadecimal letters.",
    remedy: "Pass the sha256 as it stands in a snapshot or a manifest.",
  },
  "blob-missing": {
    blame: "store",
    means: "The content of a file is not in the folder of blobs.",
    remedy: "Get the bundle again from where it came from; this copy is not complete.",
  },
  "blob-broken": {
    blame: "store",
    means: "A blob's content is not what its name says.",
    remedy: "Get the bundle again from where it came from; this copy was damaged or changed.",
  },
  "blob-too-large": {
    blame: "caller",
    means: "Content is larger than the bound that was set for it.",
    remedy: "Raise the bound that the message names, or make the content smaller.",
  },
  "blob-unwritten": {
    blame: "store",
    means: "Content could not be written into the folder of blobs.",
    remedy: "Look at the disk of the data folder: space, rights, read errors.",
  },
} as const satisfies Record<string, FaultKind>;

export const workspaceFault = faultMaker("workspace", WORKSPACE_FAULTS);
