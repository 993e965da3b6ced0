import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../base/canonical-json.ts";
import { draftName, removeDraft } from "../base/draft.ts";
import { messageOf } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import type { Log } from "../base/log.ts";
import { declaredSchema } from "../grading/verdict.ts";
import type { BlobFolder } from "../workspace/blobs.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import { parseSnapshot } from "../workspace/snapshot-text.ts";
import type { MadeVariant } from "./make-variant.ts";

export interface CacheParts {
  readonly cacheFolder: string;
  readonly blobs: BlobFolder;
  readonly log: Log;
}

const schema = z.strictObject({
  fixture: z.unknown(),
  state: z.unknown(),
  expected: z.string(),
  variables: z.record(z.string(), z.string()),
  criteria: z.array(declaredSchema),
});

/** What was made earlier under this key; undefined if there is none or if it is not whole. */
export async function readCached(key: string, parts: CacheParts): Promise<MadeVariant | undefined> {
  const path = fileOf(key, parts);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const [seal, document = ""] = text.split("\n");
    if (seal !== sha256(document)) throw new Error("its hash is wrong");
    const { fixture, state, ...rest } = schema.parse(JSON.parse(document));
    const made = { ...rest, fixture: parseSnapshot(fixture), state: parseSnapshot(state) };
    await requireContents(made.fixture, parts.blobs);
    await requireContents(made.state, parts.blobs);
    return made;
  } catch (error) {
    parts.log.warn({ path, problem: messageOf(error) }, "a cached variant is damaged; made again");
    return undefined;
  }
}

/** Keeps what was made. That it could not be kept costs time later and is no failure now. */
export async function writeCached(
  key: string,
  made: MadeVariant,
  parts: CacheParts,
): Promise<void> {
  const document = canonicalJson(made);
  const draft = join(parts.cacheFolder, draftName());
  try {
    await parts.blobs.sync();
    await using handle = await open(draft, "wx", 0o600);
    await handle.writeFile(`${sha256(document)}\n${document}\n`);
    await handle.sync();
    await rename(draft, fileOf(key, parts));
  } catch (error) {
    parts.log.warn({ draft, problem: messageOf(error) }, "a variant could not be cached");
    await removeDraft(draft).catch(() => {});
  }
}

function fileOf(key: string, { cacheFolder }: CacheParts): string {
  return join(cacheFolder, `variant-${key}.json`);
}

async function requireContents({ entries }: Snapshot, blobs: BlobFolder): Promise<void> {
  for (const entry of entries) {
    if (entry.type === "file") await blobs.verify(entry.sha256);
  }
}
