import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile, readlink, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { draftName } from "../base/draft.ts";
import { messageOf } from "../base/fault.ts";
import { taskFault } from "./faults.ts";
import type { FixtureSet } from "./task.ts";
import type { FolderEntry } from "./task-folder.ts";

/** Beside the parts of a set: what the set is for, and every file in it with its hash. */
export const MANIFEST_FILE = "manifest.json";

const MIB = 2 ** 20;
/** What several tasks share is to stay small: each of their variants carries it. */
const SET_LIMITS = { bytes: 64 * MIB, fileBytes: 16 * MIB, files: 5000 } as const;

const file = z.strictObject({
  path: z.string().min(1),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in hexadecimal"),
});

const link = z.strictObject({ path: z.string().min(1), link: z.string() });

const manifestSchema = z.strictObject({
  schema: z.literal("cloche.fixture/1"),
  description: z.string().max(2000),
  files: z.array(z.union([file, link])),
});

type FixtureManifest = z.infer<typeof manifestSchema>;
type Listed = FixtureManifest["files"][number];

/**
 * Holds a set's files against its manifest. `entries` are all of the set but the manifest. Rejects
 * with `task/fixture-altered`, which names the first file that is wrong, and with
 * `task/fixture-refused` for what is larger than a set may be.
 */
export async function verifyFixture(
  set: FixtureSet,
  entries: readonly FolderEntry[],
): Promise<FixtureManifest> {
  const manifest = await readManifest(set);
  const found = await filesOf(set, entries);
  const said = new Map(manifest.files.map((one) => [one.path, one]));
  for (const one of found) {
    const { path } = one;
    const listed = said.get(path);
    if (listed === undefined) throw altered(set, `${path} is there but not in ${MANIFEST_FILE}`);
    said.delete(path);
    if (describe(listed) === describe(one)) continue;
    const what = `${path} is ${describe(one)}; ${MANIFEST_FILE} says ${describe(listed)}`;
    throw altered(set, what);
  }
  const [missing] = said.keys();
  if (missing !== undefined) throw altered(set, `${missing} is in ${MANIFEST_FILE} but not there`);
  return manifest;
}

/** Writes the manifest that a set's files make; what the set is for stays unless told. */
export async function sealFixture(
  set: FixtureSet,
  entries: readonly FolderEntry[],
  description?: string,
): Promise<FixtureManifest> {
  const kept = description ?? (await readManifest(set).catch(() => undefined))?.description ?? "";
  const manifest: FixtureManifest = {
    schema: "cloche.fixture/1",
    description: kept,
    files: await filesOf(set, entries),
  };
  // Beside the set, in which it would be a file of no part.
  const draft = join(set.folder, "..", draftName());
  await writeFile(draft, `${JSON.stringify(manifest, null, 1)}\n`);
  await rename(draft, join(set.folder, MANIFEST_FILE));
  return manifest;
}

async function readManifest(set: FixtureSet): Promise<FixtureManifest> {
  const path = join(set.folder, MANIFEST_FILE);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw altered(set, `${MANIFEST_FILE} cannot be read (${messageOf(cause)})`);
  });
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const what = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw altered(set, `${MANIFEST_FILE} is no manifest: ${what}`);
  }
}

async function filesOf(set: FixtureSet, entries: readonly FolderEntry[]): Promise<Listed[]> {
  const plain = entries.filter(({ kind }) => kind !== "directory");
  if (plain.length > SET_LIMITS.files) {
    throw tooLarge(set, `has ${plain.length} files; ${SET_LIMITS.files} is the most`);
  }
  const files: Listed[] = [];
  let total = 0;
  for (const { path, kind } of plain) {
    if (kind === "link") {
      files.push({ path, link: await readlink(join(set.folder, path)) });
      continue;
    }
    const { size: bytes } = await lstat(join(set.folder, path));
    total += bytes;
    if (bytes > SET_LIMITS.fileBytes) {
      throw tooLarge(set, `has ${path} with ${bytes} bytes; ${SET_LIMITS.fileBytes} is the most`);
    }
    if (total > SET_LIMITS.bytes) {
      throw tooLarge(set, `has more than ${SET_LIMITS.bytes} bytes in its files`);
    }
    files.push({ path, bytes, sha256: await hashOf(join(set.folder, path)) });
  }
  return files;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

function describe(listed: Listed): string {
  if ("link" in listed) return `a link to "${listed.link}"`;
  return `${listed.bytes} bytes of sha256 ${listed.sha256}`;
}

function altered({ name, folder }: FixtureSet, what: string): Error {
  const remedy = `undo the change, or take it over with "cloche fixture seal ${name}"`;
  return taskFault("fixture-altered", `${folder}: ${what}; ${remedy}`);
}

function tooLarge({ folder }: FixtureSet, what: string): Error {
  return taskFault("fixture-refused", `${folder} ${what}: make it smaller`);
}
