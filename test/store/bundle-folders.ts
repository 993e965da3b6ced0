import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { writeBundle } from "../../runtime/store/bundle-writer.ts";
import { contentsWithState, sampleContents, temporaryFolder } from "./samples.ts";

export async function writtenBundle(context: TestContext, withState = false) {
  const folder = temporaryFolder(context);
  const bundles = join(folder, "bundles");
  mkdirSync(bundles);
  const { contents, blobs } = await (withState ? contentsWithState : sampleContents)(folder);
  const again = () => writeBundle(bundles, contents, blobs);
  return { ...(await again()), again };
}

export function copyOf(context: TestContext, path: string, name: string): string {
  const copy = join(temporaryFolder(context), name);
  cpSync(path, copy, { recursive: true });
  for (const file of ["", ...readdirSync(copy, { recursive: true }).map(String)]) {
    chmodSync(join(copy, file), 0o755);
  }
  return copy;
}

export function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

export function isPart(path: string): boolean {
  return path !== "manifest.json" && path !== "manifest.sha256";
}

export function blobPath(text: string): string {
  const hash = sha256(text);
  return `blobs/${hash.slice(0, 2)}/${hash}`;
}

export function overwrite(root: string, path: string, bytes: Uint8Array): void {
  const full = join(root, path);
  chmodSync(dirname(full), 0o755);
  if (statSync(full, { throwIfNoEntry: false })) chmodSync(full, 0o644);
  writeFileSync(full, bytes);
}

export async function refused(root: string): Promise<Fault> {
  const error = await openBundle(root).then(
    () => assert.fail(`${root} was accepted`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  assert.equal(error.code, "store/bundle-altered");
  return error;
}
