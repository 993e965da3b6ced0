import { createHmac, randomBytes } from "node:crypto";
import { link, open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../base/fault.ts";
import { namedId } from "../base/id.ts";
import type { DataFolder } from "../store/data-folder.ts";
import { storeFault } from "../store/faults.ts";

const BYTES = 32;

/**
 * The bearer tokens of a data folder's rollouts: 256 bits, derived from a secret that lies in the
 * folder (mode 0600), so that a token is the same after a restart and is itself written nowhere.
 * Rejects with `store/folder-unusable` or `store/folder-damaged`.
 */
export async function openTokens(data: DataFolder): Promise<(rolloutId: string) => string> {
  const secret = await secretOf(join(data.path, "secret"));
  return (rolloutId) =>
    createHmac("sha256", secret).update(`cloche.token/1\n${rolloutId}`).digest("base64url");
}

/** Written whole under another name and then linked, so two processes never use two secrets. */
async function secretOf(path: string): Promise<Buffer> {
  try {
    const known = await readFile(path).catch(unlessAbsent);
    return checked(known ?? (await makeSecret(path)), path);
  } catch (error) {
    if (error instanceof Error && error.name === "Fault") throw error;
    const message = `the secret ${path} cannot be read or made: ${messageOf(error)}`;
    throw storeFault("folder-unusable", message, { cause: error });
  }
}

async function makeSecret(path: string): Promise<Buffer> {
  const draft = `${path}.${namedId("draft")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(randomBytes(BYTES));
    await file.sync();
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await file.close();
    await unlink(draft);
  }
  return await readFile(path);
}

function checked(secret: Buffer, path: string): Buffer {
  if (secret.length === BYTES) return secret;
  const message = `${path} holds no secret of ${BYTES} bytes: restore it, or remove it and its rollouts' tokens change`;
  throw storeFault("folder-damaged", message);
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
