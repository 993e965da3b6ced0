import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { canonicalJson } from "../../runtime/base/canonical-json.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import type { Step } from "../../runtime/mcp/record/step.ts";
import type { BundleContents } from "../../runtime/store/bundle-writer.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import type { Snapshot, SnapshotEntry } from "../../runtime/workspace/snapshot.ts";

export const ROLLOUT = "r0000000000000000001";

export function temporaryFolder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "cloche-store-"));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function sampleRecord(changes: Partial<RolloutRecord> = {}): RolloutRecord {
  return {
    schema: "cloche.record/1",
    id: ROLLOUT,
    task: { id: "desk/count-lines", sha256: "a".repeat(64) },
    variant: 1,
    split: "train",
    policy: "oracle",
    group: null,
    attempt: 1,
    labels: {},
    key: "local",
    process: "boot.1.2",
    phase: "requested",
    outcome: null,
    ending: null,
    rewardKind: "sparse",
    reward: null,
    criteria: null,
    fault: null,
    steps: 0,
    bundle: null,
    requestedAt: "2026-03-02T09:00:00.000Z",
    endedAt: null,
    reachedMs: { requested: 0 },
    limits: LIMITS,
    budget: BUDGET,
    images: IMAGES,
    engine: null,
    identity: null,
    sandbox: null,
    leaseMs: null,
    surface: null,
    ...changes,
  };
}

const LIMITS = {
  memoryBytes: 1,
  processes: 1,
  cpus: 0.5,
  tmpBytes: 1,
  fileBytes: 1,
  openFiles: 1,
  workspaceBytes: 1,
  workspaceFiles: 1,
};
const BUDGET = { calls: 1, wallMs: 1, resultBytes: 1, concurrentCalls: 1 };
const IMAGES = { sandbox: "cloche/sandbox:1", grader: "cloche/grader:1" };

/** What a small graded rollout leaves: two steps, one file kept, one changed, one made. */
export async function sampleContents(
  folder: string,
  changes: Partial<BundleContents> = {},
): Promise<{ contents: BundleContents; blobs: BlobFolder }> {
  const blobs = new BlobFolder(join(folder, "blobs"));
  const criteria = [{ name: "answer.txt exists", weight: 2 }];
  const contents: BundleContents = {
    facts: {
      rollout: ROLLOUT,
      task: { id: "desk/count-lines", sha256: "a".repeat(64) },
      variant: 1,
      policy: "oracle",
      outcome: "graded",
      ending: { kind: "submitted", answer: "done" },
      criteria,
      steps: 2,
      requestedAt: "2026-03-02T09:00:00.000Z",
      reachedMs: { requested: 0, seeded: 1 },
      limits: LIMITS,
      budget: BUDGET,
      images: IMAGES,
      engine: "docker 20.10.24, linux/amd64",
      identity: { uids: { init: 1, agent: 2 }, gid: 3 },
      surface: { sha256: "b".repeat(64), tools: ["read_file"] },
      versions: { cloche: "0.1.0", node: "24.21.0" },
    },
    stepsFile: file(folder, "steps.jsonl", stepLines(2)),
    wireFile: file(folder, "wire.jsonl", "{}\n"),
    before: await snapshot(blobs, { "kept.txt": "kept", "sub/changed.txt": "old" }),
    after: await snapshot(blobs, { "kept.txt": "kept", "sub/changed.txt": "new", "made.txt": "" }),
    graderFiles: [
      { path: "grader.py", bytes: Buffer.from("grade()\n") },
      { path: "rules.py", bytes: Buffer.from("RULES = []\n") },
    ],
    taskToml: Buffer.from('schema_version = "1.4"\n'),
    instruction: "Count the lines.",
    expected: Buffer.from('{"lines":3}'),
    context: { task: "desk/count-lines", variant: 1 },
    grade: {
      schema: "cloche.grade/1",
      task: "desk/count-lines",
      grader: { sha256: "c".repeat(64), image: "cloche/grader:1" },
      criteria: criteria.map((one) => ({ ...one, score: 1, reason: "it does", error: null })),
      reward: { sparse: 1, dense: 1 },
    },
    logs: { filesystem: file(folder, "filesystem.stderr", "started\n") },
    ...changes,
  };
  return { contents, blobs };
}

/** The same, of a rollout whose services kept state. */
export async function contentsWithState(
  folder: string,
): Promise<{ contents: BundleContents; blobs: BlobFolder }> {
  const { contents, blobs } = await sampleContents(folder);
  const limits = { ...contents.facts.limits, stateBytes: 1, stateFiles: 1 };
  const state = {
    before: await snapshot(blobs, { "mail/1": "kept" }),
    after: await snapshot(blobs, { "mail/1": "kept", "mail/2": "sent" }),
  };
  return { contents: { ...contents, facts: { ...contents.facts, limits }, state }, blobs };
}

/** Lines of a steps.jsonl with a sound chain, but for `changes` to each step. */
export function stepLines(count: number, changes: Partial<Step> = {}): string {
  let previous = "0".repeat(64);
  let text = "";
  for (let step = 1; step <= count; step++) {
    const line = canonicalJson({
      step,
      callId: `${ROLLOUT}-${step}`,
      server: "filesystem",
      tool: "read_file",
      exposedName: "read_file",
      arguments: { path: "kept.txt" },
      outcome: "ok",
      result: { content: [] },
      error: null,
      truncated: null,
      at: "2026-03-02T09:00:01.000Z",
      queueMs: 0,
      upstreamMs: 1.5,
      proxyMs: 0.25,
      overlaps: [],
      wire: [step * 2, step * 2 + 1],
      previous,
      ...changes,
    } satisfies Step);
    previous = sha256(line);
    text += `${line}\n`;
  }
  return text;
}

async function snapshot(
  blobs: BlobFolder,
  files: Readonly<Record<string, string>>,
): Promise<Snapshot> {
  const entries: SnapshotEntry[] = [];
  let bytes = 0;
  for (const path of Object.keys(files).sort()) {
    const folder = path.split("/").slice(0, -1).join("/");
    const isNew = folder !== "" && !entries.some(({ path: known }) => known === folder);
    if (isNew) entries.push({ type: "directory", path: folder, mode: 0o775 });
    const blob = await blobs.put(Buffer.from(files[path] ?? ""));
    entries.push({ type: "file", path, mode: 0o664, ...blob });
    bytes += blob.size;
  }
  return { schema: "cloche.snapshot/1", entries, bytes, skipped: [] };
}

function file(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
