import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { extract, type Header, pack } from "tar-stream";
import { Fault } from "../../runtime/base/fault.ts";
import { namedId } from "../../runtime/base/id.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { requireImages } from "../../runtime/cli/set-up/require-images.ts";
import type { Box, BoxLimits, Engine, SandboxSpec } from "../../runtime/engine/engine.ts";
import { type EngineOptions, openEngine } from "../../runtime/engine/engines.ts";
import { runtimeChoice } from "./oci-runtime.ts";

export const MIB = 2 ** 20;

/** The engine that tests use: the Docker that the environment names or that is found. */
export async function openTestEngine(options: Partial<EngineOptions> = {}): Promise<Engine> {
  return await openEngine("docker", {
    env: process.env,
    log: silentLog,
    ...runtimeChoice,
    ...options,
  });
}

/** The newest office image that the engine holds; set-up has built it. */
export async function sandboxImage(engine: Engine): Promise<string> {
  return (await requireImages(engine, process.env)).images.office;
}

export const SMALL_LIMITS: BoxLimits = {
  memoryBytes: 256 * MIB,
  processes: 64,
  cpus: 1,
  tmpBytes: 32 * MIB,
  fileBytes: 64 * MIB,
  openFiles: 256,
};

/** A sandbox with two users, a workspace of 64 MiB and 500 files, and a keeper. */
export function smallSpec(image: string, owner: string, change: Partial<SandboxSpec> = {}) {
  const expires = new Date(Date.now() + 600_000);
  const spec: SandboxSpec = {
    id: namedId("test"),
    labels: { owner, rollout: "test", expires, process: processIdentity() },
    image,
    users: ["agent", "server"],
    workspace: { path: "/workspace", owner: "agent", bytes: 64 * MIB, files: 500 },
    limits: SMALL_LIMITS,
    keeper: {
      image,
      users: ["grader"],
      scratch: { path: "/grade", owner: "grader", bytes: 16 * MIB, files: 500 },
      limits: SMALL_LIMITS,
    },
    ...change,
  };
  return spec;
}

/** Runs a shell script as a user; fails unless it ends with 0. Gives its output. */
export async function sh(box: Box, script: string, user = "agent"): Promise<string> {
  const { exitCode, stdout, stderr } = await box.exec(["/bin/sh", "-c", script], { user });
  assert.equal(exitCode, 0, `${script}\n${stdout}${stderr}`);
  return stdout.toString();
}

/** The fault that `work` rejects with; fails for anything else. */
export async function faultOf(work: Promise<unknown>, code: string): Promise<Fault> {
  const error = await work.then(
    () => assert.fail(`resolved instead of rejecting with ${code}`),
    (thrown: unknown) => thrown,
  );
  assert(error instanceof Fault, `not a fault: ${error}`);
  assert.equal(error.code, code, error.message);
  return error;
}

export interface TarEntry {
  readonly name: string;
  readonly header: Header;
  readonly content: Buffer;
}

/** A tar stream of these entries. */
export function tarOf(
  entries: readonly (Partial<Header> & { name: string; content?: Buffer | string })[],
): Readable {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry(withIds(header), content ?? "");
  tar.finalize();
  return Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false });
}

/** The writer truncates ids beyond six octal digits, unless they are given apart. */
function withIds<H extends Partial<Header>>(header: H): H {
  const ids = Object.entries({ uid: header.uid, gid: header.gid }).filter(([, id]) => id);
  if (ids.length === 0) return header;
  return { ...header, pax: Object.fromEntries(ids.map(([key, id]) => [key, String(id)])) };
}

/** All entries of a tar stream, read to its end. */
export async function entriesOf(tar: Readable): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  const reader = extract();
  tar.on("error", (error) => reader.destroy(error));
  tar.pipe(reader);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.push({ name: entry.header.name, header: entry.header, content: Buffer.concat(chunks) });
  }
  return entries;
}
