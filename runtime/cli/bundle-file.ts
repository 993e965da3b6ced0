import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { receiveBundle } from "../api/bundle-archive.ts";
import { resolveBundle } from "../store/resolve-bundle.ts";
import type { CommonOptions, Context } from "./context.ts";
import { openRecords } from "./parts.ts";

/** A bundle's folder for as long as it is looked at. */
export interface BundleFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * The bundle that a person means: a folder, an archive as the service gives it, or the first letters
 * of an id, for which alone the data folder is opened. Rejects as `resolveBundle` and `receiveBundle`.
 */
export async function bundleFolder(
  text: string,
  context: Context,
  options: CommonOptions,
): Promise<BundleFolder> {
  const there = await stat(text).catch(() => undefined);
  if (there?.isFile()) return await unpacked(text);
  if (there?.isDirectory()) return { path: resolve(text), [Symbol.asyncDispose]: async () => {} };
  await using records = await openRecords(context, options);
  const path = await resolveBundle(records.data, text);
  return { path, [Symbol.asyncDispose]: async () => {} };
}

async function unpacked(archive: string): Promise<BundleFolder> {
  const path = await mkdtemp(join(tmpdir(), "cloche-bundle-"));
  const remove = () => rm(path, { recursive: true, force: true });
  try {
    await receiveBundle(createReadStream(archive), path);
    return { path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
