import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { DataFolder } from "./data-folder.ts";
import { storeFault } from "./faults.ts";
import { RecordStore } from "./records.ts";

const LETTERS = /^[0-9a-z-]{4,100}$/;

/**
 * The path of the bundle that a person means: a folder, or the first letters (four at least) of
 * the id of a bundle or of a rollout in the data folder. The bundle is not opened.
 * Rejects with `store/bundle-missing` or `store/bundle-ambiguous`.
 */
export async function resolveBundle(folder: DataFolder, text: string): Promise<string> {
  if (!LETTERS.test(text)) return requireFolder(text);
  const ids = new Set([...(await bundlesNamed(folder, text)), ...(await ofRollouts(folder, text))]);
  const [id, ...others] = ids;
  if (id === undefined) return requireFolder(text, folder);
  if (others.length > 0) {
    const shown = [...ids].map((one) => one.slice(0, 16)).join(", ");
    const message = `"${text}" fits ${ids.size} bundles (${shown}): give more letters`;
    throw storeFault("bundle-ambiguous", message);
  }
  return requireFolder(join(folder.bundles, id));
}

/** Whether the very same bundle lies in the data folder, which only Cloche writes to. */
export async function isStored({ bundles }: DataFolder, { id }: { readonly id: string }) {
  const found = await stat(join(bundles, id)).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

async function bundlesNamed(folder: DataFolder, prefix: string): Promise<readonly string[]> {
  return (await readdir(folder.bundles)).filter((name) => name.startsWith(prefix));
}

async function ofRollouts(folder: DataFolder, prefix: string): Promise<readonly string[]> {
  using records = await RecordStore.open(folder.database);
  const found = await records.withPrefix(prefix);
  return found.flatMap(({ bundle }) => (bundle === null ? [] : [bundle]));
}

async function requireFolder(path: string, searched?: DataFolder): Promise<string> {
  const there = path === "" ? undefined : await stat(path).catch(() => undefined);
  if (there?.isDirectory()) return resolve(path);
  const where = searched === undefined ? "" : ` in ${searched.path}`;
  const message =
    `there is no bundle "${path}"${where}: give its folder, ` +
    "or the first letters of the id of a bundle or rollout";
  throw storeFault("bundle-missing", message, { detail: { bundle: path } });
}
