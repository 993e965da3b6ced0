import type { Fault } from "../base/fault.ts";
import { comparePaths, parentOf, pathProblem, shown } from "./entry-path.ts";
import { workspaceFault } from "./faults.ts";
import type { SkippedEntry, Snapshot, SnapshotEntry } from "./snapshot.ts";

/**
 * A snapshot from parsed JSON; its text form is `canonicalJson(snapshot)`. The value is not
 * trusted: every member is checked, unknown ones are refused, as are paths that no snapshot has, a
 * wrong order, a parent that is missing and a sum that is wrong.
 * @throws Fault workspace/snapshot-invalid, which names the place
 */
export function parseSnapshot(value: unknown): Snapshot {
  const { schema, entries, bytes, skipped } = object("the whole", value, SNAPSHOT);
  if (schema !== "cloche.snapshot/1") throw invalid("schema", "is not cloche.snapshot/1");
  const snapshot: Snapshot = {
    schema,
    entries: list("entries", entries).map((entry, index) => parseEntry(`entries[${index}]`, entry)),
    bytes: whole("bytes", bytes, Number.MAX_SAFE_INTEGER),
    skipped: list("skipped", skipped).map((entry, index) =>
      parseSkipped(`skipped[${index}]`, entry),
    ),
  };
  checkTree(snapshot);
  return snapshot;
}

const SNAPSHOT = ["schema", "entries", "bytes", "skipped"] as const;
const MEMBERS = {
  file: ["type", "path", "mode", "size", "sha256"],
  directory: ["type", "path", "mode"],
  link: ["type", "path", "target"],
} as const;
const SKIPPED: readonly unknown[] = ["fifo", "device", "file", "directory", "link"];

function parseEntry(place: string, value: unknown): SnapshotEntry {
  const type = typeOf(place, value);
  const fields = object(place, value, MEMBERS[type]);
  const path = pathAt(`${place}.path`, fields.path);
  if (type === "link") {
    const target = string(`${place}.target`, fields.target);
    if (target === "" || target.includes("\0") || !target.isWellFormed()) {
      throw invalid(`${place}.target`, "is no valid target");
    }
    return { type, path, target };
  }
  const mode = whole(`${place}.mode`, fields.mode, 0o777);
  if (type === "directory") return { type, path, mode };
  const size = whole(`${place}.size`, fields.size, Number.MAX_SAFE_INTEGER);
  const sha256 = string(`${place}.sha256`, fields.sha256);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw invalid(`${place}.sha256`, "is no sha256");
  return { type, path, mode, size, sha256 };
}

function typeOf(place: string, value: unknown): keyof typeof MEMBERS {
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : null;
  if (type === "file" || type === "directory" || type === "link") return type;
  throw invalid(`${place}.type`, "is none of file, directory, link");
}

function parseSkipped(place: string, value: unknown): SkippedEntry {
  const fields = object(place, value, ["path", "type"]);
  const path = string(`${place}.path`, fields.path);
  if (path === "" || !path.isWellFormed()) throw invalid(`${place}.path`, "is no valid path");
  const type = fields.type;
  if (!SKIPPED.includes(type)) throw invalid(`${place}.type`, "is not of a kind that is skipped");
  return { path, type: type as SkippedEntry["type"] };
}

function checkTree({ entries, bytes, skipped }: Snapshot): void {
  const directories = new Set([""]);
  let sum = 0;
  for (const [index, entry] of entries.entries()) {
    const before = entries[index - 1];
    const place = `entries[${index}]`;
    if (before && comparePaths(before.path, entry.path) >= 0) {
      throw invalid(place, `${shown(entry.path)} is out of order or there twice`);
    }
    if (!directories.has(parentOf(entry.path))) {
      throw invalid(place, `${shown(entry.path)} has no directory above it`);
    }
    if (entry.type === "directory") directories.add(entry.path);
    if (entry.type === "file") sum += entry.size;
  }
  if (sum !== bytes) throw invalid("bytes", `is ${bytes}, the files have ${sum}`);
  for (const [index, { path }] of skipped.entries()) {
    const before = skipped[index - 1];
    if (before && comparePaths(before.path, path) >= 0) {
      throw invalid(`skipped[${index}]`, `${shown(path)} is out of order or there twice`);
    }
  }
}

function object<Key extends string>(
  place: string,
  value: unknown,
  members: readonly Key[],
): Record<Key, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(place, "is no object");
  }
  for (const key of members) {
    if (!Object.hasOwn(value, key)) throw invalid(place, `has no "${key}"`);
  }
  const extra = Object.keys(value).find((key) => !members.some((member) => member === key));
  if (extra !== undefined) throw invalid(place, `has an unknown member ${shown(extra)}`);
  return value as Record<Key, unknown>;
}

function list(place: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(place, "is no list");
}

function string(place: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw invalid(place, "is no string");
}

function whole(place: string, value: unknown, most: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most) {
    return value;
  }
  throw invalid(place, `is no whole number from 0 to ${most}`);
}

function pathAt(place: string, value: unknown): string {
  const path = string(place, value);
  const problem = pathProblem(path);
  if (problem) throw invalid(place, `${shown(path)} ${problem}`);
  return path;
}

function invalid(place: string, what: string): Fault {
  const message = `the stored snapshot was damaged or changed: ${place} ${what}`;
  return workspaceFault("snapshot-invalid", message, { detail: { place } });
}
